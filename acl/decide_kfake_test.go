package acl_test

import (
	"context"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
)

// A broker is a cluster of one node with an authorizer of its own, and clients
// that are logged in to it, one as each principal.
type broker struct {
	admin   *kgo.Client
	clients map[string]*kgo.Client
	asked   int
}

func startBroker(t *testing.T) *broker {
	t.Helper()
	const password = "pencil"
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("PLAIN", "admin", password), kfake.User("PLAIN", "a", password), kfake.User("PLAIN", "b", password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	connect := func(user string) *kgo.Client {
		client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()))
		if err == nil {
			err = client.Ping(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		return client
	}
	return &broker{admin: connect("admin"), clients: map[string]*kgo.Client{"User:a": connect("a"), "User:b": connect("b")}}
}

// request asks the only node, as it stands: without looking for coordinators
// first, which takes rights of its own.
func request[R kmsg.Response](ctx context.Context, t *rapid.T, client *kgo.Client, req kmsg.Request) R {
	resp, err := client.Broker(0).Request(ctx, req)
	if err != nil {
		t.Fatalf("%T: %v", req, err)
	}
	return resp.(R)
}

// replace gives the cluster these ACLs and no others.
func (k *broker) replace(ctx context.Context, t *rapid.T, live []acl.Binding) {
	everything := kmsg.NewDeleteACLsRequestFilter()
	everything.ResourceType, everything.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	everything.Operation, everything.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	remove := kmsg.NewPtrDeleteACLsRequest()
	remove.Filters = append(remove.Filters, everything)
	request[*kmsg.DeleteACLsResponse](ctx, t, k.admin, remove)

	add := kmsg.NewPtrCreateACLsRequest()
	for _, b := range live {
		c := kmsg.NewCreateACLsRequestCreation()
		c.Principal, c.Host, c.ResourceName = b.Principal, b.Host, b.Name
		kind, err1 := kmsg.ParseACLResourceType(string(b.ResourceType))
		pattern, err2 := kmsg.ParseACLResourcePatternType(string(b.Pattern))
		op, err3 := kmsg.ParseACLOperation(string(b.Operation))
		permission, err4 := kmsg.ParseACLPermissionType(string(b.Permission))
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				t.Fatal(err)
			}
		}
		c.ResourceType, c.ResourcePatternType, c.Operation, c.PermissionType = kind, pattern, op, permission
		add.Creations = append(add.Creations, c)
	}
	for i, r := range request[*kmsg.CreateACLsResponse](ctx, t, k.admin, add).Results {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			t.Fatalf("%s: %v", live[i], err)
		}
	}
}

// A told is what the broker says of one request.
type told struct {
	request acl.Request
	allowed bool
}

