package clients;

import static clients.Checks.*;
import static clients.DisCalls.*;

import com.huaweicloud.dis.DIS;
import com.huaweicloud.dis.DISClient;
import com.huaweicloud.dis.DISConfig;
import com.huaweicloud.dis.exception.DISAuthenticationException;
import com.huaweicloud.dis.exception.DISClientException;
import com.huaweicloud.dis.exception.DISPartitionNotExistsException;
import com.huaweicloud.dis.exception.DISSequenceNumberOutOfRangeException;
import com.huaweicloud.dis.exception.DISStreamNotExistsException;
import com.huaweicloud.dis.iface.app.request.ListAppsRequest;
import com.huaweicloud.dis.iface.app.request.ListStreamConsumingStateRequest;
import com.huaweicloud.dis.iface.app.response.ListAppsResult;
import com.huaweicloud.dis.iface.app.response.PartitionConsumingState;
import com.huaweicloud.dis.iface.data.request.DeleteCheckpointRequest;
import com.huaweicloud.dis.iface.data.request.GetPartitionCursorRequest;
import com.huaweicloud.dis.iface.data.request.PutRecordsRequestEntry;
import com.huaweicloud.dis.iface.data.response.GetRecordsResult;
import com.huaweicloud.dis.iface.data.response.PutRecordsResult;
import com.huaweicloud.dis.iface.data.response.PutRecordsResultEntry;
import com.huaweicloud.dis.iface.stream.request.CreateStreamRequest;
import com.huaweicloud.dis.iface.stream.request.DeleteStreamRequest;
import com.huaweicloud.dis.iface.stream.request.DescribeStreamRequest;
import com.huaweicloud.dis.iface.stream.request.ListStreamsRequest;
import com.huaweicloud.dis.iface.stream.request.OBSDestinationDescriptorRequest;
import com.huaweicloud.dis.iface.stream.request.StreamDestinationType;
import com.huaweicloud.dis.iface.stream.request.Tag;
import com.huaweicloud.dis.iface.stream.request.UpdatePartitionCountRequest;
import com.huaweicloud.dis.iface.stream.request.UpdateStreamRequest;
import com.huaweicloud.dis.iface.stream.response.DescribeStreamResult;
import com.huaweicloud.dis.iface.stream.response.ListStreamsResult;
import com.huaweicloud.dis.iface.transfertask.request.CreateTransferTaskRequest;
import com.huaweicloud.dis.iface.transfertask.request.DeleteTransferTaskRequest;
import com.huaweicloud.dis.iface.transfertask.response.DescribeTransferTaskResult;
import com.huaweicloud.dis.iface.transfertask.response.ListTransferTasksResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/** The Java DIS SDK: every call of its synchronous client, in one form of records and one compression of bodies. */
public final class DisSdk {
    private final Checks checks;
    private final DisCalls calls;
    private final DIS dis;
    private Map<String, List<String>> expected = Map.of();

    private DisSdk(Checks checks) {
        this.checks = checks;
        this.calls = new DisCalls(checks);
        this.dis = calls.dis;
    }

    public static void main(String[] arguments) throws Exception {
        DisSdk program = new DisSdk(new Checks(arguments));
        program.streams();
        program.records();
        program.consumption();
        program.dumpTask();
        program.changes();
        program.refusals();
        program.deletes();
        // The client keeps threads of its own.
        System.exit(0);
    }

