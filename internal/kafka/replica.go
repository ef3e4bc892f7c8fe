package kafka

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
)

// Reassign gives topics the number of replicas in each Topic. What a partition
// has stays where it is as far as it can, its leader always; what is added goes
// to the racks, and there to the brokers, that have least. The cluster copies in
// its own time: Reassign returns when it has begun to.
func (c *Cluster) Reassign(ctx context.Context, topics []Topic) []error {
	return inBatches(ctx, c, topics, c.reassign)
}

func (c *Cluster) reassign(ctx context.Context, batch []Topic) ([]error, error) {
	names := kmsg.NewPtrMetadataRequest()
	want := make(map[string]int, len(batch))
	for _, t := range batch {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = &t.Name
		names.Topics = append(names.Topics, rt)
		want[t.Name] = t.Replicas
	}
	metadata, err := names.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	busy, err := c.reassigning(ctx, metadata.Topics)
	if err != nil {
		return nil, err
	}
	answers := make(map[string]error, len(batch))
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis = int32(c.timeout.Milliseconds())
	at := newPlacement(metadata)
	for _, t := range metadata.Topics {
		if t.Topic == nil {
			continue
		}
		if answers[*t.Topic] = c.answer(t.ErrorCode, nil); t.ErrorCode != 0 {
			continue
		}
		if busy[*t.Topic] {
			answers[*t.Topic] = diag.New(diag.KafkaRefused, "its replicas are on the move already").
				WithFix("wait until that is over (kafka-reassign-partitions.sh --list tells), and apply again")
			continue
		}
		if moved := at.moves(t.Partitions, want[*t.Topic]); len(moved) > 0 {
			rt := kmsg.NewAlterPartitionAssignmentsRequestTopic()
			rt.Topic, rt.Partitions = *t.Topic, moved
			req.Topics = append(req.Topics, rt)
		}
	}
	if len(req.Topics) > 0 {
		resp, err := req.RequestWith(ctx, c.client)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err != nil {
			return nil, err
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				answers[t.Topic] = cmp.Or(answers[t.Topic], c.answer(p.ErrorCode, p.ErrorMessage))
			}
		}
	}
	return byName(batch, func(t Topic) string { return t.Name }, answers), nil
}

// reassigning are those of some topics whose replicas are on the move.
func (c *Cluster) reassigning(ctx context.Context, topics []kmsg.MetadataResponseTopic) (map[string]bool, error) {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.TimeoutMillis = int32(c.timeout.Milliseconds())
	req.Topics = []kmsg.ListPartitionReassignmentsRequestTopic{} // none, where nil would mean all
	for _, t := range topics {
		if t.Topic == nil || t.ErrorCode != 0 {
			continue
		}
		rt := kmsg.NewListPartitionReassignmentsRequestTopic()
		rt.Topic = *t.Topic
		for _, p := range t.Partitions {
			rt.Partitions = append(rt.Partitions, p.Partition)
		}
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	busy := make(map[string]bool)
	for _, t := range resp.Topics {
		busy[t.Topic] = busy[t.Topic] || len(t.Partitions) > 0
	}
	return busy, nil
}

// A placement chooses brokers for replicas.
type placement struct {
	rack map[int32]string // of every broker
	load map[int32]int    // replicas of the topics in question
}

func newPlacement(m *kmsg.MetadataResponse) *placement {
	at := &placement{rack: make(map[int32]string), load: make(map[int32]int)}
	for _, b := range m.Brokers {
		at.rack[b.NodeID] = ""
		if b.Rack != nil {
			at.rack[b.NodeID] = *b.Rack
		}
	}
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			for _, id := range p.Replicas {
				at.load[id]++
			}
		}
	}
	return at
}

// moves returns the partitions that do not have the wanted number of replicas,
// with those that they shall have.
func (at *placement) moves(partitions []kmsg.MetadataResponseTopicPartition, want int) []kmsg.AlterPartitionAssignmentsRequestTopicPartition {
	var moved []kmsg.AlterPartitionAssignmentsRequestTopicPartition
	for _, p := range partitions {
		if len(p.Replicas) == want {
			continue
		}
		rp := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		rp.Partition, rp.Replicas = p.Partition, at.place(p.Replicas, p.Leader, want)
		moved = append(moved, rp)
	}
	return moved
}

// place returns so many brokers, as far as there are, for a partition that lies
// on some.
func (at *placement) place(has []int32, leader int32, want int) []int32 {
	now := slices.Clone(has)
	for i := len(now) - 1; i >= 0 && len(now) > want; i-- {
		if now[i] != leader {
			at.load[now[i]]--
			now = slices.Delete(now, i, i+1)
		}
	}
	for len(now) < want && len(now) < len(at.rack) {
		next := at.least(now)
		at.load[next]++
		now = append(now, next)
	}
	return now
}

// least is the broker that a replica beside these is best put on.
func (at *placement) least(beside []int32) int32 {
	mates := func(id int32) (n int) {
		for _, o := range beside {
			if at.rack[o] == at.rack[id] {
				n++
			}
		}
		return n
	}
	best, found := int32(0), false
	for id := range at.rack {
		if slices.Contains(beside, id) {
			continue
		}
		if !found || cmp.Or(cmp.Compare(mates(id), mates(best)), cmp.Compare(at.load[id], at.load[best]), cmp.Compare(id, best)) < 0 {
			best, found = id, true
		}
	}
	return best
}
