package clients;

import static clients.Checks.*;

import com.huaweicloud.dis.DISClient;
import com.huaweicloud.dis.DISConfig;
import com.huaweicloud.dis.adapter.kafka.clients.consumer.ConsumerRecord;
import com.huaweicloud.dis.adapter.kafka.clients.consumer.ConsumerRecords;
import com.huaweicloud.dis.adapter.kafka.clients.consumer.DISKafkaConsumer;
import com.huaweicloud.dis.adapter.kafka.clients.consumer.internals.NoOpConsumerRebalanceListener;
import com.huaweicloud.dis.adapter.kafka.clients.producer.DISKafkaProducer;
import com.huaweicloud.dis.adapter.kafka.clients.producer.ProducerRecord;
import com.huaweicloud.dis.adapter.kafka.clients.producer.RecordMetadata;
import com.huaweicloud.dis.adapter.kafka.common.TopicPartition;
import com.huaweicloud.dis.adapter.kafka.common.serialization.StringDeserializer;
import com.huaweicloud.dis.adapter.kafka.common.serialization.StringSerializer;
import com.huaweicloud.dis.iface.stream.request.CreateStreamRequest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The Kafka adapter: a group of two consumers that share the partitions of a stream, hand them over when one leaves,
 * and read every record once. The adapter's heartbeat of ten seconds cannot be changed, so this takes its time.
 */
public final class KafkaGroup {
    private static final String STREAM = "kafka-adapter";
    private static final int PARTITIONS = 4;
    private static final int KEYS = 37;

    private final Checks checks;
    private final DISClient dis;

    private KafkaGroup(Checks checks) {
        this.checks = checks;
        this.dis = new DISClient(config());
    }

    public static void main(String[] arguments) throws Exception {
        new KafkaGroup(new Checks(arguments)).run();
        // The adapter keeps threads of its own.
        System.exit(0);
    }

    private void run() throws Exception {
        checks.step("create stream", () -> {
            CreateStreamRequest request = new CreateStreamRequest();
            request.setStreamName(STREAM);
            request.setPartitionCount(PARTITIONS);
            request.setStreamType(CreateStreamRequest.STREAM_TYPE_COMMON);
            dis.createStream(request);
        });
        Member first = new Member("group", (consumer) -> consumer.subscribe(List.of(STREAM)));
        checks.step("one consumer owns every partition", () -> owns(Map.of(first, PARTITIONS)));

        Member second = new Member("group", (consumer) -> consumer.subscribe(List.of(STREAM)));
        checks.step("a second consumer takes half", () -> owns(Map.of(first, PARTITIONS / 2, second, PARTITIONS / 2)));
        checks.step("produce records", () -> produce(0, RECORDS));
        checks.step("both consume every record once", () -> consumed(RECORDS, first, second));

        checks.step("commit and leave", second::leave);
        checks.step("the first takes over", () -> owns(Map.of(first, PARTITIONS)));
        checks.step("produce more records", () -> produce(RECORDS, 100));
        checks.step("it goes on where the other stopped", () -> consumed(RECORDS + 100, first, second));
        checks.step("the last one leaves", first::leave);

        Member again = new Member("group", (consumer) -> consumer.subscribe(List.of(STREAM)));
        checks.step("a new consumer finds the committed numbers", () -> {
            owns(Map.of(again, PARTITIONS));
            produce(RECORDS + 100, 10);
            consumed(10, again);
            again.leave();
        });
        Member byPattern = new Member("patterns",
                (consumer) -> consumer.subscribe(Pattern.compile("kafka-.*"), new NoOpConsumerRebalanceListener()));
        checks.step("a consumer by pattern reads everything", () -> {
            owns(Map.of(byPattern, PARTITIONS));
            consumed(RECORDS + 110, byPattern);
            byPattern.leave();
        });
    }

    private DISConfig config() {
        return new DISConfig()
                .setEndpoint(checks.setting("endpoint"))
                .setRegion(checks.setting("region"))
                .setAK(checks.setting("accessKey"))
                .setSK(checks.setting("secretKey"))
                .setProjectId(checks.setting("projectId"))
                // By default it takes any certificate.
                .setDefaultClientCertAuthEnabled(true);
    }

