package group

import (
	"maps"
	"slices"

	"github.com/slipway-go/slipway/internal/kafka"
)

// aboutRetry says what a move does with records that wait for another attempt,
// and resets the retry topics if it is asked to.
func (m *Move) aboutRetry(s *state, retry map[string]string, reset bool) {
	if m.share {
		m.note("a share group: records that are in flight now are delivered again")
	}
	for _, source := range slices.Sorted(maps.Keys(retry)) {
		back, forth := m.directions(source)
		topic := retry[source]
		waiting := s.waiting(topic)
		switch {
		case reset && slices.ContainsFunc(m.Steps, func(s Step) bool { return s.Topic == source }):
			m.reset(s, topic)
			m.note("%s goes to its end: %s there and not handled, except what is read again from %s", topic, count(waiting, "record is left", "records are left"), source)
		case back && waiting > 0:
			m.note("records of %s that %s still knows, as waiting or as settled, are not handled again; with --reset-retry they are", source, topic)
		}
		if forth && !reset && waiting > 0 {
			m.note("up to %s in %s still run, although %s goes forth", count(waiting, "record that waits", "records that wait"), topic, source)
		}
	}
}

// directions tells which ways a topic's steps go.
func (m *Move) directions(topic string) (back, forth bool) {
	for _, s := range m.Steps {
		if s.Topic == topic && s.Changed() {
			back = back || s.From == NoPosition || s.To < s.From
			forth = forth || s.To > s.From
		}
	}
	return back, forth
}

// waiting is how many records of a topic lie before the group. In a retry topic
// that is at most so many records that wait: marks and markers count too.
func (s *state) waiting(topic string) (n int64) {
	for _, at := range s.partitions(topic) {
		b := s.bounds[at]
		n += max(0, b.End-max(b.Start, s.position(at).Offset))
	}
	return n
}

// reset puts a retry topic's positions to its end. The fence stays, and is no
// lower than the source's, because markers that lie below the end are not read.
func (m *Move) reset(s *state, topic string) {
	for _, at := range s.partitions(topic) {
		step := m.step(s, at, kafka.GroupOffset{Offset: s.bounds[at].End, Epoch: s.bounds[at].EndEpoch}, "retry state is reset")
		step.will.Metadata = moved(step.was, step.To)
		step.Retry = true
	}
}
