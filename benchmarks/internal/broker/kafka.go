package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/proc"
	"github.com/slipway-go/slipway/pki"
)

const (
	kafkaVersion = "4.3.1"
	startTimeout = time.Minute
	stopGrace    = 5 * time.Second
)

// properties are a single node's. What is not Kafka's default is what one node
// needs (replication 1, a quorum of itself), the two listeners, and joining a
// group without the three seconds' wait for further members, which no arm has.
const properties = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[1]d
log.dirs=%[4]s/data
listeners=SECURE://127.0.0.1:%[2]d,PLAINTEXT://127.0.0.1:%[3]d,CONTROLLER://127.0.0.1:%[1]d
advertised.listeners=SECURE://127.0.0.1:%[2]d,PLAINTEXT://127.0.0.1:%[3]d
listener.security.protocol.map=SECURE:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
ssl.keystore.type=PEM
ssl.keystore.location=%[4]s/keystore.pem
ssl.enabled.protocols=TLSv1.3,TLSv1.2
listener.name.secure.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=3
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
`

// StartKafka starts one node of Apache Kafka in KRaft mode from the jars that
// slipway dev fetched into the user's cache.
func StartKafka(ctx context.Context, dir string) (*Broker, error) {
	jars, err := Jars()
	if err != nil {
		return nil, err
	}
	ports, err := FreePorts(3)
	if err != nil {
		return nil, err
	}
	authority, err := prepare(dir, ports)
	if err != nil {
		return nil, fmt.Errorf("prepare Kafka: %w", err)
	}
	password := rand.Text()
	run := kafka{dir: dir, jars: jars}
	if err := run.format(ctx, password); err != nil {
		return nil, fmt.Errorf("format Kafka's storage: %w", err)
	}
	b := &Broker{Name: "Apache Kafka " + kafkaVersion}
	if b.Endpoint, err = writeEndpoint(dir, fmt.Sprintf("127.0.0.1:%d", ports[1]), authority.PEM(), password); err != nil {
		return nil, err
	}
	b.Endpoint.Plaintext = fmt.Sprintf("127.0.0.1:%d", ports[2])
	node, err := run.start()
	if err != nil {
		return nil, err
	}
	b.close = func() error { node.Kill(); return nil }
	if err := await(ctx, b.Endpoint, node); err != nil {
		node.Kill()
		return nil, fmt.Errorf("start Kafka: %w; see %s", err, run.log())
	}
	return b, nil
}

// Jars is the directory of Kafka's jars, which slipway dev has fetched.
func Jars() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	jars := filepath.Join(cache, "slipway", "kafka-"+kafkaVersion)
	if _, err := os.Stat(jars); err != nil {
		return "", fmt.Errorf("no Kafka in %s: run slipway dev up once, it fetches it", jars)
	}
	return jars, nil
}

// FreePorts are ports of the loopback that nobody listens on.
func FreePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // when all are chosen, so that they differ
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// prepare writes the node's settings and its certificate.
func prepare(dir string, ports []int) (*pki.Authority, error) {
	authority, err := pki.NewAuthority("slipway benchmark CA", time.Now())
	if err != nil {
		return nil, err
	}
	cert, err := authority.Issue(pki.Request{
		CommonName: "broker", Usage: pki.Peer, DNSNames: []string{"localhost"}, IPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
	})
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(properties, ports[0], ports[1], ports[2], dir)
	return authority, errors.Join(
		os.WriteFile(filepath.Join(dir, "keystore.pem"), slices.Concat(cert.KeyPEM(), cert.PEM()), 0o600),
		os.WriteFile(filepath.Join(dir, "server.properties"), []byte(text), 0o600),
	)
}

// kafka is how the node's programs are run.
type kafka struct{ dir, jars string }

func (k kafka) log() string { return filepath.Join(k.dir, "kafka.log") }

// config runs a main class. The node has its own log file and both compilers.
func (k kafka) config(heap, class string, args ...string) proc.Config {
	return proc.Config{
		Path: "java", Dir: k.dir,
		Args: append([]string{heap, "-cp", filepath.Join(k.jars, "*"), class}, args...),
	}
}

func (k kafka) format(ctx context.Context, password string) error {
	cfg := k.config("-Xmx256m", "kafka.tools.StorageTool", "format", "-t", clusterID(), "-c", "server.properties",
		"--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", user, password))
	var out strings.Builder
	cfg.Output = func(line string) { out.WriteString(line + "\n") }
	if err := proc.Run(ctx, cfg, stopGrace); err != nil {
		return fmt.Errorf("%w\n%s", err, out.String())
	}
	return nil
}

// clusterID is 16 bytes as Kafka writes them: 22 characters of base64.
func clusterID() string { return rand.Text()[:21] + "A" }

func (k kafka) start() (*proc.Process, error) {
	log, err := os.Create(k.log())
	if err != nil {
		return nil, err
	}
	cfg := k.config("-Xmx1g", "kafka.Kafka", "server.properties")
	cfg.Output = func(line string) { _, _ = fmt.Fprintln(log, line) }
	return proc.Start(cfg)
}

// await returns when the node answers to a login.
func await(ctx context.Context, e Endpoint, node *proc.Process) error {
	opts, err := e.Options()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if err = client.Ping(ctx); err == nil {
			return nil
		}
		select {
		case <-node.Done():
			return errors.New("it ended by itself")
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
