import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Confluent Parallel Consumer in KEY order with a handler that sleeps: the same
 * job, check and measure as the Go arms of the suite "slow".
 *
 * Arguments: name=value for bootstrap, ca, user, password (a file; empty for
 * plaintext), topic, group, inflight, work (ms, may be a fraction), warmup,
 * window (s), keys, ends (records of each partition, comma-separated).
 */
public final class Arm {
    private final LongAdder handled = new LongAdder();
    private final LongAdder repeats = new LongAdder();
    private final LongAdder disorders = new LongAdder();
    private final AtomicLongArray[] seen; // a bit for each offset
    private final AtomicLongArray last; // by key: the highest offset that began, plus one
    private final AtomicIntegerArray busy; // by key
    private final long work; // ns

    private Arm(Properties p) {
        String[] ends = p.getProperty("ends").split(",");
        seen = new AtomicLongArray[ends.length];
        for (int i = 0; i < ends.length; i++) {
            seen[i] = new AtomicLongArray((int) (Long.parseLong(ends[i]) / 64 + 1));
        }
        int keys = Integer.parseInt(p.getProperty("keys"));
        last = new AtomicLongArray(keys);
        busy = new AtomicIntegerArray(keys);
        work = (long) (Double.parseDouble(p.getProperty("work")) * 1e6);
    }

    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        for (String arg : args) {
            int at = arg.indexOf('=');
            p.setProperty(arg.substring(0, at), arg.substring(at + 1));
        }
        new Arm(p).run(p);
    }

    private void run(Properties p) throws Exception {
        // The consumer is its argument and is closed with it.
        ParallelStreamProcessor<byte[], byte[]> processor = ParallelStreamProcessor.createEosStreamProcessor(
            ParallelConsumerOptions.<byte[], byte[]>builder()
                .consumer(new KafkaConsumer<>(consumer(p)))
                .ordering(ProcessingOrder.KEY)
                .maxConcurrency(Integer.parseInt(p.getProperty("inflight")))
                .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS) // its default, and its fastest
                .commitInterval(Duration.ofSeconds(1)) // as everybody's; 5 s by default
                .build());
        processor.subscribe(List.of(p.getProperty("topic")));
        processor.poll(context -> handle(context.getSingleConsumerRecord()));
        while (handled.sum() == 0) {
            Thread.sleep(1);
        }
        Thread.sleep(seconds(p, "warmup"));
        long count = handled.sum(), cpu = cpu(), at = System.nanoTime();
        Thread.sleep(seconds(p, "window"));
        count = handled.sum() - count;
        cpu = cpu() - cpu;
        double took = (System.nanoTime() - at) / 1e9;
        System.out.println(String.format(Locale.ROOT,
            "result: {\"rate\": %f, \"cpu\": %f, \"rss\": %f, \"repeats\": %d, \"disorders\": %d}",
            count / took, cpu / 1e9 / Math.max(count, 1) * 1e6, peakMiB(), repeats.sum(), disorders.sum()));
        System.out.flush();
        Runtime.getRuntime().halt(0); // what it has left to commit is not measured
    }

    private void handle(ConsumerRecord<byte[], byte[]> r) {
        long bit = 1L << (r.offset() % 64);
        if ((seen[r.partition()].getAndAccumulate((int) (r.offset() / 64), bit, (a, b) -> a | b) & bit) != 0) {
            repeats.increment();
        }
        int key = ByteBuffer.wrap(r.value()).getInt();
        if (busy.getAndSet(key, 1) != 0 || last.getAndSet(key, r.offset() + 1) > r.offset()) {
            disorders.increment();
        }
        try {
            Thread.sleep(work / 1_000_000, (int) (work % 1_000_000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        busy.set(key, 0);
        handled.increment();
    }

    private static Properties consumer(Properties p) throws Exception {
        Properties c = new Properties();
        c.put("bootstrap.servers", p.getProperty("bootstrap"));
        c.put("group.id", p.getProperty("group"));
        c.put("key.deserializer", ByteArrayDeserializer.class.getName());
        c.put("value.deserializer", ByteArrayDeserializer.class.getName());
        c.put("auto.offset.reset", "earliest");
        c.put("enable.auto.commit", "false"); // it commits by itself and refuses otherwise
        c.put("max.poll.records", "5000"); // 500 by default
        if (p.getProperty("ca").isEmpty()) {
            return c;
        }
        c.put("security.protocol", "SASL_SSL");
        c.put("ssl.truststore.type", "PEM");
        c.put("ssl.truststore.location", p.getProperty("ca"));
        c.put("sasl.mechanism", "SCRAM-SHA-512");
        c.put("sasl.jaas.config", String.format(
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";",
            p.getProperty("user"), Files.readString(Path.of(p.getProperty("password")))));
        return c;
    }

    private static long seconds(Properties p, String name) {
        return (long) (Double.parseDouble(p.getProperty(name)) * 1000);
    }

    private static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static double peakMiB() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024;
            }
        }
        return 0;
    }
}
