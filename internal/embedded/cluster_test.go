package embedded_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAContractsReplicationHoldsAsOnARealCluster(t *testing.T) {
	t.Parallel()
	a := adminOf(t, start(t, embedded.Config{}))
	if err := a.topic("orders", 3); err != nil {
		t.Errorf("a topic with 3 replicas on 3 brokers: %v", err)
	}
	if err := a.topic("wide", 4); !errors.Is(err, kerr.InvalidReplicationFactor) {
		t.Errorf("a topic with 4 replicas on 3 brokers: %v, want %v", err, kerr.InvalidReplicationFactor)
	}
}

func TestAUserMayDoWhatItsACLsSayAndNothingElse(t *testing.T) {
	t.Parallel()
	c := start(t, embedded.Config{})
	a := adminOf(t, c)
	for _, topic := range []string{"orders", "payments"} {
		a.check("create topic", 0, a.topic(topic, 3))
	}
	login := embedded.Login{User: "svc-shop-dev", Password: c.Password("svc-shop-dev")}
	a.user(login)
	a.allow(login.User, kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationWrite)
	a.allow(login.User, kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationRead)
	a.allow(login.User, kmsg.ACLResourceTypeGroup, "svc-shop-dev", kmsg.ACLOperationRead)

	ctx := within(t, time.Minute)
	own := client(t, c, login, kgo.ConsumerGroup("svc-shop-dev"), kgo.ConsumeTopics("orders"))
	if err := own.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("placed")}).FirstErr(); err != nil {
		t.Fatalf("produce to orders: %v", err)
	}
	got := own.PollFetches(ctx)
	if got.Err() != nil || got.NumRecords() != 1 {
		t.Fatalf("consume orders: %d records, %v", got.NumRecords(), got.Err())
	}
	err := own.ProduceSync(ctx, &kgo.Record{Topic: "payments", Value: []byte("paid")}).FirstErr()
	if !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("produce to payments: %v, want %v", err, kerr.TopicAuthorizationFailed)
	}
	foreign := client(t, c, login, kgo.ConsumerGroup("svc-other-dev"), kgo.ConsumeTopics("orders"))
	if err := foreign.PollFetches(ctx).Err(); !errors.Is(err, kerr.GroupAuthorizationFailed) {
		t.Errorf("join another service's group: %v, want %v", err, kerr.GroupAuthorizationFailed)
	}
}

func TestNoTopicIsCreatedByAccident(t *testing.T) {
	t.Parallel()
	c := start(t, embedded.Config{})
	cl := client(t, c, c.Admin(), kgo.UnknownTopicRetries(0), kgo.AllowAutoTopicCreation())
	err := cl.ProduceSync(within(t, 20*time.Second), &kgo.Record{Topic: "misspelt"}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("produce to a topic that is not there: %v, want %v", err, kerr.UnknownTopicOrPartition)
	}
}

func TestARefusedLoginSaysSo(t *testing.T) {
	t.Parallel()
	c := start(t, embedded.Config{})
	for name, login := range map[string]embedded.Login{
		"wrong password": {User: "admin", Password: "guess"},
		"no such user":   {User: "svc-nobody-dev", Password: "guess"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Ping(t.Context(), login); !errors.Is(err, diag.EmbeddedLoginRefused) {
				t.Errorf("Ping = %v, want %s", err, diag.EmbeddedLoginRefused)
			}
		})
	}
}

func TestATakenPortIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	for name, cfg := range map[string]embedded.Config{
		"broker":   {Ports: []int{taken}},
		"registry": {RegistryPort: taken},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := embedded.Start(t.Context(), cfg)
			if !errors.Is(err, diag.EmbeddedPort) {
				t.Errorf("Start = %v, want %s", err, diag.EmbeddedPort)
			}
		})
	}
}

func TestTheRegistryIsReachedWithTheClustersAuthorityAlone(t *testing.T) {
	t.Parallel()
	c := start(t, embedded.Config{})
	access := c.Registry()
	text := schema.Text{Format: "avro", Schema: `{"type":"record","name":"Placed","fields":[]}`}

	admin := registryAdmin(t, c, access.Admin)
	id, err := admin.Register(t.Context(), "orders-value", text)
	if err != nil {
		t.Fatalf("Register as admin: %v", err)
	}
	reader := registryAdmin(t, c, access.Reader)
	if got, err := reader.Text(t.Context(), id); err != nil || !got.Equal(text) {
		t.Errorf("Text as reader = %v, %v, want %v", got, err, text)
	}
	if _, err := reader.Register(t.Context(), "other-value", text); !errors.Is(err, schema.ErrUnauthorized) {
		t.Errorf("Register as reader = %v, want %v", err, schema.ErrUnauthorized)
	}
	if _, err := http.Get(access.URL + "/subjects"); err == nil {
		t.Error("a client without the authority was served")
	}
}

func registryAdmin(t *testing.T, c *embedded.Cluster, credential string) *schema.Admin {
	t.Helper()
	a, err := schema.NewAdmin(schema.ClientConfig{
		URL:         c.Registry().URL,
		Credentials: func() (string, error) { return credential, nil },
		Dial:        c.Dial,
		TLS:         c.TLS(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func TestACancelledStartLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := embedded.Start(ctx, embedded.Config{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Start = %v, want %v", err, context.Canceled)
	}
	start(t, embedded.Config{Dir: dir})
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		c, err := embedded.Start(b.Context(), embedded.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
