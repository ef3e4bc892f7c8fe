package kafka_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

func TestTopicsAreDeletedByNameAlone(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	requireDone(t, c.CreateTopics(t.Context(), []kafka.Topic{{Name: "a.b", Partitions: 2}, {Name: "a.b.c", Partitions: 3}, {Name: "a", Partitions: 1}}), 3)
	for range 2 { // what is gone is done
		requireDone(t, c.DeleteTopics(t.Context(), []string{"a.b", "never.was"}), 2)
	}
	got, err := c.AllTopics(t.Context())
	if diff := gocmp.Diff(map[string]int{"a": 1, "a.b.c": 3}, got); diff != "" || err != nil {
		t.Errorf("topics (-want +got):\n%s%v", diff, err)
	}
}

func TestAUserLosesTheMechanismNamedAndNoOther(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	credential := func(user string, mechanism contract.Auth) kafka.Credential {
		return kafka.Credential{User: user, Mechanism: mechanism, Iterations: 4096}
	}
	for _, mechanism := range []contract.Auth{contract.SCRAMSHA256, contract.SCRAMSHA512} {
		var logins []kafka.Login
		for _, user := range []string{"both", "one", "none"} {
			logins = append(logins, kafka.Login{Credential: credential(user, mechanism), Password: secret.New("x")})
		}
		requireDone(t, c.SetPasswords(t.Context(), logins), 3)
	}
	for range 2 {
		requireDone(t, c.DeleteUsers(t.Context(), []kafka.Credential{
			credential("none", contract.SCRAMSHA256), credential("none", contract.SCRAMSHA512), credential("one", contract.SCRAMSHA256), credential("nobody", contract.SCRAMSHA256),
		}), 4)
	}
	all, err := c.AllUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]int{}
	for user, credentials := range all {
		left[user] = len(credentials)
	}
	delete(left, cfg.User)
	if diff := gocmp.Diff(map[string]int{"both": 2, "one": 1}, left); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	if got := all["one"][0].Mechanism; got != contract.SCRAMSHA512 {
		t.Errorf("the mechanism left is %s", got)
	}
}

// What a filter of Kafka's would match beside the ACL itself must stay: other
// hosts, patterns, operations, and every name where the name is *.
func TestRevokingTakesExactlyTheACLsNamed(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	exact := acl.Binding{Principal: "User:a", ResourceType: acl.Topic, Name: "t", Pattern: acl.Literal, Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost}
	variant := func(change func(*acl.Binding)) acl.Binding { b := exact; change(&b); return b }
	every := variant(func(b *acl.Binding) { b.Name = "*" })
	stay := []acl.Binding{
		variant(func(b *acl.Binding) { b.Principal = "User:ab" }),
		variant(func(b *acl.Binding) { b.Principal = "User:*" }),
		variant(func(b *acl.Binding) { b.ResourceType = acl.Group }),
		variant(func(b *acl.Binding) { b.Name = "tt" }),
		variant(func(b *acl.Binding) { b.Pattern = acl.Prefixed }),
		variant(func(b *acl.Binding) { b.Operation = acl.Write }),
		variant(func(b *acl.Binding) { b.Operation = "ALL" }),
		variant(func(b *acl.Binding) { b.Permission = acl.Deny }),
		variant(func(b *acl.Binding) { b.Host = "10.0.0.1" }),
	}
	requireDone(t, c.Grant(t.Context(), slices.Concat(stay, []acl.Binding{exact, every})), len(stay)+2)
	for range 2 {
		requireDone(t, c.Revoke(t.Context(), []acl.Binding{exact, every}), 2)
	}
	got, err := c.ACLs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, acl.Binding.Compare)
	slices.SortFunc(stay, acl.Binding.Compare)
	if diff := gocmp.Diff(stay, got); diff != "" {
		t.Errorf("ACLs (-want +got):\n%s", diff)
	}
}

func TestAGroupGoesWithItsSettingsUnlessSomebodyIsInIt(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	requireDone(t, c.CreateTopics(t.Context(), []kafka.Topic{{Name: "t", Partitions: 1}}), 1)
	requireDone(t, c.SetGroupConfigs(t.Context(), []kafka.GroupConfig{{Group: "idle", Configs: map[string]string{kafka.GroupSessionMillis: "50000"}}}), 1)
	opts, err := cfg.Options()
	if err != nil {
		t.Fatal(err)
	}
	read := func(group string) *kgo.Client {
		member, err := kgo.NewClient(append(opts, kgo.ConsumerGroup(group), kgo.ConsumeTopics("t"))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(member.Close)
		if err := member.ProduceSync(t.Context(), &kgo.Record{Topic: "t"}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if fetches := member.PollFetches(t.Context()); fetches.Err() != nil {
			t.Fatal(fetches.Err())
		}
		if err := member.CommitUncommittedOffsets(t.Context()); err != nil {
			t.Fatal(err)
		}
		return member
	}
	read("idle").Close()
	read("busy")
	errs := c.DeleteGroups(t.Context(), []string{"idle", "busy", "never.was"})
	if errs[0] != nil || errs[2] != nil || errs[1] == nil || !strings.Contains(errs[1].Error(), "NON_EMPTY_GROUP") {
		t.Errorf("DeleteGroups() = %v, want only the second refused", errs)
	}
	requireDone(t, c.ClearGroupConfigs(t.Context(), []string{"idle", "never.was"}), 2)
	groups, err := c.AllGroups(t.Context())
	if _, idle := groups["idle"]; err != nil || idle || groups["busy"] != "Stable" {
		t.Errorf("groups are %v, %v", groups, err)
	}
	configs, err := c.GroupConfigs(t.Context(), "idle")
	if err != nil || configs["idle"][kafka.GroupSessionMillis] == "50000" {
		t.Errorf("settings are %v, %v, want the defaults", configs, err)
	}
}

func TestWhatLiesInATopicIsCountedAndTimed(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	requireDone(t, c.CreateTopics(t.Context(), []kafka.Topic{{Name: "t", Partitions: 2, Replicas: 3}, {Name: "empty", Partitions: 1}}), 2)
	opts, err := cfg.Options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	oldest := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 10 {
		r := &kgo.Record{Topic: "t", Partition: int32(i % 2), Value: make([]byte, 1000), Timestamp: oldest.Add(time.Duration(i) * time.Hour)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Stored(t.Context(), oldest.Add(4*time.Hour), "t", "empty")
	if err != nil {
		t.Fatal(err)
	}
	if s := got["t"]; s.Records != 10 || s.Older != 4 || !s.Oldest.Equal(oldest) || s.Bytes < 10_000 || s.Bytes > 20_000 {
		t.Errorf("stored is %+v, want 10 records, 4 of them older, the oldest of %v, and their bytes once", s, oldest)
	}
	if diff := gocmp.Diff(kafka.Stored{}, got["empty"]); diff != "" {
		t.Errorf("an empty topic (-want +got):\n%s", diff)
	}
	if _, err := c.Stored(t.Context(), oldest, "never.was"); err == nil {
		t.Error("a topic that is not there is no error")
	}
}

func TestAClientTellsTheNamesItMayHave(t *testing.T) {
	t.Parallel()
	server, trust := certificates(t)
	_, cfg := serve(t, kfake.TLS(server))
	trust.Certificates = server.Certificates
	cfg.TLS = trust
	if got := connect(t, cfg).Principals(); !slices.Equal(got, []string{"User:admin", "User:O=Acme Co"}) {
		t.Errorf("principals are %q, want the login and the certificate's subject", got)
	}
}
