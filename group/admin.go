package group

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// ErrRefused reports that a guard stopped a move before anything was changed.
// The diagnostics beside it say why, and what would let it pass.
var ErrRefused = errors.New("refused by a guard")

// refusal is ErrRefused with its reasons.
type refusal struct{ reasons diag.List }

func refuse(reasons ...diag.Diagnostic) error { return &refusal{reasons} }

func (r *refusal) Error() string { return r.reasons.Error() }

func (r *refusal) Unwrap() []error { return []error{ErrRefused, r.reasons} }

// An Admin looks at groups and moves them. It is safe for concurrent use.
//
// Looking takes DESCRIBE on the groups and their topics; lag in seconds READ
// on the topics. Moving takes READ on the group and the topics, removing a
// position DELETE on the group.
type Admin struct{ cluster *kafka.Cluster }

// New returns an Admin on a client, which stays the caller's to close. The
// client must consume nothing itself. New asks the cluster for its id.
func New(ctx context.Context, client *kgo.Client) (*Admin, error) {
	cluster, err := kafka.Use(ctx, client)
	if err != nil {
		return nil, err
	}
	return &Admin{cluster}, nil
}

// On returns an Admin on a connection of Slipway's own.
func On(cluster *kafka.Cluster) *Admin { return &Admin{cluster} }

// state is everything that is known of a group at one time.
type state struct {
	kafka.Membership
	at        time.Time
	positions map[kafka.Partition]kafka.GroupOffset
	shareLag  map[kafka.Partition]int64
	topics    map[string]kafka.TopicID
	bounds    map[kafka.Partition]kafka.Bounds
}

// read looks at a group, the topics it reads or has positions in, and more.
func (a *Admin) read(ctx context.Context, id string, more ...string) (*state, error) {
	s := &state{at: time.Now().UTC()} // before the ends are asked for
	var err error
	if s.Membership, err = a.cluster.Membership(ctx, id); err != nil {
		return nil, err
	}
	if s.share() {
		s.positions, s.shareLag, err = a.cluster.SharePositions(ctx, id)
	} else {
		s.positions, err = a.cluster.Positions(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	names := slices.Clone(more)
	for at := range s.positions {
		names = append(names, at.Topic)
	}
	for _, m := range s.Members {
		names = append(names, m.Topics...)
		names = slices.AppendSeq(names, maps.Keys(m.Assigned))
	}
	slices.Sort(names)
	if s.topics, err = a.cluster.TopicIDs(ctx, slices.Compact(names)...); err != nil {
		return nil, err
	}
	s.bounds, err = a.cluster.Bounds(ctx, slices.Sorted(maps.Keys(s.topics))...)
	return s, err
}

func (s *state) share() bool { return s.Protocol == kafka.ShareProtocol }

// unknown reports that nobody knows the group: it has neither members nor
// positions.
func (s *state) unknown() bool { return s.State == kafka.Dead && len(s.positions) == 0 }

// position is where the group stands; without a commit the offset is
// [NoPosition].
func (s *state) position(at kafka.Partition) kafka.GroupOffset {
	if p, ok := s.positions[at]; ok {
		return p
	}
	return kafka.GroupOffset{Offset: NoPosition, Epoch: -1}
}

// partitions are all of a topic, in order.
func (s *state) partitions(topic string) []kafka.Partition {
	all := make([]kafka.Partition, s.topics[topic].Partitions)
	for i := range all {
		all[i] = kafka.Partition{Topic: topic, ID: int32(i)}
	}
	return all
}

// held are the topics the group has positions in, sorted.
func (s *state) held() []string {
	var names []string
	for at := range s.positions {
		names = append(names, at.Topic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// known is the error of a group that does not exist.
func (a *Admin) known(ctx context.Context, s *state) error {
	if !s.unknown() {
		return nil
	}
	d := diag.New(diag.GroupUnknown, "there is no group %s on cluster %s", s.Group, a.cluster.ID())
	if names, err := a.cluster.GroupNames(ctx); err == nil && len(names) > 0 {
		d = d.WithEvidence("groups that may be seen: %s", list(names, 8))
	}
	return d
}

// empty refuses a group that has members, and says who they are: an offset
// that is moved under a member is overwritten by its next commit.
func empty(m kafka.Membership) error {
	if len(m.Members) == 0 {
		return nil
	}
	d := diag.New(diag.GroupHasMembers, "group %s is %s and has %s; it cannot be moved under them", m.Group, m.State, count(len(m.Members), "member", "members"))
	for _, member := range m.Members {
		d = d.WithEvidence("%s on %s holds %s", name(member), member.Host, assignment(member.Assigned))
	}
	return refuse(d)
}

// name is what a person would know a member by.
func name(m kafka.Member) string {
	if m.Instance != "" {
		return m.Instance
	}
	return m.Client
}
