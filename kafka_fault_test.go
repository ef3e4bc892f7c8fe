//go:build kafka

package slipway_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

const (
	flowIn, flowOut = "flow.in.v1", "flow.out.v1"
	relayGroup      = "svc-relay-dev"

	flowKeys   = 50
	flowPace   = 300 * time.Millisecond // between two events of a key
	flowEvents = 5_000                  // at least
	newEvents  = 40                     // with a schema the service has never seen
	pausedFor  = 10 * time.Second
)

// A flow is a source that sends, two instances of a relay that pass on what
// they handle, and the history of both.
type flow struct {
	*realKafka
	history.Recorder
	admin *kgo.Client
	out   *slipway.Producer[order] // the source's

	acked, handled, renewed atomic.Int64 // events sent, handled; those with the new schema handled
	enough                  chan struct{}

	mu      sync.Mutex
	slowest time.Duration // that a send took since the last fault began
}

// handle is the relay.
func (f *flow) handle(worker string, m *slipway.Message[order], pass func(id string) (slipway.Receipt, error)) error {
	end := f.Begin(history.Effect{
		ID: m.ID(), Topic: flowIn, Group: relayGroup, Worker: worker,
		Place: &history.Place{Partition: m.Partition, Offset: m.Offset},
	})
	passed := history.Send{ID: m.ID(), Topic: flowOut, Key: m.Value.OrderID, Seq: m.Value.Amount}
	f.Add(passed)
	receipt, err := pass(m.ID())
	if err != nil {
		end(history.Failed)
		return err
	}
	passed.Outcome, passed.Place = history.OK, &history.Place{Partition: receipt.Partition, Offset: receipt.Offset}
	f.Add(passed)
	end(history.OK)
	f.handled.Add(1)
	if strings.HasPrefix(m.Value.OrderID, "new-") {
		f.renewed.Add(1)
	}
	return nil
}

func (f *flow) relay(t *testing.T, instance string) *process {
	return f.start(t, "relay", instance, func(app *slipway.App) error {
		out := slipway.NewProducer[order](app, flowOut)
		slipway.Handle(app, flowIn, func(ctx context.Context, m *slipway.Message[order]) error {
			return f.handle(instance, m, func(id string) (slipway.Receipt, error) {
				return out.Send(ctx, &m.Value, slipway.WithID(id))
			})
		})
		return nil
	})
}

// sendKey sends the events of one key, one after the other, until there are
// enough.
func (f *flow) sendKey(t *testing.T, key string) {
	tick := time.NewTicker(flowPace)
	defer tick.Stop()
	for seq := int64(1); ; seq++ {
		select {
		case <-f.enough:
			return
		case <-tick.C:
		}
		send := history.Send{ID: fmt.Sprint(key, "/", seq), Topic: flowIn, Key: key, Seq: seq}
		f.Add(send)
		began := time.Now()
		receipt, err := f.out.Send(t.Context(), &order{key, seq}, slipway.WithID(send.ID))
		if err != nil {
			t.Errorf("send %s: %v", send.ID, err)
			return
		}
		send.Outcome, send.Place = history.OK, &history.Place{Partition: receipt.Partition, Offset: receipt.Offset}
		f.Add(send)
		f.acked.Add(1)
		f.took(time.Since(began))
	}
}

func (f *flow) took(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slowest = max(f.slowest, d)
}

// reset returns how long the slowest send took since the last reset.
func (f *flow) reset() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.slowest
	f.slowest = 0
	return d.Round(time.Millisecond)
}

// sendNew sends events with a schema that nobody has asked the registry about.
func (f *flow) sendNew(t *testing.T, id int) {
	t.Helper()
	source := client(t, f.login(t, "source"))
	for n := range newEvents {
		key, seq := fmt.Sprint("new-", n%8), int64(n/8+1)
		send := history.Send{ID: fmt.Sprint(key, "/", seq), Topic: flowIn, Key: key, Seq: seq}
		f.Add(send)
		value := binary.AppendUvarint(frame(id, order{key, seq}), 0) // an empty note
		rec, err := source.ProduceSync(t.Context(), &kgo.Record{
			Topic: flowIn, Key: []byte(key), Value: value,
			Headers: []kgo.RecordHeader{{Key: record.EventID, Value: []byte(send.ID)}},
		}).First()
		if err != nil {
			t.Fatal(err)
		}
		send.Outcome, send.Place = history.OK, &history.Place{Partition: rec.Partition, Offset: rec.Offset}
		f.Add(send)
	}
}

// describe asks for the topics' metadata; nil while nobody answers.
func (f *flow) describe(ctx context.Context, topics ...string) *kmsg.MetadataResponse {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &name
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(ctx, f.admin)
	if err != nil {
		return nil
	}
	return resp
}

// partitions describes the topics' partitions; nil while nobody answers.
func (f *flow) partitions(ctx context.Context, topics ...string) []kmsg.MetadataResponseTopicPartition {
	resp := f.describe(ctx, topics...)
	if resp == nil {
		return nil
	}
	var all []kmsg.MetadataResponseTopicPartition
	for _, topic := range resp.Topics {
		all = append(all, topic.Partitions...)
	}
	return all
}

