package kafka_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// stockUser is a user without rights but those that are given.
func stockUser(live ...acl.Binding) (user string, opt kfake.Opt) {
	var acls []kfake.ACL
	for _, b := range live {
		kind, err1 := kmsg.ParseACLResourceType(string(b.ResourceType))
		pattern, err2 := kmsg.ParseACLResourcePatternType(string(b.Pattern))
		op, err3 := kmsg.ParseACLOperation(string(b.Operation))
		if err := errors.Join(err1, err2, err3); err != nil {
			panic(err)
		}
		acls = append(acls, kfake.ACL{Resource: kind, Name: b.Name, Pattern: pattern, Operation: op, Allow: true})
	}
	return "svc-stock-dev", kfake.User("SCRAM-SHA-512", "svc-stock-dev", "pencil", acls...)
}

func allow(kind acl.ResourceType, name string, op acl.Operation) acl.Binding {
	return acl.Binding{ResourceType: kind, Name: name, Pattern: acl.Literal, Operation: op}
}

// self connects as the user, whom the cluster tells of its own rights.
func self(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, *kafka.Cluster, kafka.Config) {
	t.Helper()
	prefixed := allow(acl.TransactionalID, "svc-stock-dev.", acl.Write)
	prefixed.Pattern = acl.Prefixed
	user, opt := stockUser(
		allow(acl.Topic, "stock.v1", acl.Write), allow(acl.Topic, "orders.v1", acl.Read), allow(acl.Topic, "to-come.v1", acl.Read),
		allow(acl.Group, "svc-stock-dev", acl.Read), allow(acl.Group, "new", acl.Describe), prefixed,
		allow(acl.Cluster, acl.ClusterName, acl.DescribeConfigs),
	)
	fake, cfg := serve(t, append(opts, opt, kfake.SeedTopics(3, "stock.v1", "orders.v1"))...)
	own := cfg
	own.User, own.Password = user, auth.Static(secret.New("pencil"))
	return fake, connect(t, own), cfg
}

func TestAClientLearnsOfItsOwnRightsWithoutAny(t *testing.T) {
	t.Parallel()
	_, c, _ := self(t)
	describe := []acl.Operation{acl.Describe}
	for name, tt := range map[string]struct {
		on   acl.Resource
		want acl.Proof
	}{
		"a topic to write":            {acl.Resource{Type: acl.Topic, Name: "stock.v1"}, acl.Proof{Operations: []acl.Operation{acl.Describe, acl.Write}, Told: acl.Operations(acl.Topic)}},
		"a topic to read":             {acl.Resource{Type: acl.Topic, Name: "orders.v1"}, acl.Proof{Operations: []acl.Operation{acl.Describe, acl.Read}, Told: acl.Operations(acl.Topic)}},
		"a topic that is to come":     {acl.Resource{Type: acl.Topic, Name: "to-come.v1"}, acl.Proof{Operations: []acl.Operation{acl.Describe, acl.Read}, Told: acl.Operations(acl.Topic)}},
		"its group, which never ran":  {acl.Resource{Type: acl.Group, Name: "svc-stock-dev"}, acl.Proof{Operations: []acl.Operation{acl.Describe, acl.Read}, Told: acl.Operations(acl.Group)}},
		"a group to look at":          {acl.Resource{Type: acl.Group, Name: "new"}, acl.Proof{Operations: describe, Told: acl.Operations(acl.Group)}},
		"a group of others":           {acl.Resource{Type: acl.Group, Name: "other"}, acl.Proof{Told: describe}},
		"its transactional ids":       {acl.Resource{Type: acl.TransactionalID, Name: "svc-stock-dev.7"}, acl.Proof{Operations: describe, Told: describe}},
		"transactional ids of others": {acl.Resource{Type: acl.TransactionalID, Name: "svc-other-dev.7"}, acl.Proof{Told: describe}},
		"the cluster":                 {acl.Resource{Type: acl.Cluster, Name: acl.ClusterName}, acl.Proof{Operations: []acl.Operation{acl.DescribeConfigs}, Told: acl.Operations(acl.Cluster)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Authorized(t.Context(), tt.on)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("proof (-want +got):\n%s", diff)
			}
		})
	}
}

