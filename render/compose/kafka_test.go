//go:build kafka

package compose_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/slipway-go/slipway/pki/depot"
)

const (
	containers      = "kafka-1:9095,kafka-2:9095,kafka-3:9095"
	containersSCRAM = "kafka-1:9096,kafka-2:9096,kafka-3:9096"
	published       = "localhost:29093,localhost:29193,localhost:29293"
)

// TestBrokersStartWithWhatIsRendered starts three real nodes with the files of the
// project and certificates of slipway pki. Its parts share the cluster: the last one
// breaks it.
func TestBrokersStartWithWhatIsRendered(t *testing.T) {
	m := newMachine(t)
	admin := m.client(t, containers, m.certificate(t, depot.Admin, "admin-prod"), kgo.RequestRetries(0))
	m.await(t, admin)
	adm := kadm.NewClient(admin)
	m.prepare(t, adm)

	t.Run("the health check of a container succeeds", func(t *testing.T) { m.healthy(t) })
	t.Run("the agent tells metrics", m.metrics)
	t.Run("nobody comes in without TLS, or without saying who it is", m.refusals)
	t.Run("a certificate writes what an ACL allows, and nothing else", func(t *testing.T) {
		cert := m.certificate(t, depot.Client, "svc-minimal-prod")
		cl := m.client(t, containers, cert, reads("by-mtls"))
		rights(t, cl, "by-mtls")
		// The same at the ports that are published at localhost, which is what
		// brokers tell clients there to dial.
		rights(t, m.client(t, published, cert, reads("by-mtls")), "by-mtls")
	})
	t.Run("a password writes what an ACL allows, and nothing else", func(t *testing.T) {
		auth := scram.Auth{User: "svc-scram-prod", Pass: "right"}
		rights(t, m.client(t, containersSCRAM, nil, reads("by-scram"), kgo.SASL(auth.AsSha512Mechanism())), "by-scram")
	})
	t.Run("codecs are unpacked in /tmp, which is why it is exec", func(t *testing.T) {
		cl := m.client(t, containers, m.certificate(t, depot.Client, "svc-minimal-prod"), kgo.ProducerBatchCompression(kgo.SnappyCompression()))
		if err := write(t, cl, "by-mtls"); err != nil {
			t.Fatal(err)
		}
		if found, err := filepath.Glob(filepath.Join(m.dir, "run", "*", "tmp", "snappy-*.so")); err != nil || len(found) == 0 {
			t.Errorf("no broker has unpacked snappy: %v", err)
		}
	})
	t.Run("topics appear by nobody's writing", func(t *testing.T) {
		if err := write(t, m.client(t, containers, m.certificate(t, depot.Admin, "admin-prod"), kgo.UnknownTopicRetries(1)), "unheard-of"); !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("writing to a topic that nobody made: %v, want %v", err, kerr.UnknownTopicOrPartition)
		}
	})
	t.Run("one node is killed, and writing goes on", func(t *testing.T) {
		cl := m.client(t, containers, m.certificate(t, depot.Client, "svc-minimal-prod"))
		if err := write(t, cl, "by-mtls"); err != nil {
			t.Fatal(err)
		}
		topics, err := adm.ListTopics(t.Context(), "by-mtls")
		if err != nil {
			t.Fatal(err)
		}
		leader := fmt.Sprintf("kafka-%d", topics["by-mtls"].Partitions[0].Leader)
		m.nodes[leader].Kill()
		if log := m.logs[leader].String(); !strings.Contains(log, "Kafka Server started (kafka.server.") {
			t.Errorf("%s has not logged to its output: %s", leader, tail(log, 500))
		}
		began := time.Now()
		if err := write(t, cl, "by-mtls"); err != nil {
			t.Errorf("write after the leader was killed: %v", err)
		}
		t.Logf("the first write after the leader was killed took %.1f s", time.Since(began).Seconds())
	})
}

func reads(topic string) kgo.Opt {
	return kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}})
}

// await returns when all three brokers are in the cluster.
func (m *machine) await(t *testing.T, cl *kgo.Client) {
	t.Helper()
	adm := kadm.NewClient(cl)
	began := time.Now()
	for ctx := t.Context(); ; {
		bounded, cancel := context.WithTimeout(ctx, 3*time.Second)
		brokers, err := adm.ListBrokers(bounded)
		cancel()
		if err == nil && len(brokers) == len(nodes) {
			t.Logf("three brokers answer after %.1f s", time.Since(began).Seconds())
			return
		}
		if time.Since(began) > 3*time.Minute {
			t.Fatalf("the brokers are not there: %d of them, %v", len(brokers), err)
		}
		<-time.After(200 * time.Millisecond)
	}
}

