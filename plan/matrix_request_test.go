package plan_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/acl"
)

// A world is where the resources of a matrix are, as the administrator knows
// it: a user who may not see a resource is to ask for it all the same.
type world struct {
	topics map[string]place
	groups map[string]int32 // coordinator
	txns   map[string]int32 // coordinator

	// groupConfigs is whether the brokers authorize settings of groups. Those
	// of the embedded cluster do not.
	groupConfigs bool
}

type place struct {
	id         [16]byte
	leader     int32 // of partition 0
	partitions int
}

func newWorld(t failer, admin *kgo.Client, o *oracle, partitions func(string) int) *world {
	t.Helper()
	w := &world{topics: map[string]place{}, groups: map[string]int32{}, txns: map[string]int32{}}
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range append(slices.Clone(o.topics), foreignTopic) {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = &name
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(context.Background(), admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range resp.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
			t.Fatalf("topic %s: %v", *topic.Topic, err)
		}
		p := place{id: topic.TopicID, partitions: len(topic.Partitions)}
		for _, partition := range topic.Partitions {
			if partition.Partition == 0 {
				p.leader = partition.Leader
			}
		}
		w.topics[*topic.Topic] = p
	}
	for _, name := range append(slices.Clone(o.groups), foreignGroup) {
		w.groups[name] = coordinator(t, admin, 0, name)
	}
	for _, id := range append(slices.Clone(o.txns), foreignTxn) {
		w.txns[id] = coordinator(t, admin, 1, id)
	}
	return w
}

