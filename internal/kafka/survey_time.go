package kafka

import (
	"context"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// datingRounds bounds the questions about one partition. From the beginning
	// of time it takes eleven to come within a sixty-fourth.
	datingRounds = 16

	// datingError is the share of its age that a record's time may be wrong by.
	datingError = 1.0 / 64
)

// Dates finds of what time the records at some offsets are, without reading
// them: it asks for the first record of a time and halves, on the scale of ages,
// what is left. All partitions are asked about together. It takes DESCRIBE on the
// topics.
//
// The time is the record's own, or up to a sixty-fourth of its age younger. What
// could not be found out is absent.
func (c *Cluster) Dates(ctx context.Context, at map[Partition]int64) map[Partition]time.Time {
	now := time.Now()
	dated := map[Partition]time.Time{}
	open := make(map[Partition]*dating, len(at))
	for p, offset := range at {
		open[p] = &dating{offset: offset, younger: 1, older: max(2, float64(now.UnixMilli()))}
	}
	for range datingRounds {
		ctx, cancel := c.bounded(ctx)
		answers := c.offsets(ctx, datingRequest(open), func(p Partition) int64 { return now.UnixMilli() - open[p].middle() }, func(Partition, error) {})
		cancel()
		for p, d := range open {
			answer, ok := answers[p]
			if ok && !d.heard(answer, now) {
				continue
			}
			if delete(open, p); ok {
				dated[p] = now.Add(-time.Duration(d.younger) * time.Millisecond)
			}
		}
		if len(open) == 0 {
			break
		}
	}
	return dated
}

func datingRequest(open map[Partition]*dating) *kmsg.ListOffsetsRequest {
	topics := map[string]*kmsg.ListOffsetsRequestTopic{}
	for p := range open {
		t := topics[p.Topic]
		if t == nil {
			fresh := kmsg.NewListOffsetsRequestTopic()
			fresh.Topic, t = p.Topic, &fresh
			topics[p.Topic] = t
		}
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition = p.ID
		t.Partitions = append(t.Partitions, rp)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	for _, t := range topics {
		req.Topics = append(req.Topics, *t)
	}
	return req
}

// A dating closes in on the age of the record at an offset, in milliseconds.
type dating struct {
	offset         int64
	younger, older float64
}

func (d *dating) middle() int64 { return int64(math.Sqrt(d.younger * d.older)) }

// heard takes an answer about the middle, and reports whether that is enough.
func (d *dating) heard(p kmsg.ListOffsetsResponseTopicPartition, now time.Time) bool {
	switch {
	case p.Offset == d.offset && p.Timestamp >= 0:
		d.younger = max(0, float64(now.UnixMilli()-p.Timestamp))
		return true
	case p.Offset < 0 || p.Offset > d.offset: // no record before it is as young
		d.younger = max(d.younger, float64(d.middle()))
	default:
		d.older = float64(d.middle())
	}
	return d.older-d.younger <= max(2, d.younger*datingError)
}
