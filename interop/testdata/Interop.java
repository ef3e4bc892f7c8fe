import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's Java clients with Apache Avro, driven line by line. Fields are
 * separated by tabs, bytes are in base64, and a minus stands for null.
 *
 * place COUNTS                          stdin: a key a line; stdout: its partitions
 * read  PROPERTIES REGISTRY N TOPICS    stdout: the first N committed records
 * write PROPERTIES REGISTRY TOPIC       stdin: records, see write
 */
public final class Interop {
    private static final int PARTITIONS = 3;
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "place" -> place(args[1]);
            case "read" -> read(args[1], args[2], Integer.parseInt(args[3]), args[4]);
            case "write" -> write(args[1], args[2], args[3]);
            default -> throw new IllegalArgumentException(args[0]);
        }
        OUT.flush();
    }

    private static BufferedReader stdin() {
        return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    }

    private static byte[] bytes(String s) {
        return s.equals("-") ? null : Base64.getDecoder().decode(s);
    }

    private static String text(byte[] b) {
        return b == null ? "-" : Base64.getEncoder().encodeToString(b);
    }

    private static void print(String... fields) {
        OUT.println("=\t" + String.join("\t", fields));
    }

    private static Properties properties(String file) throws Exception {
        Properties p = new Properties();
        try (FileReader in = new FileReader(file, StandardCharsets.UTF_8)) {
            p.load(in);
        }
        return p;
    }

    private static JsonNode ask(String url) throws Exception {
        HttpResponse<String> answer = HTTP.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(url + " answers " + answer.statusCode() + " " + answer.body());
        }
        return JSON.readTree(answer.body());
    }

    private static void place(String counts) throws Exception {
        int[] partitions = Arrays.stream(counts.split(",")).mapToInt(Integer::parseInt).toArray();
        BufferedReader in = stdin();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            byte[] key = bytes(line);
            List<String> places = new ArrayList<>();
            for (int n : partitions) {
                places.add(Integer.toString(BuiltInPartitioner.partitionForKey(key, n)));
            }
            print(places.toArray(new String[0]));
        }
    }

    private static void read(String file, String registry, int n, String topics) throws Exception {
        Properties p = properties(file);
        p.put("isolation.level", "read_committed");
        p.put("auto.offset.reset", "earliest");
        Map<Integer, Schema> schemas = new HashMap<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = new ArrayList<>();
            for (String topic : topics.split(",")) {
                for (int i = 0; i < PARTITIONS; i++) {
                    all.add(new TopicPartition(topic, i));
                }
            }
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long over = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            int got = 0;
            while (got < n && System.nanoTime() < over) {
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
                    got++;
                    List<String> fields = new ArrayList<>(List.of(r.topic(), "" + r.partition(), "" + r.offset(), text(r.key())));
                    fields.addAll(decode(registry, schemas, r.value()));
                    for (Header h : r.headers()) {
                        fields.add(h.key());
                        fields.add(text(h.value()));
                    }
                    print(fields.toArray(new String[0]));
                }
            }
        }
    }

    /** The order's id and amount: a zero byte, the schema's id, and Avro. */
    private static List<String> decode(String registry, Map<Integer, Schema> schemas, byte[] value) throws Exception {
        if (value == null) {
            return List.of("-", "-");
        }
        ByteBuffer b = ByteBuffer.wrap(value);
        if (b.get() != 0) {
            throw new IllegalStateException("the value does not begin with a zero byte");
        }
        int id = b.getInt();
        if (!schemas.containsKey(id)) {
            schemas.put(id, new Schema.Parser().parse(ask(registry + "/schemas/ids/" + id).get("schema").asText()));
        }
        GenericRecord order = new GenericDatumReader<GenericRecord>(schemas.get(id))
            .read(null, DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null));
        return List.of(text(order.get("order_id").toString().getBytes(StandardCharsets.UTF_8)), order.get("amount").toString());
    }

    /**
     * A line: the compression; plain, commit or abort; the key; the order's id,
     * null for a tombstone; its amount; then names and values of headers. Lines
     * with equal first two fields are one producer's, and one transaction.
     */
    private static void write(String file, String registry, String topic) throws Exception {
        JsonNode latest = ask(registry + "/subjects/" + topic + "-value/versions/latest");
        Schema schema = new Schema.Parser().parse(latest.get("schema").asText());
        int id = latest.get("id").asInt();
        String kind = "";
        KafkaProducer<byte[], byte[]> producer = null;
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        BufferedReader in = stdin();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] f = line.split("\t");
            if (!kind.equals(f[0] + " " + f[1])) {
                end(producer, kind, sent);
                kind = f[0] + " " + f[1];
                producer = begin(file, f[0], f[1]);
            }
            byte[] value = f[3].equals("-") ? null : encode(schema, id, new String(bytes(f[3]), StandardCharsets.UTF_8), Long.parseLong(f[4]));
            ProducerRecord<byte[], byte[]> r = new ProducerRecord<>(topic, bytes(f[2]), value);
            for (int i = 5; i < f.length; i += 2) {
                r.headers().add(f[i], bytes(f[i + 1]));
            }
            sent.add(producer.send(r));
        }
        end(producer, kind, sent);
    }

    private static byte[] encode(Schema schema, int id, String orderID, long amount) throws Exception {
        GenericRecord order = new GenericData.Record(schema);
        order.put("order_id", orderID);
        order.put("amount", amount);
        ByteArrayOutputStream b = new ByteArrayOutputStream();
        b.write(0);
        b.write(ByteBuffer.allocate(4).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(b, null);
        new GenericDatumWriter<GenericRecord>(schema).write(order, encoder);
        encoder.flush();
        return b.toByteArray();
    }

    private static KafkaProducer<byte[], byte[]> begin(String file, String codec, String mode) throws Exception {
        Properties p = properties(file);
        p.put("compression.type", codec);
        p.put("linger.ms", "20");
        if (!mode.equals("plain")) {
            p.put("transactional.id", "interop-java");
        }
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
        if (!mode.equals("plain")) {
            producer.initTransactions();
            producer.beginTransaction();
        }
        return producer;
    }

    private static void end(KafkaProducer<byte[], byte[]> producer, String kind, List<Future<RecordMetadata>> sent) throws Exception {
        if (producer == null) {
            return;
        }
        producer.flush();
        for (Future<RecordMetadata> f : sent) {
            f.get();
        }
        sent.clear();
        if (kind.endsWith("commit")) {
            producer.commitTransaction();
        } else if (kind.endsWith("abort")) {
            producer.abortTransaction();
        }
        producer.close();
    }
}