    private void streams() {
        checks.step("create stream", () -> {
            CreateStreamRequest request = new CreateStreamRequest();
            request.setStreamName(STREAM);
            request.setPartitionCount(PARTITIONS);
            request.setStreamType(CreateStreamRequest.STREAM_TYPE_COMMON);
            request.setDataType("BLOB");
            request.setDataDuration(24);
            Tag tag = new Tag();
            tag.setKey("team");
            tag.setValue("blue");
            request.setTags(List.of(tag));
            dis.createStream(request);
        });
        checks.step("describe stream", () -> {
            DescribeStreamResult stream = calls.describe(null, 100);
            equal(stream.getStatus(), "RUNNING", "status");
            equal(stream.getRetentionPeriod(), 24, "retention");
            equal(stream.getTags().get(0).getValue(), "blue", "tag");
            equal(partitionIds(stream), IDS, "partitions");
            equal(stream.getPartitions().get(0).getHashRange(), "[0 : 3074457345618258601]", "hash range");
            DescribeStreamResult page = calls.describe(IDS.get(0), 1);
            equal(partitionIds(page), IDS.subList(1, 2), "second page");
            equal(page.getHasMorePartitions(), true, "more pages");
            DescribeStreamRequest byId = new DescribeStreamRequest();
            byId.setStreamId(stream.getStreamId());
            byId.setLimitPartitions(1);
            equal(dis.describeStream(byId).getStreamName(), STREAM, "stream by id, without a name");
        });
        checks.step("list streams", () -> {
            ListStreamsRequest request = new ListStreamsRequest();
            request.setLimit(10);
            ListStreamsResult streams = dis.listStreams(request);
            equal(streams.getStreamNames(), List.of(STREAM), "names");
            equal(streams.getStreamNumber(), 1, "number");
            equal(streams.getStreamInfos().get(0).getStreamName(), STREAM, "stream");
        });
    }

    private void records() {
        checks.step("put records", () -> {
            List<PutRecordsRequestEntry> entries = new ArrayList<>();
            for (int index = 0; index < RECORDS; index++) entries.add(address(index, payload(index)));
            PutRecordsResult put = calls.put(STREAM, entries);
            equal(put.getFailedRecordCount().get(), 0, "failed records");
            List<String[]> results = new ArrayList<>();
            for (PutRecordsResultEntry at : put.getRecords()) {
                results.add(new String[] {at.getPartitionId(), at.getSequenceNumber()});
            }
            expected = expectedOrder(results);
        });
        checks.step("read records back", () -> {
            for (String partition : IDS) {
                equal(calls.readAll(partition), expected.get(partition), "records of " + partition);
            }
        });
        checks.step("failed records", () -> {
            byte[] text = "text".getBytes(StandardCharsets.UTF_8);
            PutRecordsResult put = calls.put(STREAM, List.of(entry(text, "0", null), entry(text, "99", null)));
            equal(put.getFailedRecordCount().get(), 1, "failed records");
            equal(put.getRecords().get(0).getSequenceNumber() == null, false, "number of the stored record");
            equal(put.getRecords().get(1).getErrorCode(), "DIS.4302", "error of the other");
        });
        checks.step("throttled records", () -> {
            CreateStreamRequest narrow = new CreateStreamRequest();
            narrow.setStreamName("java-narrow");
            narrow.setPartitionCount(1);
            narrow.setStreamType(CreateStreamRequest.STREAM_TYPE_COMMON);
            dis.createStream(narrow);
            List<PutRecordsRequestEntry> entries = new ArrayList<>();
            for (int index = 0; index < 1500; index++) entries.add(entry(payload(index), null, null));
            PutRecordsResult put = calls.put("java-narrow", entries);
            equal(put.getFailedRecordCount().get(), 0, "failed records after the client's own retries");
            equal(put.getRecords().stream().map((at) -> at.getSequenceNumber()).distinct().count(), 1500L,
                    "different numbers");
            DeleteStreamRequest delete = new DeleteStreamRequest();
            delete.setStreamName("java-narrow");
            dis.deleteStream(delete);
        });
        checks.step("cursors", () -> {
            GetPartitionCursorRequest request = cursorRequest(STREAM, IDS.get(1), "AT_SEQUENCE_NUMBER");
            request.setStartingSequenceNumber("3");
            GetRecordsResult found = calls.read(dis.getPartitionCursor(request).getPartitionCursor());
            equal(found.getRecords().get(0).getSequenceNumber(), "3", "first record");
            request.setStartingSequenceNumber("999999");
            refused(DISSequenceNumberOutOfRangeException.class, "Sequence_number out of range",
                    () -> dis.getPartitionCursor(request));
            refused(DISPartitionNotExistsException.class, "DIS.4302",
                    () -> dis.getPartitionCursor(cursorRequest(STREAM, "99", "LATEST")));
        });
    }

