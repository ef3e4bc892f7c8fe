package group

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// NoPosition is the offset of a partition in which a group has committed
// nothing: its readers begin where their own policy says.
const NoPosition int64 = kafka.NoOffset

// A Move is what would change in a group, partition by partition. It is made by
// [Admin.Seek] and its kin, and carried out by [Admin.Apply].
type Move struct {
	Group   string `json:"group"`
	Cluster string `json:"clusterId"`
	Action  string `json:"action"` // seek, restore, migrate or leave
	Steps   []Step `json:"steps"`  // sorted by topic and partition

	// Notes are what follows from the move, for whoever decides on it.
	Notes []string `json:"notes,omitempty"`

	// Before is the group as it is. Restoring it undoes the move.
	Before *Snapshot `json:"-"`

	share bool
}

// A Step is the move of one partition. The offsets are those of the next
// record, or [NoPosition].
type Step struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	Skipped   int64  `json:"skipped"`       // records that would not be handled
	Repeated  int64  `json:"repeated"`      // records that would be handled again
	Why       string `json:"why,omitempty"` // where To comes from, if it is not plain
	Retry     bool   `json:"retry,omitempty"`

	was, will kafka.GroupOffset
}

// Changed reports whether the step changes anything that is kept of the
// partition.
func (s Step) Changed() bool {
	return s.From != s.To || s.was.Metadata != s.will.Metadata
}

func (s Step) at() kafka.Partition { return kafka.Partition{Topic: s.Topic, ID: s.Partition} }

// Empty reports whether the move would change nothing.
func (m *Move) Empty() bool { return !slices.ContainsFunc(m.Steps, Step.Changed) }

// Skipped is how many records the move would leave unhandled, and Repeated how
// many it would have handled again.
func (m *Move) Skipped() (n int64) {
	for _, s := range m.Steps {
		n += s.Skipped
	}
	return n
}

// Repeated is how many records would be handled again.
func (m *Move) Repeated() (n int64) {
	for _, s := range m.Steps {
		n += s.Repeated
	}
	return n
}

func (m *Move) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(m.Notes, text) {
		m.Notes = append(m.Notes, text)
	}
}

// newMove begins a move with what undoes it.
func (a *Admin) newMove(ctx context.Context, action string, s *state) *Move {
	return &Move{Group: s.Group, Cluster: a.cluster.ID(), Action: action, share: s.share(), Before: a.snapshot(ctx, s, nil)}
}

