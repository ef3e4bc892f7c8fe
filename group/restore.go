package group

import (
	"context"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// Restore says what to put back.
type Restore struct {
	Snapshot *Snapshot // required

	// ByTime takes the times of the records in place of their offsets, for
	// another cluster or a topic made anew. Retry topics stay as they are.
	ByTime bool

	// Group is who to put there.
	//
	// Defaults to the snapshot's.
	Group string

	// Margin is how much earlier ByTime begins.
	Margin time.Duration

	// Retry names the retry topic of each topic, as in [Seek].
	Retry map[string]string
}

// Restore tells what putting a group back would do. [Admin.Apply] does it.
// Topics that the snapshot does not have stay as they are; a partition in
// which the group had no position loses the one it has now.
func (a *Admin) Restore(ctx context.Context, r Restore) (*Move, error) {
	snap := r.Snapshot
	if err := snap.check(); err != nil {
		return nil, err
	}
	id := snap.Group
	if r.Group != "" {
		id = r.Group
	}
	var names []string
	for _, t := range snap.Topics {
		names = append(names, t.Name)
	}
	s, err := a.read(ctx, id, names...)
	if err != nil {
		return nil, err
	}
	if (snap.Protocol == string(kafka.ShareProtocol)) != s.share() && !s.unknown() {
		return nil, refuse(diag.New(diag.GroupShare, "the snapshot is of a %s group, and group %s is a %s one", snap.Protocol, id, s.Protocol))
	}
	if err := a.fits(s, snap, r.ByTime); err != nil {
		return nil, err
	}
	m := a.newMove(ctx, "restore", s)
	m.share = snap.Protocol == string(kafka.ShareProtocol)
	if r.ByTime {
		err = a.restoreByTime(ctx, m, s, r, names)
	} else {
		m.restore(s, snap, valuesOf(retryTopics(append(s.held(), names...), r.Retry)))
	}
	return m.sorted(), err
}

// fits refuses offsets that mean other records here.
func (a *Admin) fits(s *state, snap *Snapshot, byTime bool) error {
	var missing, foreign diag.List
	if snap.Cluster != a.cluster.ID() {
		foreign.Add(diag.New(diag.GroupForeign, "the snapshot was taken on cluster %s, and this is %s", snap.Cluster, a.cluster.ID()))
	}
	for _, t := range snap.Topics {
		have, ok := s.topics[t.Name]
		switch {
		case !ok:
			missing.Add(diag.New(diag.GroupNoPartition, "topic %s does not exist", t.Name))
		case len(foreign) == 0 && t.ID != "" && have.ID != "" && t.ID != have.ID:
			foreign.Add(diag.New(diag.GroupForeign, "topic %s was made anew since the snapshot", t.Name).
				WithEvidence("its id was %s and is %s", t.ID, have.ID))
		case len(t.Positions) > int(have.Partitions) && !byTime:
			missing.Add(diag.New(diag.GroupNoPartition, "topic %s has %d partitions and had %d", t.Name, have.Partitions, len(t.Positions)))
		}
	}
	if err := missing.Err(); err != nil {
		return err
	}
	if len(foreign) > 0 && !byTime {
		return refuse(foreign...)
	}
	return nil
}

// restore takes the offsets as they are, with their metadata. In a retry topic
// the fence is the one in effect at the offset, so it goes back with it.
func (m *Move) restore(s *state, snap *Snapshot, retry []string) {
	for _, t := range snap.Topics {
		for _, p := range t.Positions {
			at := kafka.Partition{Topic: t.Name, ID: p.Partition}
			why := ""
			if p.Offset == NoPosition {
				why = "it had no position"
			}
			want := kafka.GroupOffset{Offset: p.Offset, Epoch: p.Epoch, Metadata: p.Metadata}
			step := m.step(s, at, want, why)
			step.Retry = slices.Contains(retry, t.Name)
			want.Metadata, want.Offset = moved(want, step.To), step.To // unless it was brought within the log
			switch {
			case step.To == NoPosition:
				step.will.Metadata = ""
			case step.Retry:
				step.will.Metadata = want.Metadata
			default:
				step.will.Metadata = fenced(want, step.was)
			}
		}
		if grown := int(s.topics[t.Name].Partitions) - len(t.Positions); grown > 0 {
			m.note("%s has %s more than the snapshot: they stay as they are", t.Name, count(grown, "partition", "partitions"))
		}
	}
}

func (a *Admin) restoreByTime(ctx context.Context, m *Move, s *state, r Restore, names []string) error {
	retry := retryTopics(names, r.Retry)
	for _, t := range r.Snapshot.Topics {
		if slices.Contains(valuesOf(retry), t.Name) {
			m.note("%s stays as it is: what waits for another attempt is not carried over by time", t.Name)
			continue
		}
		places := make([]reached, len(t.Positions))
		for i, p := range t.Positions {
			switch {
			case p.Offset != NoPosition && p.Offset >= p.End:
				places[i] = reached{r.Snapshot.Taken, true}
			case p.Time != nil:
				places[i] = reached{*p.Time, true}
			}
		}
		to, err := a.byTime(ctx, s, []string{t.Name}, carried(places, func(name string) int { return int(s.topics[name].Partitions) }, r.Margin))
		if err != nil {
			return err
		}
		for _, at := range s.partitions(t.Name) {
			target, why := to(at)
			step := m.step(s, at, target, why)
			step.will.Metadata = moved(step.was, step.To)
		}
	}
	if len(m.Steps) == 0 {
		return diag.New(diag.GroupNothing, "the snapshot has no topic that could be restored by time")
	}
	return nil
}