// prepare makes topics, a user with a password, and rights.
func (m *machine) prepare(t *testing.T, adm *kadm.Client) {
	t.Helper()
	ctx := t.Context()
	for _, topic := range []string{"by-mtls", "by-scram", "secret"} {
		if _, err := adm.CreateTopic(ctx, 1, -1, nil, topic); err != nil {
			t.Fatalf("create %s: %v", topic, err)
		}
	}
	if _, err := adm.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "svc-scram-prod", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: "right"}}); err != nil {
		t.Fatal(err)
	}
	for user, topic := range map[string]string{"svc-minimal-prod": "by-mtls", "svc-scram-prod": "by-scram"} {
		acl := kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpRead, kadm.OpWrite).Allow("User:" + user).AllowHosts()
		if _, err := adm.CreateACLs(ctx, acl); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, cl *kgo.Client, topic string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	// Long enough to be smaller compressed: what is not is sent as it is.
	return cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: bytes.Repeat([]byte("v"), 1000)}).FirstErr()
}

// rights writes and reads the topic that is allowed, and is refused another.
func rights(t *testing.T, cl *kgo.Client, topic string) {
	t.Helper()
	if err := write(t, cl, topic); err != nil {
		t.Fatalf("write %s: %v", topic, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if got := cl.PollFetches(ctx); got.Err() != nil || got.NumRecords() == 0 {
		t.Errorf("read %s: %d records, %v", topic, got.NumRecords(), got.Err())
	}
	if err := write(t, cl, "secret"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("write to a topic without an ACL: %v, want %v", err, kerr.TopicAuthorizationFailed)
	}
}

// refusals are logins that must fail.
func (m *machine) refusals(t *testing.T) {
	plain, err := kgo.NewClient(kgo.SeedBrokers("kafka-1:9095"), kgo.Dialer(m.dial), kgo.RequestRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plain.Close)
	wrong, unsalted := scram.Auth{User: "svc-scram-prod", Pass: "wrong"}, scram.Auth{User: "svc-scram-prod", Pass: "right"}
	for name, cl := range map[string]*kgo.Client{
		"without TLS":                           plain,
		"without a certificate":                 m.client(t, "kafka-1:9095", nil, kgo.RequestRetries(0)),
		"without a certificate, from outside":   m.client(t, "localhost:29093", nil, kgo.RequestRetries(0)),
		"without a certificate, as a broker":    m.client(t, "kafka-1:9091", nil, kgo.RequestRetries(0)),
		"without a certificate, to controllers": m.client(t, "kafka-1:9090", nil, kgo.RequestRetries(0)),
		"without a password":                    m.client(t, "kafka-1:9096", nil, kgo.RequestRetries(0)),
		"with a wrong password":                 m.client(t, "kafka-1:9096", nil, kgo.RequestRetries(0), kgo.SASL(wrong.AsSha512Mechanism())),
		"by a mechanism that is off":            m.client(t, "kafka-1:9096", nil, kgo.RequestRetries(0), kgo.SASL(unsalted.AsSha256Mechanism())),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := cl.Ping(ctx); err == nil {
				t.Error("it was let in")
			} else if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it was not refused, but left without an answer: %v", err)
			}
		})
	}
}

// healthy runs the very command that the container is judged by.
func (m *machine) healthy(t *testing.T) {
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), filepath.Join(m.dir, "bin", "kafka-broker-api-versions.sh"), "--bootstrap-server", "kafka-2:9095", "--command-config", "health.properties")
	cmd.Dir = filepath.Join(m.dir, "run", "kafka-2")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("health check: %v\n%s", err, tail(string(out), 2000))
	}
	t.Logf("a health check took %.1f s", time.Since(began).Seconds())
}

// metrics asks the agent in a broker, if there is one.
func (m *machine) metrics(t *testing.T) {
	if os.Getenv(agentVariable) == "" {
		t.Skip(agentVariable + " names no jar of the JMX exporter")
	}
	resp, err := http.Get("http://" + m.names["kafka-1"] + ":9404/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kafka_server_brokertopicmetrics_messagesin_total", "kafka_server_replicamanager_underreplicatedpartitions", "kafka_network_request_total_time_ms", "kafka_server_raft_current_leader"} {
		if !strings.Contains(string(body), "\n"+name) {
			t.Errorf("there is no metric %s", name)
		}
	}
}
