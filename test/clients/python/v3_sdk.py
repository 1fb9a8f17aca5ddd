"""Huawei Cloud's Python SDK v3 (huaweicloudsdkdis): every call that it has but those that the other clients share.

Signature S2 is its default; S3 is what it signs with when its predicate for derived keys says so.
"""

import base64
import time

from checks import (PARTITIONS, RECORDS, address, equal, eventually, expected_order, payload, refused, setting, step)
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdis.v2 import *

STREAM = "python-v3"
APP = "v3-app"
TASK = "v3-task"
LAST_READ = "LAST_READ"


def connect(**changes):
    at = {**setting, **changes}
    credentials = BasicCredentials(at["accessKey"], at["secretKey"], at["projectId"])
    credentials.with_iam_endpoint(at["endpoint"])
    if at.get("useSecurityToken"):
        credentials.with_security_token(at["securityToken"])
    if at["signature"] == "S3":
        credentials.with_derived_predicate(lambda request: True)
    config = HttpConfig.get_default_config()
    config.ssl_ca_cert = at["certificate"]
    builder = DisClient.new_builder().with_http_config(config).with_credentials(credentials)
    # The service's own packages set this name where the service takes derived keys; the one of DIS does not.
    builder._with_derived_auth_service_name("dis")
    return builder.with_region(Region(at["region"], at["endpoint"])).build()


def put(records, stream=STREAM):
    entries = [PutRecordsRequestEntry(data=base64.b64encode(text.encode()).decode(), **where)
               for text, where in records]
    return dis.send_records(SendRecordsRequest(body=PutRecordsRequest(stream_name=stream, records=entries)))


def read_all(partition):
    """Everything in a partition as [(number, text)]."""
    request = ShowCursorRequest(stream_name=STREAM, partition_id=partition, cursor_type="TRIM_HORIZON")
    found, cursor = [], dis.show_cursor(request).partition_cursor
    while True:
        reply = dis.consume_records(ConsumeRecordsRequest(partition_cursor=cursor, max_fetch_bytes=50_000))
        if not reply.records:
            return found
        cursor = reply.next_partition_cursor
        for record in reply.records:
            found.append((int(record.sequence_number), base64.b64decode(record.data).decode()))


def denied(code, **changes):
    error = refused(lambda: connect(**changes).list_streams(ListStreamsRequest()), code)
    equal((type(error), error.status_code, error.error_code), (ClientRequestException, 401, code), "error")
    equal(bool(error.request_id), True, "request id")


def show_task():
    return dis.show_transfer_task(ShowTransferTaskRequest(stream_name=STREAM, task_name=TASK))


dis = connect()

with step("create stream"):
    body = CreateStreamReq(stream_name=STREAM, partition_count=PARTITIONS, data_type="BLOB", stream_type="COMMON",
                           data_duration=24, tags=[Tag("team", "blue")])
    equal(dis.create_stream(CreateStreamRequest(body=body)).status_code, 201, "status")

with step("describe stream"):
    described = dis.show_stream(ShowStreamRequest(stream_name=STREAM))
    stream_id = described.stream_id
    equal((described.stream_name, described.status, described.stream_type), (STREAM, "RUNNING", "COMMON"), "stream")
    partitions = [partition.partition_id for partition in described.partitions]
    equal(partitions, [f"shardId-{number:010}" for number in range(PARTITIONS)], "partitions")
    # Sent as `start_partitionId`: a query name with a capital letter in the signature.
    request = ShowStreamRequest(stream_name=STREAM, start_partition_id=partitions[0], limit_partitions=1)
    page = dis.show_stream(request)
    equal([partition.partition_id for partition in page.partitions], partitions[1:2], "second page")
    equal(page.has_more_partitions, True, "more pages")

with step("list streams"):
    listed = dis.list_streams(ListStreamsRequest(limit=10))
    equal((listed.stream_names, listed.total_number, listed.has_more_streams), ([STREAM], 1, False), "streams")
    equal(listed.stream_info_list[0].partition_count, PARTITIONS, "partitions")

with step("update stream"):
    body = UpdateStreamReq(stream_name=STREAM, data_duration=48)
    equal(dis.update_stream(UpdateStreamRequest(stream_name=STREAM, body=body)).status_code, 204, "status")
    equal(dis.show_stream(ShowStreamRequest(stream_name=STREAM)).retention_period, 48, "retention")

with step("put records"):
    results = []
    for first in range(0, RECORDS, 500):
        reply = put([(payload(index), address(index)) for index in range(first, first + 500)])
        equal((reply.failed_record_count, len(reply.records)), (0, 500), "results")
        results += [(entry.partition_id, int(entry.sequence_number)) for entry in reply.records]
    expected = expected_order(results)

