package kafka_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// requireDone fails on the first error of a batch.
func requireDone(t testing.TB, errs []error, want int) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if len(errs) != want {
		t.Fatalf("%d answers for %d items", len(errs), want)
	}
}

func TestTopicsAreCreatedOnceAndReadBack(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	var want []kafka.Topic
	var names []string
	for i := range 2*kafka.MaxBatch + 7 {
		name := fmt.Sprintf("topic.t%d.v1", i)
		names = append(names, name)
		want = append(want, kafka.Topic{Name: name, Partitions: 1 + i%3, Replicas: 3, Configs: map[string]string{kafka.RetentionMillis: "86400000"}})
	}
	for range 2 {
		requireDone(t, c.CreateTopics(t.Context(), want), len(want))
	}
	got, err := c.Topics(t.Context(), append(names, "topic.absent.v1")...)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d topics, want %d", len(got), len(want))
	}
	for _, w := range want {
		g := got[w.Name]
		if g.Partitions != w.Partitions || g.Replicas != w.Replicas || g.Configs[kafka.RetentionMillis] != "86400000" {
			t.Fatalf("topic is %+v, want %+v", g, w)
		}
		if g.Configs[kafka.CleanupPolicy] != "delete" {
			t.Fatalf("the settings in effect lack the broker's defaults: %v", g.Configs)
		}
	}
}

func TestATopicIsSeenAsSoonAsItIsMade(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	for want := range 4 {
		topic := kafka.Topic{Name: "a.b.v1", Partitions: want, Replicas: 1}
		switch {
		case want == 1:
			requireDone(t, c.CreateTopics(t.Context(), []kafka.Topic{topic}), 1)
		case want > 1:
			requireDone(t, c.GrowTopics(t.Context(), []kafka.Topic{topic}), 1)
		}
		got, err := c.Topics(t.Context(), "a.b.v1")
		if err != nil || got["a.b.v1"].Partitions != want {
			t.Fatalf("topic is %+v, %v, want %d partitions", got["a.b.v1"], err, want)
		}
	}
}

func TestTopicsGrowAndAreReconfigured(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	requireDone(t, c.CreateTopics(t.Context(), []kafka.Topic{{Name: "a.b.v1", Partitions: 2, Replicas: 1, Configs: map[string]string{kafka.MaxMessageBytes: "2097152"}}}), 1)
	for range 2 {
		requireDone(t, c.GrowTopics(t.Context(), []kafka.Topic{{Name: "a.b.v1", Partitions: 5}}), 1)
		requireDone(t, c.SetConfigs(t.Context(), []kafka.Topic{{Name: "a.b.v1", Configs: map[string]string{kafka.RetentionMillis: "-1"}}}), 1)
	}
	topics, err := c.Topics(t.Context(), "a.b.v1")
	if err != nil {
		t.Fatal(err)
	}
	got := topics["a.b.v1"]
	if got.Partitions != 5 || got.Configs[kafka.RetentionMillis] != "-1" || got.Configs[kafka.MaxMessageBytes] != "2097152" {
		t.Errorf("topic is %+v, want 5 partitions, retention -1 and the rest as it was", got)
	}
}

func TestOneRefusedItemDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	requireDone(t, c.CreateTopics(t.Context(), []kafka.Topic{{Name: "a.good.v1", Partitions: 1, Replicas: 1}}), 1)
	errs := c.CreateTopics(t.Context(), []kafka.Topic{
		{Name: "a.new.v1", Partitions: 1, Replicas: 1},
		{Name: "a_good.v1", Partitions: 1, Replicas: 1}, // collides with the one that is there
		{Name: "a.fine.v1", Partitions: 1, Replicas: 1},
	})
	if errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], diag.KafkaRefused) {
		t.Errorf("errors are %v, want %s for the second alone", errs, diag.KafkaRefused)
	}
	errs = c.GrowTopics(t.Context(), []kafka.Topic{{Name: "a.good.v1", Partitions: 3}, {Name: "a.absent.v1", Partitions: 3}})
	if errs[0] != nil || !errors.Is(errs[1], diag.KafkaRefused) {
		t.Errorf("errors are %v, want %s for the second alone", errs, diag.KafkaRefused)
	}
}

