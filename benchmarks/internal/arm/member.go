package arm

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// franzMember is the bare client as a careful team uses it in a cooperative
// group, and as its author recommends where handlers are slow: a goroutine for
// each partition from assignment to revocation, a mark for each handled
// record, and a commit of the marks before a partition is given up.
func franzMember(ctx context.Context, j Job, _ string) error {
	m := &member{job: j, lanes: make(map[int32]*memberLane)}
	client, err := franzClient(j,
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.AutoCommitMarks(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(m.assigned),
		kgo.OnPartitionsRevoked(m.revoked),
		kgo.OnPartitionsLost(m.lost),
	)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	for {
		fetches := client.PollRecords(ctx, 1_000)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) > 0 {
				m.lanes[p.Partition].records <- p.Records
			}
		})
		client.AllowRebalance()
	}
}

// A member knows its partitions. The client calls back only while the loop
// polls, so the map needs no lock.
type member struct {
	job   Job
	lanes map[int32]*memberLane
}

type memberLane struct {
	records    chan []*kgo.Record
	quit, done chan struct{}
}

func (m *member) assigned(_ context.Context, client *kgo.Client, topics map[string][]int32) {
	for _, id := range topics[m.job.Topic] {
		lane := &memberLane{make(chan []*kgo.Record, 8), make(chan struct{}), make(chan struct{})}
		m.lanes[id] = lane
		go lane.serve(client, m.job)
	}
}

func (m *member) revoked(ctx context.Context, client *kgo.Client, topics map[string][]int32) {
	m.lost(ctx, client, topics)
	_ = client.CommitMarkedOffsets(ctx) // what it does not say is handled twice, and counted
}

// lost stops the partitions' goroutines, all of them before it waits for one.
func (m *member) lost(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
	for _, id := range topics[m.job.Topic] {
		close(m.lanes[id].quit)
	}
	for _, id := range topics[m.job.Topic] {
		<-m.lanes[id].done
		delete(m.lanes, id)
	}
}

func (l *memberLane) serve(client *kgo.Client, j Job) {
	defer close(l.done)
	for {
		select {
		case <-l.quit:
			return
		case records := <-l.records:
			for _, r := range records {
				select {
				case <-l.quit:
					return
				default:
				}
				_ = j.Handle(Record{r.Partition, r.Offset, r.Value})
				client.MarkCommitRecords(r)
			}
		}
	}
}
