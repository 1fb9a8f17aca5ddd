"""The official Python DIS SDK (dis_sdk_python): every call that it has, against one server.

Its derivation switch chooses the signature; its "bodySerializeType" the form of put and get.
"""

import time

from checks import (PARTITIONS, RECORDS, address, equal, eventually, expected_order, payload, refused, setting, step)
from dis_sdk_python import disclient

STREAM = "python-dis"
APP = "python-app"
TASK = "python-task"


def connect(**changes):
    at = {**setting, **changes}
    return disclient(
        endpoint=at["endpoint"],
        ak=at["accessKey"],
        sk=at["secretKey"],
        projectid=at["projectId"],
        region=at["region"],
        bodySerializeType="protobuf" if at["form"] == "protobuf" else "",
        derivationKeySwitch=at["signature"] == "S4",
    )


def read_all(partition, **stream):
    """Everything in a partition as [(number, text)]."""
    cursor = dis.getCursor(stream.get("streamName", ""), partition, "TRIM_HORIZON", streamId=stream.get("streamId", ""))
    found, cursor = [], cursor.cursor
    while True:
        reply = dis.getRecords(cursor, limit=150)
        if reply.recordCount == 0:
            return found
        cursor = reply.nextPartitionCursor
        for record in reply.recordResult:
            data = record["data"]
            text = data.decode("utf-8") if isinstance(data, bytes) else data
            found.append((int(record["sequence_number"]), text))


dis = connect()

with step("create stream"):
    equal(dis.createStream(STREAM, PARTITIONS, "BLOB", "COMMON", 24).statusCode, 201, "status")

with step("describe stream"):
    described = dis.describeStream(STREAM)
    stream_id = described.body["stream_id"]
    equal((described.streamName, described.status, described.streamType), (STREAM, "RUNNING", "COMMON"), "stream")
    partitions = [partition["partition_id"] for partition in described.partitions]
    equal(partitions, [f"shardId-{number:010}" for number in range(PARTITIONS)], "partitions")
    page = dis.describeStream(STREAM, startPartitionId=partitions[0], limitPartitions=1)
    equal([partition["partition_id"] for partition in page.partitions], partitions[1:2], "second page")

with step("list streams"):
    listed = dis.listStream(limit=100)
    equal((listed.stream_names, listed.total_number), ([STREAM], 1), "streams")

with step("put records"):
    put = dis.putRecords(STREAM, [{"data": payload(index), **address(index)} for index in range(RECORDS)])
    equal((put.failedRecordCount, len(put.recordResult)), (0, RECORDS), "results")
    expected = expected_order([(at["partition_id"], int(at["sequence_number"])) for at in put.recordResult])

with step("read records back"):
    for partition in partitions:
        equal(read_all(partition, streamName=STREAM), expected[partition], f"records of {partition}")

with step("failed records"):
    put = dis.putRecords(STREAM, [{"data": "stored", "partition_id": "0"}, {"data": "lost", "partition_id": "99"}])
    equal(put.failedRecordCount, 1, "failed records")
    equal([result.get("error_code") for result in put.recordResult], [None, "DIS.4302"], "errors of the records")
    # Of a protobuf answer the client makes empty numbers for failed records, and so never finds them here.
    again = [] if setting["form"] == "protobuf" else ["lost"]
    equal(put.getSendFailuerRecord(["stored", "lost"]), again, "records to send again")

with step("by stream id"):
    put = dis.put_records("", stream_id, [{"data": "by id", "partition_id": "0"}])
    equal(put.failedRecordCount, 0, "failed records")
    equal(read_all("0", streamId=stream_id)[-1][1], "by id", "last record")

with step("apps"):
    equal(dis.createApp(APP).statusCode, 201, "status")
    equal(dis.describeApp(APP).body["app_name"], APP, "app")
    equal([app["app_name"] for app in dis.listApp("").apps], [APP], "apps")
    refused(lambda: dis.createApp(APP), "DIS.4330")

with step("checkpoints"):
    equal(int(dis.getCheckpoint(STREAM, APP, partitions[1]).seqNumber), -1, "number before the first commit")
    equal(dis.commitCheckpoint(STREAM, APP, partitions[1], "5", metaData="from python").statusCode, 201, "status")
    stored = dis.getCheckpoint(STREAM, APP, partitions[1])
    equal((stored.seqNumber, stored.body["metadata"]), ("5", "from python"), "checkpoint")
    refused(lambda: dis.commitCheckpoint(STREAM, APP, partitions[1], "999999"), "DIS.4224")

