package group

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// The heading of a snapshot's file.
const (
	snapshotKind    = "GroupSnapshot"
	snapshotVersion = 1
)

// A Snapshot is where a group was, with all that it takes to put it back there,
// or at the same time in another place. Its JSON is kept compatible.
type Snapshot struct {
	Kind     string    `json:"kind"`
	Version  int       `json:"version"`
	Group    string    `json:"group"`
	Protocol string    `json:"protocol,omitempty"` // classic, consumer or share
	Cluster  string    `json:"clusterId"`
	Taken    time.Time `json:"taken"`
	Topics   []Topic   `json:"topics"` // sorted by name
}

// A Topic is a group's positions in one topic.
type Topic struct {
	Name      string     `json:"name"`
	ID        string     `json:"id,omitempty"` // of this life of the topic
	Positions []Position `json:"positions"`    // of every partition, in order
}

// A Position is where a group is in one partition.
type Position struct {
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"` // of the next record; [NoPosition] if none
	End       int64  `json:"end"`    // of the log
	Epoch     int32  `json:"leaderEpoch"`
	Metadata  string `json:"metadata,omitempty"`

	// Time is that of the record at Offset; nil if there is none yet or it
	// could not be read.
	Time *time.Time `json:"time,omitempty"`
}

// Untimed is how many positions have an unread record whose time is not known.
// They cannot be restored by time.
func (s *Snapshot) Untimed() (n int) {
	for _, t := range s.Topics {
		for _, p := range t.Positions {
			if p.Time == nil && p.Offset != NoPosition && p.Offset < p.End {
				n++
			}
		}
	}
	return n
}

// Encode returns the snapshot as it is kept in a file.
func (s *Snapshot) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// ParseSnapshot reads what [Snapshot.Encode] wrote.
func ParseSnapshot(text []byte) (*Snapshot, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	s := new(Snapshot)
	if err := dec.Decode(s); err != nil {
		return nil, diag.New(diag.GroupSnapshotInvalid, "the snapshot cannot be read: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, diag.New(diag.GroupSnapshotInvalid, "something follows the snapshot")
	}
	if s.Kind != snapshotKind || s.Version != snapshotVersion {
		return nil, diag.New(diag.GroupSnapshotInvalid, "this is %s of version %d, not a %s of version %d", cmp.Or(s.Kind, "a document"), s.Version, snapshotKind, snapshotVersion)
	}
	return s, s.check()
}

// check finds what no group could have.
func (s *Snapshot) check() error {
	var faults diag.List
	fault := func(format string, args ...any) { faults.Add(diag.New(diag.GroupSnapshotInvalid, format, args...)) }
	if s.Group == "" {
		fault("the snapshot names no group")
	}
	names := map[string]bool{}
	for _, t := range s.Topics {
		if t.Name == "" || names[t.Name] {
			fault("topic %q is named twice, or not at all", t.Name)
		}
		names[t.Name] = true
		for i, p := range t.Positions {
			if p.Partition != int32(i) {
				fault("topic %s: partition %d stands where %d belongs", t.Name, p.Partition, i)
			}
			if p.Offset < NoPosition || p.End < 0 || p.Epoch < -1 {
				fault("topic %s, partition %d: offset %d, end %d, leader epoch %d cannot be", t.Name, p.Partition, p.Offset, p.End, p.Epoch)
			}
		}
	}
	return faults.Err()
}

// Snapshot keeps where a group is in some topics, in all that it has positions
// in if none are named. Times that cannot be read are left out, see
// [Snapshot.Untimed].
func (a *Admin) Snapshot(ctx context.Context, id string, topics ...string) (*Snapshot, error) {
	s, err := a.read(ctx, id, topics...)
	if err != nil {
		return nil, err
	}
	if err := a.known(ctx, s); err != nil {
		return nil, err
	}
	if len(topics) > 0 {
		if _, err := s.chosen(topics, nil); err != nil {
			return nil, err
		}
	}
	snap := a.snapshot(ctx, s, topics)
	if len(snap.Topics) == 0 {
		return nil, diag.New(diag.GroupNothing, "group %s has no position to keep", id)
	}
	return snap, nil
}

// snapshot is the state as a snapshot: of the topics named, else of all that
// are known of the group.
func (a *Admin) snapshot(ctx context.Context, s *state, topics []string) *Snapshot {
	snap := &Snapshot{
		Kind: snapshotKind, Version: snapshotVersion, Group: s.Group, Protocol: string(s.Protocol),
		Cluster: a.cluster.ID(), Taken: s.at.Truncate(time.Millisecond), Topics: []Topic{},
	}
	if len(topics) == 0 {
		for name := range s.topics {
			topics = append(topics, name)
		}
	}
	topics = slices.Clone(topics)
	slices.Sort(topics)
	unread := map[kafka.Partition]int64{}
	for _, name := range slices.Compact(topics) {
		t := Topic{Name: name, ID: s.topics[name].ID}
		for _, at := range s.partitions(name) {
			p, b := s.position(at), s.bounds[at]
			t.Positions = append(t.Positions, Position{Partition: at.ID, Offset: p.Offset, End: b.End, Epoch: p.Epoch, Metadata: p.Metadata})
			if p.Offset >= b.Start && p.Offset < b.End {
				unread[at] = p.Offset
			}
		}
		snap.Topics = append(snap.Topics, t)
	}
	times, _ := a.cluster.Timestamps(ctx, unread) // what cannot be read is counted by Untimed
	for _, t := range snap.Topics {
		for i := range t.Positions {
			if at, ok := times[kafka.Partition{Topic: t.Name, ID: int32(i)}]; ok {
				t.Positions[i].Time = &at
			}
		}
	}
	return snap
}