with step("read records back"):
    for partition in partitions:
        equal(read_all(partition), expected[partition], f"records of {partition}")

with step("failed records"):
    reply = put([("stored", {"partition_id": "0"}), ("lost", {"partition_id": "99"})])
    equal((reply.failed_record_count, reply.records[1].error_code), (1, "DIS.4302"), "results")

with step("apps"):
    equal(dis.create_app(CreateAppRequest(body=CreateAppReq(app_name=APP))).status_code, 201, "status")
    equal(dis.show_app(ShowAppRequest(app_name=APP)).app_name, APP, "app")
    listed = dis.list_app(ListAppRequest(limit=10))
    equal(([app.app_name for app in listed.apps], listed.total_number, listed.has_more_app), ([APP], 1, False), "apps")
    error = refused(lambda: dis.create_app(CreateAppRequest(body=CreateAppReq(app_name=APP))), "DIS.4330")
    equal(error.status_code, 400, "status of a second app of the name")

with step("checkpoints"):
    where = {"app_name": APP, "checkpoint_type": LAST_READ, "stream_name": STREAM, "partition_id": partitions[1]}
    equal(int(dis.show_checkpoint(ShowCheckpointRequest(**where)).sequence_number), -1, "before the first commit")
    commit = CommitCheckpointReq(sequence_number="5", metadata="from v3", **where)
    equal(dis.commit_checkpoint(CommitCheckpointRequest(body=commit)).status_code, 201, "status")
    stored = dis.show_checkpoint(ShowCheckpointRequest(**where))
    equal((stored.sequence_number, stored.metadata), ("5", "from v3"), "checkpoint")
    commit = CommitCheckpointReq(sequence_number="999999", **where)
    refused(lambda: dis.commit_checkpoint(CommitCheckpointRequest(body=commit)), "DIS.4224")

with step("consumption state"):
    request = ShowConsumerStateRequest(app_name=APP, stream_name=STREAM, checkpoint_type=LAST_READ)
    state = dis.show_consumer_state(request)
    equal([(at.partition_id, int(at.sequence_number), at.status) for at in state.partition_consuming_states],
          list(zip(partitions, [-1, 5, -1], ["ACTIVE"] * PARTITIONS)), "states")
    latest = [len(expected[partition]) + (partition == partitions[0]) for partition in partitions]
    equal([int(at.latest_offset) for at in state.partition_consuming_states], latest, "latest offsets")
    equal(dis.delete_checkpoint(DeleteCheckpointRequest(**where)).status_code, 204, "status of deleting")

with step("dump task"):
    descriptor = OBSDestinationDescriptorRequest(
        task_name=TASK, agency_name="agency", deliver_time_interval=1, consumer_strategy="TRIM_HORIZON",
        file_prefix="dump", obs_bucket_path=setting["bucket"], destination_file_type="text")
    body = CreateTransferTaskReq(destination_type="OBS", obs_destination_descriptor=descriptor)
    created = dis.create_obs_transfer_task(CreateObsTransferTaskRequest(stream_name=STREAM, body=body))
    equal(created.status_code, 201, "status")
    listed = dis.list_transfer_tasks(ListTransferTasksRequest(stream_name=STREAM))
    equal(([task.task_name for task in listed.tasks], listed.total_number), ([TASK], 1), "tasks")
    equal(show_task().obs_destination_description.obs_bucket_path, setting["bucket"], "bucket")
    eventually("a file is delivered", lambda: show_task().last_transfer_timestamp > 0)
    # Its model of a task has no id, which stopping needs: that is in the answer as it came.
    task_id = show_task().to_json_object()["task_id"]
    tasks = [BatchTransferTask(id=task_id)]
    dis.batch_stop_transfer_task(BatchStopTransferTaskRequest(
        stream_name=STREAM, body=BatchStopTransferTaskReq(action="stop", tasks=tasks)))
    equal(show_task().state, "PAUSED", "state after stopping")
    dis.batch_start_transfer_task(BatchStartTransferTaskRequest(
        stream_name=STREAM, body=BatchStartTransferTaskReq(action="start", tasks=tasks)))
    eventually("it runs again", lambda: show_task().state == "RUNNING")
    deleted = dis.delete_transfer_task(DeleteTransferTaskRequest(stream_name=STREAM, task_name=TASK))
    equal(deleted.status_code, 204, "status of deleting")