func TestACLsAreGrantedOnceAndReadBack(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	want := []acl.Binding{
		{Principal: "User:a", ResourceType: acl.Group, Name: "a", Pattern: acl.Literal, Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost},
		{Principal: "User:a", ResourceType: acl.Topic, Name: "t", Pattern: acl.Literal, Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost},
		{Principal: "User:a", ResourceType: acl.TransactionalID, Name: "a.", Pattern: acl.Prefixed, Operation: acl.Write, Permission: acl.Allow, Host: acl.AnyHost},
		{Principal: "User:b", ResourceType: acl.Cluster, Name: "kafka-cluster", Pattern: acl.Literal, Operation: "DESCRIBE_CONFIGS", Permission: acl.Deny, Host: "10.0.0.1"},
	}
	for range 2 {
		requireDone(t, c.Grant(t.Context(), want), len(want))
	}
	got, err := c.ACLs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, acl.Binding.Compare)
	slices.SortFunc(want, acl.Binding.Compare)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("ACLs (-want +got):\n%s", diff)
	}
}

func TestAClusterWithoutAuthorizerSaysSo(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t)
	fake.ControlKey(int16(kmsg.DescribeACLs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
		resp.ErrorCode = kerr.SecurityDisabled.Code
		return resp, nil, true
	})
	_, err := connect(t, cfg).ACLs(t.Context())
	if d := diag.Of(err); len(d) != 1 || d[0].Code != diag.KafkaRefused || !strings.Contains(d[0].Fix, "authorizer.class.name") {
		t.Errorf("ACLs() = %v, want what to configure", err)
	}
}

// TestManyPartitionsAreAskedForInParts holds that no request comes near the
// number of partitions that brokers refuse.
func TestManyPartitionsAreAskedForInParts(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t)
	var asked []int
	fake.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		partitions := 0
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, topic := range req.(*kmsg.CreateTopicsRequest).Topics {
			partitions += int(topic.NumPartitions)
			done := kmsg.NewCreateTopicsResponseTopic()
			done.Topic = topic.Topic
			resp.Topics = append(resp.Topics, done)
		}
		asked = append(asked, partitions)
		return resp, nil, true
	})
	var topics []kafka.Topic
	for i, n := range []int{6000, 10, 3000, 2000, 2500, 2500, 1} {
		topics = append(topics, kafka.Topic{Name: fmt.Sprintf("a.t%d.v1", i), Partitions: n, Replicas: 1})
	}
	requireDone(t, connect(t, cfg).CreateTopics(t.Context(), topics), len(topics))
	if diff := gocmp.Diff([]int{6000, 3010, 4500, 2501}, asked); diff != "" {
		t.Errorf("partitions of each request (-want +got):\n%s", diff)
	}
}

func TestAnUnknownWordInABindingIsAnErrorAndNoGrant(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	good := acl.Binding{Principal: "User:a", ResourceType: acl.Topic, Name: "t", Pattern: acl.Literal, Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost}
	for name, change := range map[string]func(*acl.Binding){
		"resource type": func(b *acl.Binding) { b.ResourceType = "SHELF" },
		"pattern":       func(b *acl.Binding) { b.Pattern = "GLOB" },
		"operation":     func(b *acl.Binding) { b.Operation = "PEEK" },
		"permission":    func(b *acl.Binding) { b.Permission = "MAYBE" },
	} {
		bad := good
		change(&bad)
		if errs := c.Grant(t.Context(), []acl.Binding{bad}); errs[0] == nil {
			t.Errorf("%s: %s was granted", name, bad)
		}
	}
	if got, err := c.ACLs(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("ACLs are %v, %v, want none", got, err)
	}
}

func TestAUserCanLogInWithThePasswordItWasGiven(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	var logins []kafka.Login
	for _, kind := range []contract.Auth{contract.SCRAMSHA256, contract.SCRAMSHA512} {
		credential := kafka.Credential{User: "svc-" + string(kind), Mechanism: kind, Iterations: 4096}
		logins = append(logins, kafka.Login{Credential: credential, Password: secret.Generate()})
	}
	requireDone(t, c.SetPasswords(t.Context(), logins), 2)
	users, err := c.Users(t.Context(), logins[0].User, logins[1].User, "svc-absent")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]kafka.Credential{logins[0].User: {logins[0].Credential}, logins[1].User: {logins[1].Credential}}
	if diff := gocmp.Diff(want, users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	for _, l := range logins {
		cfg.Auth, cfg.User, cfg.Password = l.Mechanism, l.User, auth.Static(l.Password)
		connect(t, cfg)
	}
	if errs := c.SetPasswords(t.Context(), []kafka.Login{{Credential: kafka.Credential{User: "x", Mechanism: contract.Plain}}}); errs[0] == nil {
		t.Error("a PLAIN password was set by SCRAM")
	}
}