    private void consumption() {
        checks.step("apps", () -> {
            dis.createApp(APP);
            equal(dis.describeApp(APP).getAppName(), APP, "app");
            ListAppsRequest request = new ListAppsRequest();
            request.setLimit(10);
            ListAppsResult apps = dis.listApps(request);
            equal(apps.getApps().get(0).getAppName(), APP, "first app");
            equal(apps.getHasMoreApp(), false, "more apps");
            refused(DISClientException.class, "DIS.4330", call(() -> dis.createApp(APP)));
        });
        checks.step("checkpoints", () -> {
            equal(calls.checkpoint().getSequenceNumber(), "-1", "number before the first commit");
            calls.commit("5");
            equal(calls.checkpoint().getSequenceNumber(), "5", "number");
            equal(calls.checkpoint().getMetadata(), "from java", "metadata");
            refused(DISSequenceNumberOutOfRangeException.class, "DIS.4224", call(() -> calls.commit("999999")));
        });
        checks.step("consumption state", () -> {
            ListStreamConsumingStateRequest request = new ListStreamConsumingStateRequest();
            request.setAppName(APP);
            request.setStreamName(STREAM);
            request.setCheckpointType(LAST_READ);
            request.setLimit(10);
            List<PartitionConsumingState> states = dis.listStreamConsumingState(request).getPartitionConsumingStates();
            equal(states.stream().map(PartitionConsumingState::getPartitionId).collect(Collectors.toList()), IDS,
                    "partitions");
            equal(states.stream().map(PartitionConsumingState::getSequenceNumber).collect(Collectors.toList()),
                    List.of("-1", "5", "-1"), "numbers");
            equal(states.get(1).getMetadata(), "from java", "metadata");
            equal(states.get(1).getLatestOffset(), (long) expected.get(IDS.get(1)).size(), "latest offset");
            DeleteCheckpointRequest all = new DeleteCheckpointRequest();
            all.setStreamName(STREAM);
            all.setAppName(APP);
            all.setCheckpointType(LAST_READ);
            dis.deleteCheckpoint(all);
            equal(calls.checkpoint().getSequenceNumber(), "-1", "number after deleting");
        });
    }

    private void dumpTask() {
        checks.step("dump task", () -> {
            OBSDestinationDescriptorRequest descriptor = new OBSDestinationDescriptorRequest();
            descriptor.setTransferTaskName(TASK);
            descriptor.setAgencyName("agency");
            descriptor.setDeliverTimeInterval(1);
            descriptor.setConsumerStrategy("TRIM_HORIZON");
            descriptor.setFilePrefix("dump");
            descriptor.setObsBucketPath(checks.setting("bucket"));
            descriptor.setDestinationFileType("text");
            CreateTransferTaskRequest create = new CreateTransferTaskRequest();
            create.setStreamName(STREAM);
            create.setDestinationType(StreamDestinationType.OBS);
            create.setObsDestinationDescriptor(descriptor);
            dis.createTransferTask(create);

            ListTransferTasksResult tasks = calls.listTasks();
            equal(tasks.getTasks().get(0).getTransferTaskName(), TASK, "listed task");
            equal(tasks.getTasks().get(0).getDestinationType(), StreamDestinationType.OBS, "destination");
            eventually("every record is delivered", 20, () -> calls.delivered() == RECORDS + 1);
            DescribeTransferTaskResult shown = calls.showTask();
            equal(shown.getObsDestinationDescription().getObsBucketPath(), checks.setting("bucket"), "bucket");

            calls.change("stop");
            equal(calls.showTask().getState(), "PAUSED", "state after stopping");
            calls.change("start");
            eventually("it runs again", 20, () -> calls.showTask().getState().equals("RUNNING"));
            DeleteTransferTaskRequest delete = new DeleteTransferTaskRequest();
            delete.setStreamName(STREAM);
            delete.setTransferTaskName(TASK);
            dis.deleteTransferTask(delete);
            equal(calls.listTasks().getTaskNumber(), 0, "tasks after deleting");
        });
    }

