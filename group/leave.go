package group

import (
	"context"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// Leave says which group another client shall go on with.
type Leave struct {
	Group string            // required
	Retry map[string]string // as in [Seek]
}

// Waiting is how many records lie before a group in one of its retry topics.
type Waiting struct {
	Topic   string `json:"topic"`
	Records int64  `json:"records"`
}

// Waiting tells what the retry topics of a group still hold, and how many
// members work on it. The records are at most those that wait: what the
// runtime keeps beside them is counted too until it is passed.
func (a *Admin) Waiting(ctx context.Context, l Leave) (waiting []Waiting, members int, err error) {
	s, err := a.read(ctx, l.Group)
	if err != nil {
		return nil, 0, err
	}
	if err := a.known(ctx, s); err != nil {
		return nil, 0, err
	}
	for _, topic := range valuesOf(retryTopics(s.held(), l.Retry)) {
		waiting = append(waiting, Waiting{topic, s.waiting(topic)})
	}
	slices.SortFunc(waiting, func(a, b Waiting) int { return strings.Compare(a.Topic, b.Topic) })
	return waiting, len(s.Members), nil
}

// Leave tells what it takes for any other client to go on where the runtime
// stopped: the same offsets without the runtime's metadata, and retry topics
// that are at their end. [Admin.Apply] does it. It is refused while records
// wait in a retry topic.
func (a *Admin) Leave(ctx context.Context, l Leave) (*Move, error) {
	s, err := a.read(ctx, l.Group)
	if err != nil {
		return nil, err
	}
	if err := a.known(ctx, s); err != nil {
		return nil, err
	}
	if s.share() {
		return nil, refuse(diag.New(diag.GroupShare, "group %s is a share group: any client can go on with it as it is", l.Group))
	}
	if err := empty(s.Membership); err != nil {
		return nil, err
	}
	retry := retryTopics(s.held(), l.Retry)
	m := a.newMove(ctx, "leave", s)
	var left diag.List
	var again int64
	for at, p := range s.positions {
		if _, ok := s.topics[at.Topic]; !ok {
			continue
		}
		again += ahead(p)
		step := m.step(s, at, kafka.GroupOffset{Offset: p.Offset, Epoch: p.Epoch}, "")
		step.Retry = slices.Contains(valuesOf(retry), at.Topic)
		step.will.Metadata = ""
		if _, ours := fence(p.Metadata, p.Offset); !ours && !step.Retry {
			step.will.Metadata = p.Metadata // another client's
		}
	}
	for _, topic := range valuesOf(retry) {
		if n := s.waiting(topic); n > 0 {
			left.Add(diag.New(diag.GroupRetryWaiting, "up to %s in %s", count(n, "record waits", "records wait"), topic))
		}
	}
	if len(left) > 0 {
		return nil, refuse(left...)
	}
	if again > 0 {
		m.note("%s ahead of the offsets: another client handles them again", count(again, "record is finished", "records are finished"))
	}
	m.note("keys that failed have no order any more once another client reads them")
	return m.sorted(), nil
}
