package plan_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
)

// A job is what a service of the shop, or its redrive, needs for its work,
// written down by hand, so that it can disagree with what is derived.
type job struct {
	auth   contract.Auth
	writes []string
	reads  []string
	trims  []string          // deletes records of
	groups map[string]string // group → a topic it reads
	txn    string            // a transactional id
}

var jobs = map[string]job{
	"svc-orders-dev": {
		auth:   contract.SCRAMSHA512,
		writes: []string{"orders.created.v1", "svc-orders-dev.payments.confirmed.v1.dlq", "svc-orders-dev.payments.confirmed.v1.retry"},
		reads:  []string{"payments.confirmed.v1", "crm.changed.v1", "svc-orders-dev.payments.confirmed.v1.retry"},
		trims:  []string{"svc-orders-dev.payments.confirmed.v1.retry"},
		groups: map[string]string{"svc-orders-dev": "payments.confirmed.v1"},
	},
	"svc-orders-dev-redrive": {
		auth:   contract.SCRAMSHA512,
		writes: []string{"svc-orders-dev.payments.confirmed.v1.retry"},
		reads:  []string{"svc-orders-dev.payments.confirmed.v1.dlq"},
		trims:  []string{"svc-orders-dev.payments.confirmed.v1.dlq"},
		groups: map[string]string{"svc-orders-dev-redrive": "svc-orders-dev.payments.confirmed.v1.dlq"},
	},
	"svc-inventory-dev": {
		auth:   contract.SCRAMSHA512,
		writes: []string{"inventory.reserved.v1", "inventory.stock.v1", "svc-inventory-dev.orders.created.v1.dlq", "svc-inventory-dev.orders.created.v1.retry"},
		reads:  []string{"orders.created.v1", "svc-inventory-dev.orders.created.v1.retry"},
		trims:  []string{"svc-inventory-dev.orders.created.v1.retry"},
		groups: map[string]string{"svc-inventory-dev": "orders.created.v1"},
	},
	"svc-inventory-dev-redrive": {
		auth:   contract.SCRAMSHA512,
		writes: []string{"svc-inventory-dev.orders.created.v1.retry"},
		reads:  []string{"svc-inventory-dev.orders.created.v1.dlq"},
		trims:  []string{"svc-inventory-dev.orders.created.v1.dlq"},
		groups: map[string]string{"svc-inventory-dev-redrive": "svc-inventory-dev.orders.created.v1.dlq"},
	},
	"svc-payments-dev": {
		auth:   contract.SCRAMSHA256,
		writes: []string{"payments.confirmed.v1", "svc-payments-dev.audit.orders.created.v1.dlq"},
		reads:  []string{"inventory.reserved.v1", "orders.created.v1"},
		groups: map[string]string{"svc-payments-dev": "inventory.reserved.v1", "svc-payments-dev.audit": "orders.created.v1"},
		txn:    "svc-payments-dev.0",
	},
	"svc-payments-dev-redrive": {
		auth:   contract.SCRAMSHA256,
		reads:  []string{"svc-payments-dev.audit.orders.created.v1.dlq"},
		trims:  []string{"svc-payments-dev.audit.orders.created.v1.dlq"},
		groups: map[string]string{"svc-payments-dev-redrive": "svc-payments-dev.audit.orders.created.v1.dlq"},
	},
}

func TestAServiceCanDoItsJobAndNothingElse(t *testing.T) {
	t.Parallel()
	r := start(t)
	if err := errors.Join(r.admin.CreateTopics(t.Context(), []kafka.Topic{{Name: "crm.changed.v1", Partitions: 2, Replicas: 3}})...); err != nil {
		t.Fatal(err)
	}
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	checkRights(t, func(t *testing.T, user string, kind contract.Auth, opts ...kgo.Opt) *kgo.Client {
		t.Helper()
		mechanism, err := auth.Mechanism(kind, user, auth.Static(secret.New(r.Password(user))))
		if err != nil {
			t.Fatal(err)
		}
		return client(t, append(opts, kgo.SeedBrokers(r.Bootstrap()...), kgo.DialTLSConfig(r.TLS()), kgo.SASL(mechanism))...)
	}, r.Cluster.Admin().User)
}

func client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type connector func(t *testing.T, user string, kind contract.Auth, opts ...kgo.Opt) *kgo.Client