// step adds a partition's move, in place of one that was there. The target is
// brought within the log.
func (m *Move) step(s *state, at kafka.Partition, to kafka.GroupOffset, why string) *Step {
	was, b := s.position(at), s.bounds[at]
	switch {
	case to.Offset == NoPosition:
	case to.Offset < b.Start:
		why = joined(why, fmt.Sprintf("%d is deleted: the log starts at %d", to.Offset, b.Start))
		to.Offset, to.Epoch = b.Start, -1
	case to.Offset > b.End:
		why = joined(why, fmt.Sprintf("%d is not written yet: the log ends at %d", to.Offset, b.End))
		to.Offset, to.Epoch = b.End, b.EndEpoch
	}
	if to.Offset == was.Offset {
		to.Epoch = was.Epoch
	}
	step := Step{Topic: at.Topic, Partition: at.ID, From: was.Offset, To: to.Offset, Why: why, was: was, will: to}
	if was.Offset != NoPosition && to.Offset != NoPosition {
		from := min(max(was.Offset, b.Start), b.End)
		step.Skipped, step.Repeated = max(0, to.Offset-from), max(0, from-to.Offset)
	}
	m.Steps = slices.DeleteFunc(m.Steps, func(s Step) bool { return s.at() == at })
	m.Steps = append(m.Steps, step)
	return &m.Steps[len(m.Steps)-1]
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// sorted puts the steps in order.
func (m *Move) sorted() *Move {
	slices.SortFunc(m.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return m
}

// Apply makes a move and reads back that it was made. A move of a group that
// has members now, or that is no longer where the move says, is refused.
func (a *Admin) Apply(ctx context.Context, m *Move) error {
	if err := a.Check(ctx, m); err != nil {
		return err
	}
	place, forget := map[kafka.Partition]kafka.GroupOffset{}, []kafka.Partition{}
	for _, s := range m.Steps {
		switch {
		case !s.Changed():
		case s.To == NoPosition:
			forget = append(forget, s.at())
		default:
			place[s.at()] = s.will
		}
	}
	if err := a.write(ctx, m, place, forget); err != nil {
		return err
	}
	return a.verify(ctx, m)
}

// Check tells whether [Admin.Apply] would refuse a move, and changes nothing.
func (a *Admin) Check(ctx context.Context, m *Move) error {
	now, err := a.read(ctx, m.Group)
	if err != nil {
		return err
	}
	if err := empty(now.Membership); err != nil {
		return err
	}
	return m.fresh(now)
}

// fresh refuses a move that was planned from other positions.
func (m *Move) fresh(now *state) error {
	for _, s := range m.Steps {
		if have := now.position(s.at()); have.Offset != s.was.Offset || have.Metadata != s.was.Metadata {
			return refuse(diag.New(diag.GroupStale, "group %s has moved since it was looked at", m.Group).
				WithEvidence("%s was at %d and is at %d", s.at(), s.was.Offset, have.Offset))
		}
	}
	return nil
}

func (a *Admin) write(ctx context.Context, m *Move, place map[kafka.Partition]kafka.GroupOffset, forget []kafka.Partition) error {
	refused := map[kafka.Partition]error{}
	commit := a.cluster.Commit
	if m.share {
		commit = a.cluster.CommitShare
	}
	if len(place) > 0 {
		errs, err := commit(ctx, m.Group, place)
		if err != nil {
			return err
		}
		maps.Copy(refused, errs)
	}
	if len(forget) > 0 && !m.share {
		errs, err := a.cluster.Forget(ctx, m.Group, forget)
		if err != nil {
			return err
		}
		maps.Copy(refused, errs)
	}
	return m.refusedBy(refused)
}

// refusedBy tells the partitions that Kafka did not move. A member that joined
// in between is a guard's refusal like any other.
func (m *Move) refusedBy(errs map[kafka.Partition]error) error {
	if len(errs) == 0 {
		return nil
	}
	d := diag.New(diag.GroupCommitRefused, "%s of %d of group %s were not moved", count(len(errs), "partition", "partitions"), len(m.Steps), m.Group)
	for _, s := range m.Steps {
		switch err := errs[s.at()]; {
		case err == nil:
		case isOneOf(err, kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.NonEmptyGroup, kerr.RebalanceInProgress):
			return refuse(diag.New(diag.GroupHasMembers, "a member joined group %s while it was to be moved", m.Group).
				WithEvidence("%s: %v", s.at(), err))
		default:
			d = d.WithEvidence("%s: %v", s.at(), err)
		}
	}
	return d
}

func isOneOf(err error, codes ...*kerr.Error) bool {
	return slices.ContainsFunc(codes, func(e *kerr.Error) bool { return errors.Is(err, e) })
}

// verify reads the group back.
func (a *Admin) verify(ctx context.Context, m *Move) error {
	now, err := a.read(ctx, m.Group)
	if err != nil {
		return err
	}
	d := diag.New(diag.GroupUnverified, "group %s is not where it was moved to", m.Group)
	for _, s := range m.Steps {
		have := now.position(s.at())
		if s.To == NoPosition && m.share || !s.Changed() {
			continue
		}
		if have.Offset != s.To || !m.share && have.Metadata != s.will.Metadata {
			d = d.WithEvidence("%s is at %d, not at %d", s.at(), have.Offset, s.To)
		}
	}
	if len(d.Evidence) > 0 {
		return d
	}
	return nil
}