with step("metrics"):
    now = int(time.time())
    window = {"stream_name": STREAM, "start_time": now - 3600, "end_time": now + 60}

    def total(metrics):
        return sum(point.value for point in metrics.data_points)

    request = ShowStreamMetricsRequest(label="total_put_records_per_stream", **window)
    eventually("records are counted", lambda: total(dis.show_stream_metrics(request).metrics) == RECORDS + 1)
    both = "total_put_records_per_stream,total_get_records_per_stream"
    listed = dis.show_stream_metrics(ShowStreamMetricsRequest(label_list=both, **window)).metrics_list
    equal([(metrics.label, total(metrics)) for metrics in listed],
          list(zip(both.split(","), [RECORDS + 1, RECORDS])), "two labels")
    request = ShowPartitionMetricsRequest(partition_id=partitions[1], label="total_put_records_per_partition", **window)
    equal(total(dis.show_partition_metrics(request).metrics), len(expected[partitions[1]]), "partition's records")

with step("tags"):
    tag = CreateTagRequest(stream_id=stream_id, body=CreateTagReq(tag=Tag("cost", "12")))
    equal(dis.create_tag(tag).status_code, 204, "status")
    more = BatchCreateTagsReq(action="create", tags=[Tag("team", "red"), Tag("zone", "a")])
    dis.batch_create_tags(BatchCreateTagsRequest(stream_id=stream_id, body=more))

    def tags():
        shown = dis.show_stream_tags(ShowStreamTagsRequest(stream_id=stream_id)).tags
        return {tag.key: tag.value for tag in shown}

    equal(tags(), {"team": "red", "cost": "12", "zone": "a"}, "tags")
    equal({tag.key: tag.values for tag in dis.list_tags(ListTagsRequest()).tags},
          {"team": ["red"], "cost": ["12"], "zone": ["a"]}, "tags of the project")
    search = ListResourceInstancesReq(action="filter", tags=[Tags("team", ["red"])])
    found = dis.list_resources_by_tags(ListResourcesByTagsRequest(body=search))
    equal(([at.resource_id for at in found.resources], found.total_count), ([stream_id], 1), "streams by tag")
    dis.delete_tag(DeleteTagRequest(stream_id=stream_id, key="cost"))
    fewer = BatchDeleteTagsReq(action="delete", tags=[Tag("zone", "a")])
    dis.batch_delete_tags(BatchDeleteTagsRequest(stream_id=stream_id, body=fewer))
    equal(tags(), {"team": "red"}, "tags after deleting")

with step("policies"):
    equal(dis.list_policies(ListPoliciesRequest(stream_name=STREAM)).rules, [], "rules")

with step("change partition count"):
    body = UpdatePartitionCountReq(stream_name=STREAM, target_partition_count=PARTITIONS + 1)
    equal(dis.update_partition_count(UpdatePartitionCountRequest(stream_name=STREAM, body=body)).status_code, 200,
          "status")
    described = dis.show_stream(ShowStreamRequest(stream_name=STREAM))
    equal((len(described.partitions), described.writable_partition_count), (PARTITIONS + 1,) * 2, "partitions")

with step("project of a region"):
    equal(connect(projectId=None).list_streams(ListStreamsRequest()).stream_names, [STREAM], "streams")

with step("temporary key"):
    temporary = {"accessKey": setting["temporaryAccessKey"], "secretKey": setting["temporarySecretKey"]}
    listed = connect(useSecurityToken=True, **temporary).list_streams(ListStreamsRequest())
    equal(listed.stream_names, [STREAM], "streams")
    denied("DIS.4114", **temporary)

with step("wrong key"):
    denied("DIS.4100", secretKey="wrong")
    denied("DIS.4107", accessKey="UNKNOWN")

with step("wrong project"):
    denied("DIS.4117", projectId=setting["wrongProjectId"])

with step("missing stream"):
    error = refused(lambda: dis.show_stream(ShowStreamRequest(stream_name="missing")), "DIS.4301")
    equal((error.status_code, error.error_code), (400, "DIS.4301"), "error")
    refused(lambda: put([("x", {})], "missing"), "DIS.4301")

with step("delete app"):
    equal(dis.delete_app(DeleteAppRequest(app_name=APP)).status_code, 204, "status")
    refused(lambda: dis.show_app(ShowAppRequest(app_name=APP)), "DIS.4332")

with step("delete stream"):
    equal(dis.delete_stream(DeleteStreamRequest(stream_name=STREAM)).status_code, 204, "status")
    equal(dis.list_streams(ListStreamsRequest()).stream_names, [], "streams after deleting")