// leads counts the partitions of a topic that a node leads, -1 if unknown.
func (f *flow) leads(ctx context.Context, topic string, n *dev.Node) int {
	all, led := f.partitions(ctx, topic), 0
	if all == nil {
		return -1
	}
	for _, p := range all {
		if int(p.Leader) == n.ID() {
			led++
		}
	}
	return led
}

// awaitReplicas waits until every node has every record of the topics, and of
// what groups have committed.
func (f *flow) awaitReplicas(t *testing.T, topics ...string) {
	t.Helper()
	var behind []string
	defer func() {
		if t.Failed() {
			t.Logf("not in sync: %v", behind)
		}
	}()
	await(t, patience, "all replicas to be in sync", func() bool {
		resp := f.describe(t.Context(), append(topics, "__consumer_offsets")...)
		if resp == nil {
			return false
		}
		behind = nil
		for _, topic := range resp.Topics {
			for _, p := range topic.Partitions {
				if len(p.ISR) < 3 {
					behind = append(behind, fmt.Sprintf("%s/%d %v", *topic.Topic, p.Partition, p.ISR))
				}
			}
		}
		return len(behind) == 0
	})
}

// awaitMore waits until more events were sent and handled.
func (f *flow) awaitMore(t *testing.T, more int64) {
	t.Helper()
	sent, handled := f.acked.Load()+more, f.handled.Load()+more
	await(t, time.Minute, "more events to be sent and handled", func() bool { return f.acked.Load() >= sent && f.handled.Load() >= handled })
}

// fault notes that something was done to the cluster, and what it took.
func (f *flow) fault(t *testing.T, name string, n *dev.Node, do func()) {
	t.Helper()
	led, sent, handled := f.leads(t.Context(), flowIn, n), f.acked.Load(), f.handled.Load()
	if led <= 0 {
		t.Errorf("%s of node %d, which leads %d partitions of %s: nothing is put to the test", name, n.ID(), led, flowIn)
	}
	f.reset()
	began := f.Now()
	do()
	f.Add(history.Fault{Name: name, Start: began, End: f.Now()})
	t.Logf("%s of node %d, leader of %d of 12 partitions: over after %.1f s; meanwhile %d sent, %d handled, the slowest send took %v", name, n.ID(), led,
		f.Now().Sub(began).Seconds(), f.acked.Load()-sent, f.handled.Load()-handled, f.reset())
}

// kill kills a node, and lets it come back when others have taken over.
func (f *flow) kill(t *testing.T, n *dev.Node) {
	t.Helper()
	f.fault(t, "kill -9", n, func() {
		before := n.PID()
		n.Kill()
		await(t, time.Minute, "others to lead", func() bool { return f.leads(t.Context(), flowIn, n) == 0 })
		f.awaitMore(t, 2*flowKeys)
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n.PID() == before {
			t.Errorf("node %d still is process %d", n.ID(), before)
		}
		f.awaitReplicas(t, flowIn, flowOut)
	})
}

// pause stops a node where it is for a while.
func (f *flow) pause(t *testing.T, n *dev.Node) {
	t.Helper()
	f.fault(t, "SIGSTOP", n, func() {
		if err := n.Pause(); err != nil {
			t.Fatal(err)
		}
		<-time.After(pausedFor)
		if err := n.Resume(); err != nil {
			t.Fatal(err)
		}
		f.awaitMore(t, 2*flowKeys)
		f.awaitReplicas(t, flowIn, flowOut)
	})
}

// withoutRegistry ends the registry, has events sent that cannot be read
// without it, and starts it again.
func (f *flow) withoutRegistry(t *testing.T, id int, relays []*process, meanwhile func()) {
	t.Helper()
	waiting := func() int {
		n := 0
		for _, p := range relays {
			n += p.log.count("code=" + string(diag.RuntimeRegistryDown))
		}
		return n
	}
	began := f.Now()
	f.StopRegistry()
	f.sendNew(t, id)
	await(t, time.Minute, "records to wait for the registry", func() bool { return waiting() > 0 })
	f.awaitMore(t, 4*flowKeys)
	meanwhile()
	if n := f.renewed.Load(); n != 0 {
		t.Errorf("%d events were handled that cannot be read without the registry", n)
	}
	if err := f.StartRegistry(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Add(history.Fault{Name: "registry away", Start: began, End: f.Now()})
	t.Logf("the registry was away for %.1f s: %d events waited for it, in %d attempts", f.Now().Sub(began).Seconds(), newEvents, waiting())
	await(t, time.Minute, "what waited for the registry", func() bool { return f.renewed.Load() >= newEvents })
}

// watchCommits notes what the group has committed, as others can see it, until
// ctx ends.
func (f *flow) watchCommits(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := make(map[int32]int64)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for partition, offset := range f.committed(ctx, relayGroup, flowIn) {
			if last[partition] != offset {
				last[partition] = offset
				f.Add(history.Commit{Group: relayGroup, Topic: flowIn, Partition: partition, Offset: offset, At: f.Now(), Outcome: history.OK})
			}
		}
	}
}

