package lagexport_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/lagexport"
	"github.com/slipway-go/slipway/internal/secret"
)

// TestDescribeOnTheGroupAndItsTopicsIsEnough logs in with exactly the rights
// that docs/lag.md grants, and then takes one away.
func TestDescribeOnTheGroupAndItsTopicsIsEnough(t *testing.T) {
	t.Parallel()
	c, err := embedded.Start(t.Context(), embedded.Config{Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	login := func(ctx context.Context, user, password string) (*kafka.Cluster, error) {
		return kafka.Connect(ctx, kafka.Config{
			Bootstrap: strings.Join(c.Bootstrap(), ","), TLS: c.TLS(), Auth: contract.SCRAMSHA512, User: user, Password: auth.Static(secret.New(password)),
		})
	}
	admin, err := login(t.Context(), c.Admin().User, c.Admin().Password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	grant := func(kind acl.ResourceType, name string) {
		must(admin.Grant(t.Context(), []acl.Binding{{
			Principal: "User:lag", ResourceType: kind, Name: name, Pattern: acl.Literal, Operation: acl.Describe, Permission: acl.Allow, Host: "*",
		}})...)
	}
	must(admin.SetPasswords(t.Context(), []kafka.Login{{Credential: kafka.Credential{User: "lag", Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secret.New("lag-password")}})...)
	must(admin.CreateTopics(t.Context(), []kafka.Topic{{Name: orders, Partitions: 2, Replicas: 1}})...)
	refused, err := admin.Commit(t.Context(), stock, map[kafka.Partition]kafka.GroupOffset{{Topic: orders, ID: 0}: {Epoch: -1}})
	must(err)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	writer, err := kgo.NewClient(append(c.Options(c.Admin()), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	must(err)
	t.Cleanup(writer.Close)
	must(writer.ProduceSync(t.Context(), &kgo.Record{Topic: orders, Timestamp: time.Now().Add(-time.Hour)}).FirstErr())
	e := lagexport.New(lagexport.Config{
		Connect: func(ctx context.Context) (*kafka.Cluster, error) { return login(ctx, "lag", "lag-password") },
		Groups:  []lagexport.Group{{ID: stock, Topics: map[string]lagexport.Topic{orders: {FromStart: true}}}},
	})
	t.Cleanup(e.Close)
	grant(acl.Group, stock)
	if err := e.Look(t.Context()); !errors.Is(err, diag.LagDenied) || !strings.Contains(err.Error(), orders) {
		t.Errorf("without the right to the topic: %v, want %s of %s", err, diag.LagDenied, orders)
	}
	grant(acl.Topic, orders)
	if err := e.Look(t.Context()); err != nil {
		t.Error(err)
	}
	var text strings.Builder
	must(e.Write(&text))
	for _, want := range []string{of("slipway_group_lag", 0) + " 1", of("slipway_group_lag_seconds", 0) + " 36", of("slipway_group_lag", 1) + " 0", state + `Empty"} 1`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%s is missing in\n%s", want, &text)
		}
	}
}

// TestALookAtAThousandGroupsIsAHandfulOfRequests counts them.
func TestALookAtAThousandGroupsIsAHandfulOfRequests(t *testing.T) {
	t.Parallel()
	groups, topics := 1000, 100
	if testing.Short() {
		groups = 250
	}
	fake, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	admin := kadm.NewClient(client)
	var names []string
	for i := range topics {
		names = append(names, fmt.Sprintf("topic.t%d.v1", i))
	}
	if _, err := admin.CreateTopics(t.Context(), 10, 1, nil, names...); err != nil {
		t.Fatal(err)
	}
	var watched []lagexport.Group
	for i := range groups {
		id := fmt.Sprintf("svc-s%d-prod", i)
		var offsets kadm.Offsets
		for p := range int32(10) {
			offsets.AddOffset(names[i%topics], p, 0, -1)
		}
		if err := admin.CommitAllOffsets(t.Context(), id, offsets); err != nil {
			t.Fatal(err)
		}
		watched = append(watched, lagexport.Group{ID: id})
	}
	e := lagexport.New(lagexport.Config{Groups: watched, Connect: func(ctx context.Context) (*kafka.Cluster, error) {
		return kafka.Connect(ctx, kafka.Config{Bootstrap: strings.Join(fake.ListenAddrs(), ",")})
	}})
	t.Cleanup(e.Close)
	if err := e.Look(t.Context()); err != nil { // finds the coordinators
		t.Fatal(err)
	}
	asked := map[int16]int{}
	fake.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked[req.Key()]++
		return nil, nil, false
	})
	began := time.Now()
	if err := e.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, n := range asked {
		total += n
	}
	batches := (groups + kafka.MaxBatch - 1) / kafka.MaxBatch
	t.Logf("%d groups in %d partitions: %s, %d requests", groups, 10*groups, time.Since(began), total)
	if most := batches*3*2 + 3*2 + 3; total > most { // describe and fetch at each coordinator, starts and ends at each leader, metadata
		t.Errorf("%d requests %v, want at most %d", total, asked, most)
	}
	var text strings.Builder
	if err := e.Write(&text); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(text.String(), "slipway_group_lag{"); got != 10*groups {
		t.Errorf("%d partitions are exported, want %d", got, 10*groups)
	}
}