with step("consumption state"):
    states = dis.streamConsume(STREAM, APP).partition_consuming_states
    equal([(state["partition_id"], int(state["sequence_number"])) for state in states],
          list(zip(partitions, [-1, 5, -1])), "states")
    equal(len(dis.streamConsume("", APP, streamId=stream_id).partition_consuming_states), PARTITIONS, "states by id")
    equal(dis.deleteCheckpoint(STREAM, APP).statusCode, 204, "status of deleting")
    equal(int(dis.getCheckpoint(STREAM, APP, partitions[1]).seqNumber), -1, "number after deleting")

with step("dump task"):
    descriptor = {"obs_bucket_path": setting["bucket"], "deliver_time_interval": 1, "agency_name": "agency",
                  "consumer_strategy": "TRIM_HORIZON", "file_prefix": "dump", "destination_file_type": "text"}
    equal(dis.add_dump_task(STREAM, TASK, "OBS", descriptor).statusCode, 201, "status")
    tasks = dis.list_dump_task(STREAM).tasks
    equal([(task["task_name"], task["destination_type"]) for task in tasks], [(TASK, "OBS")], "tasks")

    def delivered():
        shown = dis.describe_dump_task(STREAM, TASK).partitions
        return sum(int(partition["last_transfer_offset"]) for partition in shown) == RECORDS + 2

    eventually("every record is delivered", delivered)
    equal(dis.delete_dump_task(STREAM, TASK).statusCode, 204, "status of deleting")
    equal(dis.list_dump_task(STREAM).total_number, 0, "tasks after deleting")

with step("metrics"):
    now = int(time.time())

    def counted(read):
        return sum(point["value"] for point in read().dataPoints) == RECORDS + 2

    label = "total_put_records_per_stream"
    eventually("the stream's records are counted",
               lambda: counted(lambda: dis.streamMonitor(STREAM, label, now - 3600, now + 60)))
    by_default = dis.streamMonitor(STREAM, label)
    equal((by_default.statusCode, by_default.label), (200, label), "answer without times")
    label = "total_put_records_per_partition"
    one = dis.partitionMonitor(STREAM, partitions[0], label, now - 3600, now + 60)
    equal(sum(point["value"] for point in one.dataPoints), len(expected[partitions[0]]) + 2, "partition's records")

with step("change partition count"):
    changed = dis.changepartitionQuantity(STREAM, PARTITIONS + 1)
    equal(changed.body["target_partition_count"], PARTITIONS + 1, "answer")
    equal(len(dis.describeStream(STREAM).partitions), PARTITIONS + 1, "partitions")

with step("temporary key"):
    temporary = {"ak": setting["temporaryAccessKey"], "sk": setting["temporarySecretKey"]}
    listed = dis.listStream(xSecrityToken=setting["securityToken"], **temporary)
    equal(listed.stream_names, [STREAM], "streams")
    refused(lambda: dis.listStream(**temporary), "DIS.4114")
    refused(lambda: dis.listStream(xSecrityToken="wrong", **temporary), "DIS.4114")

with step("wrong key"):
    refused(lambda: connect(secretKey="wrong").listStream(), "DIS.4100")
    refused(lambda: connect(accessKey="UNKNOWN").listStream(), "DIS.4107")

with step("wrong project"):
    refused(lambda: connect(projectId=setting["wrongProjectId"]).listStream(), "DIS.4117")

with step("missing stream"):
    refused(lambda: dis.describeStream("missing"), "DIS.4301")
    refused(lambda: dis.getCursor("missing", "0", "TRIM_HORIZON"), "DIS.4301")
    refused(lambda: dis.put_records("missing", "", [{"data": "x"}]), "DIS.4301")

with step("throttled records"):
    narrow = "python-narrow"
    dis.createStream(narrow, 1, "BLOB", "COMMON")
    # Unlike putRecords, this sends them in one request, more than a partition takes in a second.
    put = dis.put_records(narrow, "", [{"data": payload(index)} for index in range(1500)])
    equal((put.failedRecordCount, len(put.recordResult)), (0, 1500), "results after the client's own retries")
    now = int(time.time())
    throttled = dis.streamMonitor(narrow, "traffic_control_put", now - 3600, now + 60).dataPoints
    equal(sum(point["value"] for point in throttled) > 0, True, "throttled puts are counted")
    dis.deleteStream(narrow)

with step("delete app"):
    equal(dis.deleteApp(APP).statusCode, 204, "status")
    refused(lambda: dis.describeApp(APP), "DIS.4332")

with step("delete stream"):
    equal(dis.deleteStream(STREAM).statusCode, 204, "status")
    equal(dis.listStream().stream_names, [], "streams after deleting")
