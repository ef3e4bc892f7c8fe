package group_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/group"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	orders = "orders.created.v1"
	retry  = "svc-stock-prod.orders.created.v1.retry"
	stock  = "svc-stock-prod"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// tb is what tests and properties have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
	Context() context.Context
}

// A fixture is a cluster with an administrator.
type fixture struct {
	tb
	addrs  []string
	client *kgo.Client
	*group.Admin
}

func start(t tb, opts ...kfake.Opt) *fixture {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(2)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return on(t, cluster)
}

func on(t tb, cluster *kfake.Cluster) *fixture {
	t.Helper()
	f := &fixture{tb: t, addrs: cluster.ListenAddrs()}
	f.client = f.connect(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(10*time.Millisecond))
	var err error
	if f.Admin, err = group.New(t.Context(), f.client); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) connect(opts ...kgo.Opt) *kgo.Client {
	f.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(f.addrs...)}, opts...)...)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(client.Close)
	return client
}

// produce appends records of the given times to a partition.
func (f *fixture) produce(topic string, partition int32, times ...time.Time) {
	f.Helper()
	var records []*kgo.Record
	for i, at := range times {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: fmt.Append(nil, i), Timestamp: at})
	}
	if len(records) == 0 {
		return
	}
	if err := f.client.ProduceSync(f.Context(), records...).FirstErr(); err != nil {
		f.Fatal(err)
	}
}

// minutes are times after noon.
func minutes(all ...int) []time.Time {
	times := make([]time.Time, len(all))
	for i, n := range all {
		times[i] = noon.Add(time.Duration(n) * time.Minute)
	}
	return times
}

// commit gives a group without members a position.
func (f *fixture) commit(id, topic string, partition int32, offset int64, metadata string) {
	f.Helper()
	described, err := f.topic(topic)
	if err != nil {
		f.Fatal(err)
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = id
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID = topic, described
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset = partition, offset
	if metadata != "" {
		p.Metadata = &metadata
	}
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(f.Context(), f.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		f.Fatalf("commit %s %s/%d: %v", id, topic, partition, err)
	}
}

func (f *fixture) topic(name string) (id [16]byte, err error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &name
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(f.Context(), f.client)
	if err != nil {
		return id, err
	}
	return resp.Topics[0].TopicID, kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

// positions are a group's offsets in a topic, by partition.
func (f *fixture) positions(id, topic string) []int64 {
	f.Helper()
	snap, err := f.Snapshot(f.Context(), id, topic)
	if err != nil {
		f.Fatal(err)
	}
	var all []int64
	for _, p := range snap.Topics[0].Positions {
		all = append(all, p.Offset)
	}
	return all
}

// metadata is what stands beside the position in a group's first partition.
func (f *fixture) metadata(id, topic string) string {
	f.Helper()
	snap, err := f.Snapshot(f.Context(), id, topic)
	if err != nil {
		f.Fatal(err)
	}
	return snap.Topics[0].Positions[0].Metadata
}

// apply plans and makes a move.
func (f *fixture) apply(m *group.Move, err error) *group.Move {
	f.Helper()
	if err == nil {
		err = f.Apply(f.Context(), m)
	}
	if err != nil {
		f.Fatalf("%v\n%+v", err, diag.Of(err))
	}
	return m
}

func requireCode(t tb, err error, code diag.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("error is %v, want %s", err, code)
	}
}

func requireRefused(t tb, err error, code diag.Code) {
	t.Helper()
	requireCode(t, err, code)
	if !errors.Is(err, group.ErrRefused) {
		t.Fatalf("%v is no refusal", err)
	}
}

// member joins a group and returns when it holds partitions; it reads until
// the test ends.
func (f *fixture) member(opts ...kgo.Opt) (client *kgo.Client, leave func()) {
	f.Helper()
	client = f.connect(opts...)
	ctx, cancel := context.WithCancel(f.Context())
	done := make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(done)
		polled := false
		for ctx.Err() == nil {
			fetches := client.PollFetches(ctx)
			if !polled && fetches.NumRecords() > 0 {
				polled = true
				close(first)
			}
		}
	}()
	select {
	case <-first:
	case <-time.After(20 * time.Second):
		f.Fatal("the member read nothing")
	}
	leave = func() { cancel(); <-done; client.Close() }
	f.Cleanup(leave)
	return client, leave
}

// create makes a topic.
func (f *fixture) create(name string, partitions int32) {
	f.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, 1
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(f.Context(), f.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		f.Fatal(err)
	}
}

// shareFromStart lets a share group that is new begin at the first record.
func (f *fixture) shareFromStart(id string) {
	f.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, id
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = "share.auto.offset.reset", new("earliest")
	r.Configs = append(r.Configs, c)
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(f.Context(), f.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		f.Fatal(err)
	}
}