// committed asks for the offsets that a group has committed for a topic; nil
// while nobody answers.
func (f *flow) committed(ctx context.Context, id, name string) map[int32]int64 {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	known := f.describe(ctx, name)
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group = id
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.Groups = id, append(req.Groups, group)
	resp, err := req.RequestWith(ctx, f.admin)
	if known == nil || err != nil || len(resp.Groups) != 1 || kerr.ErrorForCode(resp.Groups[0].ErrorCode) != nil {
		return nil
	}
	offsets := make(map[int32]int64)
	for _, topic := range resp.Groups[0].Topics {
		if topic.Topic != name && topic.TopicID != known.Topics[0].TopicID {
			continue // the group's retry topic
		}
		for _, p := range topic.Partitions {
			if p.ErrorCode == 0 && p.Offset >= 0 {
				offsets[p.Partition] = p.Offset
			}
		}
	}
	return offsets
}

func TestNothingIsLostOrOutOfOrderWhileNodesAndRegistryFail(t *testing.T) {
	f := &flow{realKafka: onKafka(t), enough: make(chan struct{})}
	f.admin = client(t, f.Admin(), kgo.MetadataMinAge(100*time.Millisecond))
	renewed := strings.Replace(orderSchema, `"long"}`, `"long"}, {"name": "note", "type": "string", "default": ""}`, 1)
	id, err := f.registry.Register(t.Context(), contract.Subject(flowIn), schema.Text{Format: "avro", Schema: renewed})
	if err != nil {
		t.Fatal(err)
	}
	relays := []*process{f.relay(t, "0"), f.relay(t, "1")}
	source := f.start(t, "source", "0", func(app *slipway.App) error {
		f.out = slipway.NewProducer[order](app, flowIn)
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	var senders, watcher sync.WaitGroup
	watcher.Go(func() { f.watchCommits(ctx) })
	for n := range flowKeys {
		senders.Go(func() { f.sendKey(t, fmt.Sprint("key-", n)) })
	}
	enough := sync.OnceFunc(func() { close(f.enough); senders.Wait() })
	settled := sync.OnceFunc(func() { cancel(); watcher.Wait() })
	defer settled()
	defer enough()

	f.awaitMore(t, 2*flowKeys)
	for _, n := range f.Nodes() {
		f.kill(t, n)
	}
	busiest := slices.MaxFunc(f.Nodes(), func(a, b *dev.Node) int { return f.leads(t.Context(), flowIn, a) - f.leads(t.Context(), flowIn, b) })
	f.withoutRegistry(t, id, relays, func() { f.pause(t, busiest) })
	await(t, 2*time.Minute, "enough events to be sent", func() bool { return f.acked.Load() >= flowEvents || t.Failed() })
	enough()
	admin := f.administer(t)
	await(t, time.Minute, "all to be handled and committed", func() bool {
		groups, err := admin.Groups(t.Context(), relayGroup)
		return err == nil && groups[0].Err == nil && groups[0].Lag() == 0
	})
	settled()
	for _, p := range append(relays, source) {
		p.stop()
	}
	f.judge(t)
}

// judge reads what lies in the topics and judges the whole history.
func (f *flow) judge(t *testing.T) {
	t.Helper()
	for _, r := range f.readAll(t, flowIn, flowOut) {
		id, _ := record.Get(r.Headers, record.EventID)
		f.Add(history.Read{ID: id, Topic: r.Topic, Key: string(r.Key), Place: history.Place{Partition: r.Partition, Offset: r.Offset}})
	}
	f.Add(history.Final{Topic: flowIn}) // the producer is idempotent: no repeats
	f.Add(history.Final{Topic: flowIn, Group: relayGroup, AtLeastOnce: true})
	f.Add(history.Final{Topic: flowOut, AtLeastOnce: true})
	verdict := history.Check(f.Events())
	t.Log(verdict)
	t.Logf("lost %d, out of order %d, of a key at the same time %d, committed ahead %d; %d repeats; faults %v",
		verdict.Count(history.Lost), verdict.Count(history.OutOfOrder), verdict.Count(history.KeyOverlap), verdict.Count(history.CommitAhead),
		verdict.Counts.Repeats, verdict.Counts.Faults)
	if !verdict.OK() {
		t.Error("the history is not clean")
	}
	if want := map[string]int{"kill -9": 3, "SIGSTOP": 1, "registry away": 1}; !maps.Equal(verdict.Counts.Faults, want) {
		t.Errorf("faults = %v, want %v", verdict.Counts.Faults, want)
	}
	if dead := len(f.readAll(t, relayGroup+"."+flowIn+".dlq")); dead > 0 || verdict.Counts.Commits < 12 {
		t.Errorf("%d dead letters and %d commits seen, want none and at least one of each of 12 partitions", dead, verdict.Counts.Commits)
	}
	for _, name := range []string{"source", "relay"} {
		if denied := f.denials(t, name); len(denied) > 0 {
			t.Errorf("%s asked for what it has no right to: %v", name, denied)
		}
	}
}