// tell returns everything that the broker says of a principal's rights.
func (k *broker) tell(ctx context.Context, t *rapid.T, principal string) []told {
	client := k.clients[principal]
	var all []told
	add := func(kind acl.ResourceType, name string, op acl.Operation, allowed bool) {
		all = append(all, told{acl.Request{Principal: principal, Host: "127.0.0.1", Operation: op, ResourceType: kind, Name: name}, allowed})
	}
	bits := func(kind acl.ResourceType, name string, mask int32, ops ...acl.Operation) {
		for _, op := range ops {
			n, err := kmsg.ParseACLOperation(string(op))
			if err != nil {
				t.Fatal(err)
			}
			add(kind, name, op, mask&(1<<n) != 0)
		}
	}

	topics := kmsg.NewPtrMetadataRequest()
	topics.IncludeTopicAuthorizedOperations = true
	for _, name := range someNames {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = &name
		topics.Topics = append(topics.Topics, rt)
	}
	for _, topic := range request[*kmsg.MetadataResponse](ctx, t, client, topics).Topics {
		bits(acl.Topic, *topic.Topic, topic.AuthorizedOperations, acl.Operations(acl.Topic)...)
		add(acl.Topic, *topic.Topic, acl.Describe, topic.ErrorCode != kerr.TopicAuthorizationFailed.Code)
	}

	groups := kmsg.NewPtrDescribeGroupsRequest()
	groups.Groups, groups.IncludeAuthorizedOperations = someNames, true
	for _, group := range request[*kmsg.DescribeGroupsResponse](ctx, t, client, groups).Groups {
		refused := group.ErrorCode == kerr.GroupAuthorizationFailed.Code
		add(acl.Group, group.Group, acl.Describe, !refused)
		if !refused {
			bits(acl.Group, group.Group, group.AuthorizedOperations, acl.Read, acl.Delete)
		}
	}

	ids := kmsg.NewPtrFindCoordinatorRequest()
	ids.CoordinatorType, ids.CoordinatorKeys = 1, someNames
	for _, id := range request[*kmsg.FindCoordinatorResponse](ctx, t, client, ids).Coordinators {
		add(acl.TransactionalID, id.Key, acl.Describe, id.ErrorCode == 0)
	}
	for _, id := range someNames { // nobody uses these
		begin := kmsg.NewPtrInitProducerIDRequest()
		begin.TransactionalID, begin.TransactionTimeoutMillis = &id, 10_000
		code := request[*kmsg.InitProducerIDResponse](ctx, t, client, begin).ErrorCode
		add(acl.TransactionalID, id, acl.Write, code != kerr.TransactionalIDAuthorizationFailed.Code)
	}

	cluster := kmsg.NewPtrDescribeClusterRequest()
	cluster.IncludeClusterAuthorizedOperations = true
	mask := request[*kmsg.DescribeClusterResponse](ctx, t, client, cluster).ClusterAuthorizedOperations
	bits(acl.Cluster, acl.ClusterName, mask, acl.Operations(acl.Cluster)...)
	return all
}

// idempotent reports whether the broker gives a producer its id.
func (k *broker) idempotent(ctx context.Context, t *rapid.T, principal string) bool {
	begin := kmsg.NewPtrInitProducerIDRequest()
	return request[*kmsg.InitProducerIDResponse](ctx, t, k.clients[principal], begin).ErrorCode != kerr.ClusterAuthorizationFailed.Code
}

// TestABrokersAuthorizerDecidesTheSame makes random ACLs on a cluster and asks
// it about everything that a client can learn of its own rights.
func TestABrokersAuthorizerDecidesTheSame(t *testing.T) {
	t.Parallel()
	k := startBroker(t)
	ctx := t.Context()
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		live := rapid.SliceOfN(rapid.Custom(anyBinding), 0, 15).Draw(t, "live")
		k.replace(ctx, t, live)
		rules := acl.NewRules(live)
		for _, principal := range []string{"User:a", "User:b"} {
			for _, said := range k.tell(ctx, t, principal) {
				k.asked++
				if said.allowed {
					allowed++
				}
				if d := rules.Decide(said.request); d.Allowed != said.allowed {
					t.Fatalf("%+v: allowed %t (%s), the broker says %t", said.request, d.Allowed, d, said.allowed)
				}
			}
			denies := func(b acl.Binding) bool { return b.Permission == acl.Deny && b.ResourceType == acl.Topic }
			if slices.ContainsFunc(live, denies) {
				continue // which this broker, unlike Kafka, leaves out of account for the next question
			}
			k.asked++
			want := rules.AllowsAny(principal, "127.0.0.1", acl.Write, acl.Topic) ||
				rules.Allows(acl.Request{Principal: principal, Host: "127.0.0.1", Operation: acl.IdempotentWrite, ResourceType: acl.Cluster, Name: acl.ClusterName})
			if got := k.idempotent(ctx, t, principal); got != want {
				t.Fatalf("%s gets a producer's id: %t, the broker says %t", principal, want, got)
			}
		}
	})
	t.Logf("%d decisions compared with the broker's, %d of them allowed", k.asked, allowed)
	if !testing.Short() && (k.asked < 10_000 || allowed < 1000 || k.asked-allowed < 1000) {
		t.Error("too few to mean anything")
	}
}