    private void produce(int from, int count) throws Exception {
        List<Future<RecordMetadata>> pending = new ArrayList<>();
        DISKafkaProducer<String, String> producer =
                new DISKafkaProducer<>(config(), new StringSerializer(), new StringSerializer());
        for (int index = from; index < from + count; index++) {
            String key = "key-" + index % KEYS;
            pending.add(producer.send(new ProducerRecord<>(STREAM, key, String.valueOf(index))));
        }
        for (Future<RecordMetadata> record : pending) {
            RecordMetadata at = record.get();
            if (at.partition() < 0 || at.partition() >= PARTITIONS) throw new AssertionError("stored in " + at);
        }
        producer.close();
    }

    /** The members own so many partitions each, and all of them together each partition once. */
    private static void owns(Map<Member, Integer> counts) throws Exception {
        eventually("partitions are assigned", 60, () -> {
            Set<TopicPartition> all = new HashSet<>();
            int sum = 0;
            for (Map.Entry<Member, Integer> at : counts.entrySet()) {
                at.getKey().mustBeAlive();
                Collection<TopicPartition> owned = at.getKey().owned;
                if (owned.size() != at.getValue()) return false;
                all.addAll(owned);
                sum += owned.size();
            }
            return sum == PARTITIONS && all.size() == PARTITIONS;
        });
    }

    /** The members have read so many records, none twice, and those of a key in order. */
    private static void consumed(int count, Member... members) throws Exception {
        eventually(count + " records are consumed", 60, () -> {
            int sum = 0;
            for (Member member : members) {
                member.mustBeAlive();
                sum += member.records.size();
            }
            return sum >= count;
        });
        List<ConsumerRecord<String, String>> all = new ArrayList<>();
        for (Member member : members) all.addAll(member.records);
        Set<Integer> indexes = new TreeSet<>();
        for (ConsumerRecord<String, String> record : all) indexes.add(Integer.valueOf(record.value()));
        equal(all.size(), count, "records in all");
        equal(indexes.size(), count, "different records");

        for (Member member : members) {
            Map<String, Integer> last = new TreeMap<>();
            for (ConsumerRecord<String, String> record : member.records) {
                int index = Integer.parseInt(record.value());
                Integer before = last.put(record.key(), index);
                if (before != null && before >= index) throw new AssertionError(index + " read after " + before);
            }
        }
    }

    /** A consumer and the thread that polls it: the adapter allows no other thread near it. */
    private final class Member {
        final ConcurrentLinkedQueue<ConsumerRecord<String, String>> records = new ConcurrentLinkedQueue<>();
        volatile Collection<TopicPartition> owned = List.of();
        private volatile boolean leaving;
        private volatile Throwable failure;
        private final Thread thread;

        Member(String group, Consumer<DISKafkaConsumer<String, String>> subscribe) {
            DISConfig config = config();
            config.set("group.id", group);
            config.set("auto.offset.reset", "earliest");
            config.set("enable.auto.commit", "false");
            thread = new Thread(() -> poll(config, subscribe));
            thread.setDaemon(true);
            thread.start();
        }

        void leave() throws Exception {
            leaving = true;
            thread.join(60_000);
            mustBeAlive();
            if (thread.isAlive()) throw new AssertionError("the consumer did not close");
        }

        void mustBeAlive() {
            if (failure != null) throw new AssertionError("the consumer failed: " + failure, failure);
        }

        private void poll(DISConfig config, Consumer<DISKafkaConsumer<String, String>> subscribe) {
            try {
                DISKafkaConsumer<String, String> consumer =
                        new DISKafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
                subscribe.accept(consumer);
                while (!leaving) {
                    ConsumerRecords<String, String> found = consumer.poll(200);
                    owned = consumer.assignment();
                    for (ConsumerRecord<String, String> record : found) records.add(record);
                    if (!found.isEmpty()) consumer.commitSync();
                }
                owned = List.of();
                consumer.close();
            } catch (Throwable thrown) {
                failure = thrown;
            }
        }
    }
}