// coordinator asks until there is one: the first to ask has it made.
func coordinator(t failer, admin *kgo.Client, kind int8, key string) int32 {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorType, req.CoordinatorKey, req.CoordinatorKeys = kind, key, []string{key}
		resp, err := req.RequestWith(context.Background(), admin)
		if err == nil && len(resp.Coordinators) == 1 {
			if err = kerr.ErrorForCode(resp.Coordinators[0].ErrorCode); err == nil {
				return resp.Coordinators[0].NodeID
			}
		}
		select {
		case <-limit:
			t.Fatalf("coordinator of %s: %v", key, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A prober tries everything as one user, each with the request that Kafka
// answers by that very right. What it may is done for real; what it may not is
// asked for in a way that would do no harm.
type prober struct {
	*world
	client *kgo.Client
	user   string
	may    map[access]bool
	tried  map[access]error
	failed []error // of requests that came to nothing at all
}

// everything returns the outcome of each access there is.
func (p *prober) everything(t failer) map[access]error {
	t.Helper()
	p.tried = map[access]error{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, try := range []func(context.Context){
		p.metadata, p.produce, p.fetch, p.trim, p.create, p.grow, p.describeConfigs, p.alterConfigs,
		p.commit, p.describeGroups, p.deleteGroups, p.beginTransactions, p.describeTransactions, p.administrate, p.beIdempotent,
	} {
		try(ctx)
	}
	if err := errors.Join(p.failed...); err != nil {
		t.Fatalf("%s: %v", p.user, err)
	}
	want := 8*len(p.topics) + 3*len(p.groups) + 2*len(p.txns) + 7
	if p.groupConfigs {
		want += 2 * len(p.groups)
	}
	if len(p.tried) != want {
		t.Fatalf("%s tried %d accesses of %d", p.user, len(p.tried), want)
	}
	return p.tried
}

func (p *prober) note(kind acl.ResourceType, name string, op acl.Operation, code int16) {
	p.tried[access{kind, name, op}] = kerr.ErrorForCode(code)
}

func (p *prober) came(err error, what string) bool {
	if err != nil {
		p.failed = append(p.failed, fmt.Errorf("%s: %w", what, err))
	}
	return err == nil
}

// ask sends a request to one broker.
func ask[R kmsg.Response](ctx context.Context, p *prober, node int32, req kmsg.Request) (resp R, ok bool) {
	got, err := p.client.Broker(int(node)).RetriableRequest(ctx, req)
	if !p.came(err, fmt.Sprintf("%T", req)) {
		return resp, false
	}
	return got.(R), true
}

// byLeader calls f with the topics of each broker.
func (p *prober) byLeader(f func(node int32, names []string)) {
	led := map[int32][]string{}
	for name, at := range p.topics {
		led[at.leader] = append(led[at.leader], name)
	}
	for node, names := range led {
		f(node, names)
	}
}

// named is the topic of a response, which has a name or an id.
func (p *prober) named(name string, id [16]byte) string {
	if name != "" {
		return name
	}
	for name, at := range p.topics {
		if at.id == id {
			return name
		}
	}
	return ""
}

func (p *prober) metadata(ctx context.Context) {
	req := kmsg.NewPtrMetadataRequest()
	for name := range p.topics {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = &name
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, p.client)
	if p.came(err, "metadata") {
		for _, t := range resp.Topics {
			p.note(acl.Topic, p.named(*t.Topic, t.TopicID), acl.Describe, t.ErrorCode)
		}
	}
}

func (p *prober) produce(ctx context.Context) {
	p.byLeader(func(node int32, names []string) {
		req := kmsg.NewPtrProduceRequest()
		req.Acks, req.TimeoutMillis = -1, 10_000
		for _, name := range names {
			rt := kmsg.NewProduceRequestTopic()
			rt.Topic, rt.TopicID = name, p.topics[name].id
			rp := kmsg.NewProduceRequestTopicPartition()
			rp.Records = oneRecord()
			rt.Partitions = append(rt.Partitions, rp)
			req.Topics = append(req.Topics, rt)
		}
		if resp, ok := ask[*kmsg.ProduceResponse](ctx, p, node, req); ok {
			for _, t := range resp.Topics {
				p.note(acl.Topic, p.named(t.Topic, t.TopicID), acl.Write, t.Partitions[0].ErrorCode)
			}
		}
	})
}

// oneRecord is a batch with one record, as it goes over the wire.
func oneRecord() []byte {
	record := []byte{16, 0, 0, 0, 2, 'k', 2, 'v', 0} // length 8, no attributes, key, value, no headers
	now := time.Now().UnixMilli()
	b := kmsg.RecordBatch{
		Length: int32(49 + len(record)), PartitionLeaderEpoch: -1, Magic: 2, FirstTimestamp: now, MaxTimestamp: now,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, Records: record,
	}
	const checked = 21 // what stands before the attributes is not
	b.CRC = int32(crc32.Checksum(b.AppendTo(nil)[checked:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}

func (p *prober) fetch(ctx context.Context) {
	p.byLeader(func(node int32, names []string) {
		req := kmsg.NewPtrFetchRequest()
		req.ReplicaID, req.MaxBytes, req.SessionEpoch = -1, 1<<20, -1
		for _, name := range names {
			rt := kmsg.NewFetchRequestTopic()
			rt.Topic, rt.TopicID = name, p.topics[name].id
			rp := kmsg.NewFetchRequestTopicPartition()
			rp.PartitionMaxBytes, rp.CurrentLeaderEpoch = 1<<10, -1
			rt.Partitions = append(rt.Partitions, rp)
			req.Topics = append(req.Topics, rt)
		}
		if resp, ok := ask[*kmsg.FetchResponse](ctx, p, node, req); ok {
			for _, t := range resp.Topics {
				p.note(acl.Topic, p.named(t.Topic, t.TopicID), acl.Read, t.Partitions[0].ErrorCode)
			}
		}
	})
}

// trim asks for everything before offset 0 to be deleted.
func (p *prober) trim(ctx context.Context) {
	p.byLeader(func(node int32, names []string) {
		req := kmsg.NewPtrDeleteRecordsRequest()
		req.TimeoutMillis = 10_000
		for _, name := range names {
			rt := kmsg.NewDeleteRecordsRequestTopic()
			rt.Topic = name
			rt.Partitions = append(rt.Partitions, kmsg.NewDeleteRecordsRequestTopicPartition())
			req.Topics = append(req.Topics, rt)
		}
		if resp, ok := ask[*kmsg.DeleteRecordsResponse](ctx, p, node, req); ok {
			for _, t := range resp.Topics {
				p.note(acl.Topic, t.Topic, acl.Delete, t.Partitions[0].ErrorCode)
			}
		}
	})
}

// commit notes a position in each group: of a topic that the user may read
// where it may be in the group.
func (p *prober) commit(ctx context.Context) {
	for group, node := range p.groups {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group, req.Generation = group, -1
		for name, at := range p.topics {
			if p.may[access{acl.Topic, name, acl.Read}] || !p.may[access{acl.Group, group, acl.Read}] {
				rt := kmsg.NewOffsetCommitRequestTopic()
				rt.Topic, rt.TopicID = name, at.id
				rt.Partitions = append(rt.Partitions, kmsg.NewOffsetCommitRequestTopicPartition())
				req.Topics = append(req.Topics, rt)
				break
			}
		}
		if resp, ok := ask[*kmsg.OffsetCommitResponse](ctx, p, node, req); ok {
			p.note(acl.Group, group, acl.Read, resp.Topics[0].Partitions[0].ErrorCode)
		}
	}
}

func (p *prober) describeGroups(ctx context.Context) {
	for group, node := range p.groups {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.Groups = []string{group}
		if resp, ok := ask[*kmsg.DescribeGroupsResponse](ctx, p, node, req); ok {
			p.note(acl.Group, group, acl.Describe, resp.Groups[0].ErrorCode)
		}
	}
}

func (p *prober) deleteGroups(ctx context.Context) {
	for group, node := range p.groups {
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = []string{group}
		if resp, ok := ask[*kmsg.DeleteGroupsResponse](ctx, p, node, req); ok {
			p.note(acl.Group, group, acl.Delete, resp.Groups[0].ErrorCode)
		}
	}
}

// beginTransactions asks again while the coordinator is still being made.
func (p *prober) beginTransactions(ctx context.Context) {
	for id, node := range p.txns {
		for {
			req := kmsg.NewPtrInitProducerIDRequest()
			req.TransactionalID, req.TransactionTimeoutMillis = &id, 10_000
			resp, ok := ask[*kmsg.InitProducerIDResponse](ctx, p, node, req)
			if !ok {
				return
			}
			if kerr.IsRetriable(kerr.ErrorForCode(resp.ErrorCode)) && ctx.Err() == nil {
				<-time.After(50 * time.Millisecond)
				continue
			}
			p.note(acl.TransactionalID, id, acl.Write, resp.ErrorCode)
			break
		}
	}
}

func (p *prober) describeTransactions(ctx context.Context) {
	for id, node := range p.txns {
		req := kmsg.NewPtrDescribeTransactionsRequest()
		req.TransactionalIDs = []string{id}
		if resp, ok := ask[*kmsg.DescribeTransactionsResponse](ctx, p, node, req); ok {
			p.note(acl.TransactionalID, id, acl.Describe, resp.TransactionStates[0].ErrorCode)
		}
	}
}

func (p *prober) beIdempotent(ctx context.Context) {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.ProducerID, req.ProducerEpoch = -1, -1
	resp, err := req.RequestWith(ctx, p.client)
	if p.came(err, "be idempotent") {
		p.note(acl.Cluster, acl.ClusterName, acl.IdempotentWrite, resp.ErrorCode)
	}
}