// checkRights tries every service against every topic, group and transactional
// id of the shop, and against what only administrators do.
func checkRights(t *testing.T, connect connector, admin string) {
	t.Helper()
	topics := []string{"crm.changed.v1"}
	var groups, txns []string
	for _, j := range jobs {
		topics = append(topics, j.writes...)
		for g := range j.groups {
			groups = append(groups, g)
		}
	}
	for user := range jobs {
		txns = append(txns, user+".0")
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	seeder := connect(t, admin, contract.SCRAMSHA512)
	for _, topic := range topics {
		if err := seeder.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatalf("seed %s: %v", topic, err)
		}
	}
	for user, j := range jobs {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			c := connect(t, user, j.auth)
			for _, topic := range topics {
				judge(t, "write "+topic, slices.Contains(j.writes, topic), write(t, c, topic))
				judge(t, "read "+topic, slices.Contains(j.reads, topic), read(t, connect, user, j.auth, topic))
				judge(t, "trim "+topic, slices.Contains(j.trims, topic), trim(t, c, topic))
			}
			for _, group := range groups {
				topic, own := j.groups[group]
				if !own {
					topic = j.reads[0]
				}
				judge(t, "consume as group "+group, own, consume(t, connect, user, j.auth, group, topic))
			}
			for _, id := range txns {
				judge(t, "begin as "+id, id == j.txn, initTransactions(t, c, id))
			}
			for name, err := range administer(t, c, slices.Concat(j.writes, []string{"orders.created.v1"})[0]) {
				judge(t, name, false, err)
			}
		})
	}
}

// judge wants either no error or a refusal for lack of rights: any other
// outcome, a timeout above all, proves nothing.
func judge(t *testing.T, what string, allowed bool, err error) {
	t.Helper()
	denied := slices.ContainsFunc([]error{
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	}, func(e error) bool { return errors.Is(err, e) })
	if allowed && err != nil || !allowed && !denied {
		t.Errorf("%s: %v, want allowed %t", what, err, allowed)
	}
}

func write(t *testing.T, c *kgo.Client, topic string) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return c.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")}).FirstErr()
}

func read(t *testing.T, connect connector, user string, kind contract.Auth, topic string) error {
	t.Helper()
	c := connect(t, user, kind, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		fetches := c.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return errs[0].Err
		}
		if fetches.NumRecords() > 0 {
			return nil
		}
	}
}

// trim asks for everything before offset 0 to be deleted: the right is asked
// for, and nothing goes.
func trim(t *testing.T, c *kgo.Client, topic string) error {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = topic
	rt.Partitions = []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: 0}}
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, shard := range c.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return shard.Err
		}
		for _, topic := range shard.Resp.(*kmsg.DeleteRecordsResponse).Topics {
			for _, p := range topic.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// consume joins the group, reads a record and commits it.
func consume(t *testing.T, connect connector, user string, kind contract.Auth, group, topic string) error {
	t.Helper()
	c := connect(t, user, kind, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		fetches := c.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return errs[0].Err
		}
		if fetches.NumRecords() > 0 {
			return c.CommitRecords(ctx, fetches.Records()...)
		}
	}
}

func initTransactions(t *testing.T, c *kgo.Client, id string) error {
	t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &id, 10_000
	resp, err := req.RequestWith(t.Context(), c)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

// administer tries what no service may, on a topic it writes.
func administer(t *testing.T, c *kgo.Client, topic string) map[string]error {
	t.Helper()
	code := func(code int16, err error) error { return errors.Join(err, kerr.ErrorForCode(code)) }
	tried := map[string]error{}

	create := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic+".more", 1, 1
	create.Topics = append(create.Topics, rt)
	if resp, err := create.RequestWith(t.Context(), c); err != nil {
		tried["create a topic"] = err
	} else {
		tried["create a topic"] = code(resp.Topics[0].ErrorCode, nil)
	}

	remove := kmsg.NewPtrDeleteTopicsRequest()
	dt := kmsg.NewDeleteTopicsRequestTopic()
	dt.Topic = &topic
	remove.Topics, remove.TopicNames = append(remove.Topics, dt), []string{topic}
	if resp, err := remove.RequestWith(t.Context(), c); err != nil {
		tried["delete the topic"] = err
	} else {
		tried["delete the topic"] = code(resp.Topics[0].ErrorCode, nil)
	}

	describe := kmsg.NewPtrDescribeConfigsRequest()
	dr := kmsg.NewDescribeConfigsRequestResource()
	dr.ResourceType, dr.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	describe.Resources = append(describe.Resources, dr)
	if resp, err := describe.RequestWith(t.Context(), c); err != nil {
		tried["describe its configs"] = err
	} else {
		tried["describe its configs"] = code(resp.Resources[0].ErrorCode, nil)
	}

	acls := kmsg.NewPtrDescribeACLsRequest()
	acls.ResourceType, acls.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	acls.Operation, acls.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	if resp, err := acls.RequestWith(t.Context(), c); err != nil {
		tried["read ACLs"] = err
	} else {
		tried["read ACLs"] = code(resp.ErrorCode, nil)
	}
	return tried
}