// Brokers of Kafka's own send no rights beside a refusal.
func TestAHiddenTopicProvesThatItMayNotBeDescribed(t *testing.T) {
	t.Parallel()
	fake, c, _ := self(t)
	fake.ControlKey(int16(kmsg.Metadata), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.MetadataRequest)
		if !req.IncludeTopicAuthorizedOperations {
			fake.KeepControl()
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.ErrorCode = req.Topics[0].Topic, kerr.TopicAuthorizationFailed.Code
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	got, err := c.Authorized(t.Context(), acl.Resource{Type: acl.Topic, Name: "hidden.v1"})
	if diff := gocmp.Diff(acl.Proof{Told: []acl.Operation{acl.Describe}}, got); err != nil || diff != "" {
		t.Errorf("%v, proof (-want +got):\n%s", err, diff)
	}
}

// The coordinator of the first group that is asked for on a new cluster has to
// be made first.
func TestACoordinatorThatIsNotThereYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	fake, c, _ := self(t)
	fake.ControlKey(int16(kmsg.FindCoordinator), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.FindCoordinatorRequest)
		resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		resp.Coordinators = []kmsg.FindCoordinatorResponseCoordinator{{Key: req.CoordinatorKeys[0], ErrorCode: kerr.CoordinatorNotAvailable.Code}}
		return resp, nil, true // once
	})
	got, err := c.Authorized(t.Context(), acl.Resource{Type: acl.Group, Name: "svc-stock-dev"})
	if err != nil || !slices.Contains(got.Operations, acl.Read) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAskingForRightsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	fake, c, _ := self(t)
	ctx, cancel := context.WithCancel(t.Context())
	fake.ControlKey(int16(kmsg.FindCoordinator), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		cancel()
		req := kreq.(*kmsg.FindCoordinatorRequest)
		resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		resp.Coordinators = []kmsg.FindCoordinatorResponseCoordinator{{Key: req.CoordinatorKeys[0], ErrorCode: kerr.CoordinatorNotAvailable.Code}}
		return resp, nil, true
	})
	if _, err := c.Authorized(ctx, acl.Resource{Type: acl.Group, Name: "svc-stock-dev"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the cancellation", err)
	}
}

func TestRightsThatClustersDoNotTellOfAreAnError(t *testing.T) {
	t.Parallel()
	_, c, _ := self(t)
	if _, err := c.Authorized(t.Context(), acl.Resource{Type: acl.User, Name: "x"}); err == nil {
		t.Error("no error for rights on a user")
	}
}

// Nothing that is asked may disturb a producer that uses the id, or change
// what the cluster has.
func TestAskingForRightsSendsNothingThatChanges(t *testing.T) {
	t.Parallel()
	fake, c, _ := self(t)
	sent := make(chan int16, 1000)
	fake.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		sent <- req.Key()
		return nil, nil, false
	})
	for _, on := range []acl.Resource{
		{Type: acl.Topic, Name: "stock.v1"}, {Type: acl.Group, Name: "svc-stock-dev"},
		{Type: acl.TransactionalID, Name: "svc-stock-dev.7"}, {Type: acl.Cluster},
	} {
		if _, err := c.Authorized(t.Context(), on); err != nil {
			t.Fatal(err)
		}
	}
	close(sent)
	harmless := []kmsg.Key{kmsg.Metadata, kmsg.DescribeGroups, kmsg.FindCoordinator, kmsg.DescribeCluster, kmsg.ApiVersions, kmsg.SASLHandshake, kmsg.SASLAuthenticate}
	n := 0
	for key := range sent {
		n++
		if !slices.Contains(harmless, kmsg.Key(key)) {
			t.Errorf("%s was sent", kmsg.Key(key).Name())
		}
	}
	if n < 5 {
		t.Errorf("%d requests were seen", n)
	}
}

func TestWhatExistsIsToldAsFarAsItCanBeSeen(t *testing.T) {
	t.Parallel()
	fake, own, cfg := self(t)
	admin := connect(t, cfg)
	member, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.SASL(mechanismOf(t, cfg)), kgo.ConsumerGroup("running"), kgo.ConsumeTopics("orders.v1"))
	if err != nil {
		t.Fatal(err)
	}
	defer member.Close()
	if err := member.ProduceSync(t.Context(), &kgo.Record{Topic: "orders.v1"}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if errs := member.PollFetches(t.Context()).Errors(); len(errs) > 0 {
		t.Fatal(errs)
	}
	ask := []acl.Resource{
		{Type: acl.Topic, Name: "stock.v1"}, {Type: acl.Topic, Name: "gone.v1"},
		{Type: acl.Group, Name: "running"}, {Type: acl.Group, Name: "gone"},
		{Type: acl.User, Name: "svc-stock-dev"}, {Type: acl.User, Name: "gone"}, {Type: acl.TransactionalID, Name: "x"},
	}
	want := map[acl.Resource]bool{ask[0]: true, ask[1]: false, ask[2]: true, ask[3]: false, ask[4]: true, ask[5]: false}
	got, err := admin.Existing(t.Context(), ask)
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, existing (-want +got):\n%s", err, diff)
	}
	got, err = own.Existing(t.Context(), ask[:2])
	if diff := gocmp.Diff(map[acl.Resource]bool{ask[0]: true}, got); err != nil || diff != "" {
		t.Errorf("%v, existing as somebody who may not see it all (-want +got):\n%s", err, diff)
	}
}

func mechanismOf(t *testing.T, cfg kafka.Config) sasl.Mechanism {
	t.Helper()
	m, err := auth.Mechanism(cfg.Auth, cfg.User, cfg.Password)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
