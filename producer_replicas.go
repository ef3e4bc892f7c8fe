package slipway

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
)

// lookAtReplicas warns when a produced topic has no replica to spare: with
// acks=all nothing acknowledged is lost then, but the next broker that goes away
// stops all writing.
//
// min.insync.replicas is a configuration of the topic that a service may not
// read, so it is taken to be one below the number of replicas, which is what
// clusters with three replicas have, and never above what is in sync while
// writes come through.
func (l *link) lookAtReplicas(resp *kmsg.MetadataResponse) {
	for _, t := range resp.Topics {
		if q := l.pipes[nameOf(t.Topic)]; q != nil && q.link == l && kerr.ErrorForCode(t.ErrorCode) == nil && len(t.Partitions) > 0 {
			q.looked(t.Partitions)
		}
	}
}

func nameOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// looked notes how many in-sync replicas there are to spare. A partition with
// one replica has none by intention and is not worth a word.
func (q *pipe) looked(partitions []kmsg.MetadataResponseTopicPartition) {
	spare := func(p kmsg.MetadataResponseTopicPartition) int { return len(p.ISR) - max(1, len(p.Replicas)-1) }
	worst := slices.MinFunc(partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return spare(a) - spare(b) })
	now, before := int64(spare(worst)), q.spared.Swap(int64(spare(worst))+spareKnown)
	short := now <= 0 && len(worst.ISR) < len(worst.Replicas)
	switch was := q.short.Swap(short); {
	case short && (!was || now != before-spareKnown):
		q.link.log.Warn("no replica to spare", "code", diag.ProducerReplicas, "topic", q.physical, "partition", worst.Partition,
			"in_sync", len(worst.ISR), "replicas", len(worst.Replicas))
	case was && !short:
		q.link.log.Info("replicas are in sync again", "topic", q.physical)
	}
}

// spareKnown keeps a number of replicas apart from nothing known.
const spareKnown = 1 << 32

// spare is how many in-sync replicas there are to spare, if that is known.
func (q *pipe) spare() (n int64, known bool) {
	v := q.spared.Load()
	return v - spareKnown, v != 0
}