func TestWithoutRightsEveryRequestIsDenied(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t, kfake.User("SCRAM-SHA-512", "guest", "guest"), kfake.SeedTopics(1, "a.b.v1"))
	cfg.User, cfg.Password = "guest", auth.Static(secret.New("guest"))
	c := connect(t, cfg)
	topic := []kafka.Topic{{Name: "a.b.v1", Partitions: 3, Replicas: 1, Configs: map[string]string{kafka.RetentionMillis: "1"}}}
	first := func(errs []error) error { return cmp.Or(errs...) }
	for name, ask := range map[string]func(context.Context) error{
		"topics":   func(ctx context.Context) error { _, err := c.Topics(ctx, "a.b.v1"); return err },
		"create":   func(ctx context.Context) error { return first(c.CreateTopics(ctx, []kafka.Topic{{Name: "a.c.v1"}})) },
		"grow":     func(ctx context.Context) error { return first(c.GrowTopics(ctx, topic)) },
		"configs":  func(ctx context.Context) error { return first(c.SetConfigs(ctx, topic)) },
		"acls":     func(ctx context.Context) error { _, err := c.ACLs(ctx); return err },
		"grant":    func(ctx context.Context) error { return first(c.Grant(ctx, []acl.Binding{binding})) },
		"users":    func(ctx context.Context) error { _, err := c.Users(ctx, "guest"); return err },
		"password": func(ctx context.Context) error { return first(c.SetPasswords(ctx, []kafka.Login{login})) },
		"ends":     func(ctx context.Context) error { _, err := c.EndOffsets(ctx, "a.b.v1"); return err },
		"groups":   func(ctx context.Context) error { g, err := c.Groups(ctx, "svc-a"); return cmp.Or(err, groupError(g)) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := ask(t.Context()); !errors.Is(err, diag.KafkaDenied) {
				t.Errorf("%v, want %s", err, diag.KafkaDenied)
			}
		})
	}
}

var (
	binding = acl.Binding{Principal: "User:guest", ResourceType: acl.Topic, Name: "t", Pattern: acl.Literal, Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost}
	login   = kafka.Login{Credential: kafka.Credential{User: "guest", Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secret.New("x")}
)

func groupError(groups []kafka.Group) error {
	if len(groups) == 0 {
		return nil
	}
	return groups[0].Err
}

// TestALostAnswerIsAskedForAgain holds that what was done although the answer
// was lost counts as done when it is done again.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t)
	c := connect(t, cfg)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.RequestTimedOut, Count: 1})
	topic := []kafka.Topic{{Name: "a.b.v1", Partitions: 1, Replicas: 1}}
	first := c.CreateTopics(t.Context(), topic)
	if second := c.CreateTopics(t.Context(), topic); second[0] != nil {
		t.Errorf("first %v, then %v, want it done by the second at the latest", first[0], second[0])
	}
}

func TestGroupsTellHowFarTheyHaveCome(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t)
	c := connect(t, cfg)
	requireDone(t, c.CreateTopics(t.Context(), []kafka.Topic{{Name: "a.b.v1", Partitions: 2, Replicas: 1}}), 1)
	client := worker(t, fake)
	for i := range 10 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "a.b.v1", Partition: int32(i % 2), Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	ends, err := c.EndOffsets(t.Context(), "a.b.v1")
	if err != nil || ends["a.b.v1"] != 10 {
		t.Fatalf("EndOffsets() = %v, %v, want 10", ends, err)
	}
	var seen int
	for seen < 10 {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		seen += fetches.NumRecords()
	}
	commit := map[string]map[int32]kgo.EpochOffset{"a.b.v1": {0: {Epoch: -1, Offset: 5}, 1: {Epoch: -1, Offset: 2}}}
	client.CommitOffsetsSync(t.Context(), commit, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	groups, err := c.Groups(t.Context(), "svc-a", "svc-none")
	if err != nil {
		t.Fatal(err)
	}
	want := []kafka.Group{
		{ID: "svc-a", State: "Stable", Members: 1, Topics: []kafka.Progress{{Topic: "a.b.v1", End: 10, Committed: 7, Lag: 3, Assigned: 2}}},
		{ID: "svc-none", State: "Dead"},
	}
	if diff := gocmp.Diff(want, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if groups[0].Lag() != 3 {
		t.Errorf("Lag() = %d, want 3", groups[0].Lag())
	}
}

// worker is a member of group svc-a on a.b.v1 that also produces.
func worker(t *testing.T, fake *kfake.Cluster) *kgo.Client {
	t.Helper()
	mechanism, err := auth.Mechanism(contract.SCRAMSHA512, "admin", auth.Static(secret.New("pencil")))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.SASL(mechanism), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumerGroup("svc-a"), kgo.ConsumeTopics("a.b.v1"), kgo.DisableAutoCommit(), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
