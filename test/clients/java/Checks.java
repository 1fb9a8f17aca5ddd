package clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/**
 * What the Java programs share: a step that reports itself, and the records that they put. A program prints one line
 * of JSON for each step, {"step", "ok", "error"}; the test reads nothing else. A failed step does not end the program.
 */
final class Checks {
    static final int PARTITIONS = 3;
    static final int RECORDS = 1000;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final JsonNode setting;

    Checks(String[] arguments) throws Exception {
        setting = JSON.readTree(arguments[0]);
    }

    String setting(String name) {
        return setting.get(name).asText();
    }

    interface Action {
        void run() throws Exception;
    }

    void step(String name, Action action) {
        ObjectNode report = JSON.createObjectNode().put("step", name).put("ok", true);
        try {
            action.run();
        } catch (Throwable failure) {
            StringBuilder told = new StringBuilder();
            for (Throwable at = failure; at != null; at = at.getCause()) {
                StackTraceElement[] trace = at.getStackTrace();
                told.append(at).append(trace.length == 0 ? "" : " at " + trace[0]).append("; ");
            }
            report.put("ok", false).put("error", told.toString());
        }
        System.out.println("\n" + report);
        System.out.flush();
    }

    static void equal(Object actual, Object expected, String what) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError(what + ": " + shorten(actual) + " instead of " + shorten(expected));
        }
    }

    private static String shorten(Object value) {
        String text = String.valueOf(value);
        return text.length() <= 300 ? text : text.substring(0, 300) + "…";
    }

    /** The call throws exactly this class, with the text in its message or in that of a cause. */
    static <T extends Throwable> T refused(Class<T> type, String text, Callable<?> call) throws Exception {
        Throwable thrown = null;
        try {
            call.call();
        } catch (Throwable failure) {
            thrown = failure;
        }
        if (thrown == null) throw new AssertionError("was not refused with " + text);
        for (Throwable at = thrown; at != null; at = at.getCause()) {
            if (thrown.getClass() == type && String.valueOf(at.getMessage()).contains(text)) return type.cast(thrown);
        }
        String wanted = type.getSimpleName() + " with " + text;
        throw new AssertionError("refused, but not as " + wanted + ": " + thrown, thrown);
    }

    static void eventually(String what, int seconds, Callable<Boolean> call) throws Exception {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        while (!call.call()) {
            if (System.nanoTime() > end) throw new AssertionError(what + ": not within " + seconds + " s");
            Thread.sleep(100);
        }
    }

    /** Bytes that are no text, and text that a form of transport may trip over, of very different sizes. */
    static byte[] payload(int index) {
        byte[] head = (index + " ü 数据 +/= \"\\\" & ").getBytes(StandardCharsets.UTF_8);
        byte[] bytes = Arrays.copyOf(head, head.length + index % 500);
        for (int at = head.length; at < bytes.length; at++) bytes[at] = (byte) (at * index);
        return bytes;
    }

    /** A record as it is compared: its number and its payload. */
    static String numbered(String number, byte[] payload) {
        return number + ":" + Base64.getEncoder().encodeToString(payload);
    }

    /** Of (partition, number) of each put record in order: the entries of each partition as they must be read. */
    static Map<String, List<String>> expectedOrder(List<String[]> results) {
        Map<String, List<String>> partitions = new TreeMap<>();
        for (int index = 0; index < results.size(); index++) {
            String[] at = results.get(index);
            List<String> entries = partitions.computeIfAbsent(at[0], (partition) -> new ArrayList<>());
            equal(at[1], String.valueOf(entries.size()), "number of the next record in " + at[0]);
            entries.add(numbered(at[1], payload(index)));
        }
        equal(partitions.size(), PARTITIONS, "partitions written to");
        return partitions;
    }
}