    private void changes() {
        checks.step("update stream", () -> {
            UpdateStreamRequest request = new UpdateStreamRequest();
            request.setStreamName(STREAM);
            request.setUpdateType("AUTO_SCALE");
            request.setAutoScaleEnabled(true);
            request.setAutoScaleMinPartitionCount(PARTITIONS);
            request.setAutoScaleMaxPartitionCount(8);
            dis.updateStream(request);
            DescribeStreamResult stream = calls.describe(null, 100);
            equal(stream.getAutoScaleEnabled(), true, "auto scaling");
            equal(stream.getAutoScaleMaxPartitionCount(), 8, "most partitions");
        });
        checks.step("change partition count", () -> {
            UpdatePartitionCountRequest request = new UpdatePartitionCountRequest();
            request.setStreamName(STREAM);
            request.setTargetPartitionCount(PARTITIONS + 1);
            equal(dis.updatePartitionCount(request).getTargetPartitionCount(), PARTITIONS + 1, "answer");
            DescribeStreamResult stream = calls.describe(null, 100);
            equal(stream.getWritablePartitionCount(), PARTITIONS + 1, "partitions");
            equal(stream.getUpdatePartitionCounts().get(0).getTargetPartitionCount(), PARTITIONS + 1, "log");
        });
    }

    private void refusals() {
        checks.step("temporary key", () -> {
            DISConfig temporary = calls.config()
                    .setAK(checks.setting("temporaryAccessKey"))
                    .setSK(checks.setting("temporarySecretKey"));
            refused(DISAuthenticationException.class, "DIS.4114", listWith(temporary));
            listWith(temporary.setSecurityToken(checks.setting("securityToken"))).call();
        });
        checks.step("auth token", () -> {
            String token = checks.setting("authToken");
            listWith(calls.config().setSK("unused").setAuthType("token").setAuthToken(token)).call();
            refused(DISAuthenticationException.class, "DIS.4114",
                    listWith(calls.config().setAuthType("token").setAuthToken(token + "x")));
        });
        checks.step("wrong key", () -> {
            refused(DISAuthenticationException.class, "DIS.4100", listWith(calls.config().setSK("wrong")));
            refused(DISAuthenticationException.class, "DIS.4107", listWith(calls.config().setAK("UNKNOWN")));
        });
        checks.step("wrong project", () -> {
            String other = checks.setting("wrongProjectId");
            refused(DISAuthenticationException.class, "DIS.4117", listWith(calls.config().setProjectId(other)));
        });
        checks.step("missing stream", () -> {
            DescribeStreamRequest describe = new DescribeStreamRequest();
            describe.setStreamName("missing");
            DISStreamNotExistsException error = refused(DISStreamNotExistsException.class, "DIS.4301",
                    () -> dis.describeStream(describe));
            equal(error.getStreamName(), "missing", "name that the exception carries");
            byte[] text = "text".getBytes(StandardCharsets.UTF_8);
            refused(DISStreamNotExistsException.class, "DIS.4301",
                    () -> calls.put("missing", List.of(entry(text, null, "key"))));
            refused(DISStreamNotExistsException.class, "DIS.4301",
                    () -> dis.getPartitionCursor(cursorRequest("missing", "0", "LATEST")));
        });
    }

    private void deletes() {
        checks.step("delete app", () -> {
            dis.deleteApp(APP);
            refused(DISClientException.class, "DIS.4332", () -> dis.describeApp(APP));
        });
        checks.step("delete stream", () -> {
            DeleteStreamRequest request = new DeleteStreamRequest();
            request.setStreamName(STREAM);
            dis.deleteStream(request);
            equal(dis.listStreams(new ListStreamsRequest()).getStreamNames(), List.of(), "streams after deleting");
        });
    }

    private static Callable<?> listWith(DISConfig config) {
        return () -> new DISClient(config).listStreams(new ListStreamsRequest());
    }

    private static Callable<?> call(Checks.Action action) {
        return () -> {
            action.run();
            return null;
        };
    }
}
