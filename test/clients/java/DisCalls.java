package clients;

import static clients.Checks.*;

import com.huaweicloud.dis.DIS;
import com.huaweicloud.dis.DISClient;
import com.huaweicloud.dis.DISConfig;
import com.huaweicloud.dis.iface.data.request.CommitCheckpointRequest;
import com.huaweicloud.dis.iface.data.request.GetCheckpointRequest;
import com.huaweicloud.dis.iface.data.request.GetPartitionCursorRequest;
import com.huaweicloud.dis.iface.data.request.GetRecordsRequest;
import com.huaweicloud.dis.iface.data.request.PutRecordsRequest;
import com.huaweicloud.dis.iface.data.request.PutRecordsRequestEntry;
import com.huaweicloud.dis.iface.data.response.GetCheckpointResult;
import com.huaweicloud.dis.iface.data.response.GetRecordsResult;
import com.huaweicloud.dis.iface.data.response.PutRecordsResult;
import com.huaweicloud.dis.iface.data.response.Record;
import com.huaweicloud.dis.iface.stream.request.DescribeStreamRequest;
import com.huaweicloud.dis.iface.stream.response.DescribeStreamResult;
import com.huaweicloud.dis.iface.stream.response.PartitionResult;
import com.huaweicloud.dis.iface.transfertask.model.BatchTransferTask;
import com.huaweicloud.dis.iface.transfertask.request.BatchTransferTaskRequest;
import com.huaweicloud.dis.iface.transfertask.request.DescribeTransferTaskRequest;
import com.huaweicloud.dis.iface.transfertask.request.ListTransferTasksRquest;
import com.huaweicloud.dis.iface.transfertask.response.DescribeTransferTaskResult;
import com.huaweicloud.dis.iface.transfertask.response.ListTransferTasksResult;
import com.huaweicloud.dis.util.compress.CompressionType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The calls of the Java DIS SDK that several steps make, with the requests that they take. */
final class DisCalls {
    static final String STREAM = "java-dis";
    static final String APP = "java-app";
    static final String TASK = "java-task";
    static final String LAST_READ = "LAST_READ";
    static final List<String> IDS = List.of("shardId-0000000000", "shardId-0000000001", "shardId-0000000002");

    final DIS dis;
    private final Checks checks;

    DisCalls(Checks checks) {
        this.checks = checks;
        this.dis = new DISClient(config());
    }

    DISConfig config() {
        DISConfig config = new DISConfig()
                .setEndpoint(checks.setting("endpoint"))
                .setRegion(checks.setting("region"))
                .setAK(checks.setting("accessKey"))
                .setSK(checks.setting("secretKey"))
                .setProjectId(checks.setting("projectId"))
                .setBodySerializeType(DISConfig.BodySerializeType.valueOf(checks.setting("form")))
                // By default it takes any certificate.
                .setDefaultClientCertAuthEnabled(true);
        String compression = checks.setting("compression");
        if (!compression.equals("none")) {
            config.setBodyCompressEnabled(true).setBodyCompressType(CompressionType.valueOf(compression.toUpperCase()));
        }
        return config;
    }

    DescribeStreamResult describe(String after, int limit) {
        DescribeStreamRequest request = new DescribeStreamRequest();
        request.setStreamName(STREAM);
        request.setStartPartitionId(after);
        request.setLimitPartitions(limit);
        return dis.describeStream(request);
    }

    static List<String> partitionIds(DescribeStreamResult stream) {
        return stream.getPartitions().stream().map(PartitionResult::getPartitionId).collect(Collectors.toList());
    }

    /** Every way to choose a partition in turn. */
    static PutRecordsRequestEntry address(int index, byte[] payload) {
        if (index % 10 == 0) return entry(payload, "shardId-0000000001", null);
        if (index % 10 == 1) return entry(payload, "2", null);
        PutRecordsRequestEntry entry = entry(payload, null, "key-" + index % 37);
        if (index % 10 == 2) entry.setExplicitHashKey("0");
        return entry;
    }

    static PutRecordsRequestEntry entry(byte[] payload, String partition, String key) {
        PutRecordsRequestEntry entry = new PutRecordsRequestEntry();
        entry.setData(ByteBuffer.wrap(payload));
        entry.setPartitionId(partition);
        entry.setPartitionKey(key);
        return entry;
    }

    PutRecordsResult put(String stream, List<PutRecordsRequestEntry> entries) {
        PutRecordsRequest request = new PutRecordsRequest();
        request.setStreamName(stream);
        request.setRecords(entries);
        return dis.putRecords(request);
    }

    static GetPartitionCursorRequest cursorRequest(String stream, String partition, String type) {
        GetPartitionCursorRequest request = new GetPartitionCursorRequest();
        request.setStreamName(stream);
        request.setPartitionId(partition);
        request.setCursorType(type);
        return request;
    }

    GetRecordsResult read(String cursor) {
        GetRecordsRequest request = new GetRecordsRequest();
        request.setPartitionCursor(cursor);
        request.setLimit(150);
        return dis.getRecords(request);
    }

    List<String> readAll(String partition) {
        List<String> found = new ArrayList<>();
        String cursor = dis.getPartitionCursor(cursorRequest(STREAM, partition, "TRIM_HORIZON")).getPartitionCursor();
        for (;;) {
            GetRecordsResult result = read(cursor);
            if (result.getRecords().isEmpty()) return found;
            for (Record record : result.getRecords()) {
                byte[] bytes = new byte[record.getData().remaining()];
                record.getData().get(bytes);
                found.add(numbered(record.getSequenceNumber(), bytes));
            }
            cursor = result.getNextPartitionCursor();
        }
    }

    GetCheckpointResult checkpoint() {
        GetCheckpointRequest request = new GetCheckpointRequest();
        request.setAppName(APP);
        request.setStreamName(STREAM);
        request.setPartitionId(IDS.get(1));
        request.setCheckpointType(LAST_READ);
        return dis.getCheckpoint(request);
    }

    void commit(String number) {
        CommitCheckpointRequest request = new CommitCheckpointRequest();
        request.setAppName(APP);
        request.setStreamName(STREAM);
        request.setPartitionId(IDS.get(1));
        request.setCheckpointType(LAST_READ);
        request.setSequenceNumber(number);
        request.setMetadata("from java");
        dis.commitCheckpoint(request);
    }

    ListTransferTasksResult listTasks() {
        ListTransferTasksRquest request = new ListTransferTasksRquest();
        request.setStreamName(STREAM);
        request.setLimit(10);
        return dis.listTransferTasks(request);
    }

    DescribeTransferTaskResult showTask() {
        DescribeTransferTaskRequest request = new DescribeTransferTaskRequest();
        request.setStreamName(STREAM);
        request.setTransferTaskName(TASK);
        return dis.describeTransferTask(request);
    }

    /** Records that are in files. */
    long delivered() {
        return showTask().getPartitions().stream().mapToLong((at) -> at.getLastTransferOffset()).sum();
    }

    void change(String action) {
        BatchTransferTask task = new BatchTransferTask();
        task.setTaskId(showTask().getTransferTaskId());
        BatchTransferTaskRequest request = new BatchTransferTaskRequest();
        request.setStreamName(STREAM);
        request.setAction(action);
        request.setTransferTasks(List.of(task));
        dis.batchTransferTask(request);
    }
}
