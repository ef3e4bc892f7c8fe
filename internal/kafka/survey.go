package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A Survey is what a cluster knows of many groups at about one time. What the
// cluster did not tell is absent, and Faults says why.
type Survey struct {
	At     time.Time // before the ends of the logs were asked for
	Groups map[string]Surveyed
	Topics map[string]TopicID
	Bounds map[Partition]Bounds // without the newest timestamps

	// Faults are why topics, or partitions of them, are absent that ought to
	// be there: one for each topic.
	Faults map[string]error
}

// A Surveyed is one group of a survey. If Err is set, nothing else is known.
type Surveyed struct {
	Membership
	Positions map[Partition]GroupOffset
	ShareLag  map[Partition]int64 // of a share group, where brokers tell it
	Err       error
}

// Survey looks at many groups with few requests: each kind of question once to
// each broker that has the answer to any, for up to [MaxBatch] groups together.
// It looks at the named topics and at those that the groups read or have
// positions in. It takes DESCRIBE on the groups and the topics.
//
// One group or broker that does not answer does not hide the others. The error
// is for a cluster that answers nothing.
func (c *Cluster) Survey(ctx context.Context, groups, topics []string) (Survey, error) {
	s := Survey{Groups: make(map[string]Surveyed, len(groups)), Topics: map[string]TopicID{}, Bounds: map[Partition]Bounds{}, Faults: map[string]error{}}
	for batch := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(groups))), MaxBatch) {
		c.surveyGroups(ctx, batch, s.Groups)
	}
	names := slices.Clone(topics)
	for _, g := range s.Groups {
		for at := range g.Positions {
			names = append(names, at.Topic)
		}
		for _, m := range g.Members {
			names = append(names, m.Topics...)
			names = slices.AppendSeq(names, maps.Keys(m.Assigned))
		}
	}
	slices.Sort(names)
	s.At = time.Now().UTC()
	err := c.surveyTopics(ctx, slices.Compact(names), &s)
	return s, err
}

// surveyGroups describes groups as classic ones, those that are not as KIP-848
// and then as share groups, and reads the positions of all.
func (c *Cluster) surveyGroups(ctx context.Context, batch []string, found map[string]Surveyed) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	ask := batch
	for _, describe := range []func(context.Context, []string, map[string]Surveyed){c.surveyClassic, c.surveyConsumer, c.surveyShare} {
		if len(ask) == 0 {
			break
		}
		describe(ctx, ask, found)
		ask = slices.DeleteFunc(slices.Clone(ask), func(id string) bool {
			g, ok := found[id]
			return ok && (g.Err != nil || !g.elsewhere())
		})
	}
	var share, other []string
	for _, id := range batch {
		switch g := found[id]; {
		case g.Err != nil:
		case g.Protocol == ShareProtocol:
			share = append(share, id)
		default:
			other = append(other, id)
		}
	}
	c.surveyPositions(ctx, other, found)
	c.surveySharePositions(ctx, share, found)
}

// elsewhere reports that the group may be of another kind than was asked for: it
// is unknown, or said to be at work without a member.
func (g Surveyed) elsewhere() bool {
	return g.State == Dead || g.State != "Empty" && len(g.Members) == 0
}

// note records what one broker said of a group. A group that it does not know,
// or a kind of group that it does not know, is Dead as far as it goes.
func (c *Cluster) note(found map[string]Surveyed, id string, err error, m Membership) {
	switch {
	case err == nil && m.State != Dead:
		found[id] = Surveyed{Membership: m.sorted()}
	case err == nil, absent(err):
		if _, before := found[id]; !before {
			found[id] = Surveyed{Membership: Membership{Group: id, State: Dead}}
		}
	default:
		found[id] = Surveyed{Membership: Membership{Group: id}, Err: c.diagnose(err)}
	}
}

func (c *Cluster) surveyClassic(ctx context.Context, batch []string, found map[string]Surveyed) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = batch
	for _, shard := range c.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			for _, id := range shard.Req.(*kmsg.DescribeGroupsRequest).Groups {
				c.note(found, id, shard.Err, Membership{})
			}
			continue
		}
		for _, g := range shard.Resp.(*kmsg.DescribeGroupsResponse).Groups {
			m := Membership{Group: g.Group, Protocol: ClassicProtocol, State: cmp.Or(g.State, Dead), Assignor: g.Protocol}
			for _, r := range g.Members {
				m.Members = append(m.Members, classicMember(r))
			}
			c.note(found, g.Group, kerr.ErrorForCode(g.ErrorCode), m)
		}
	}
}

// classicMember reads what a member joined with and what it was given. What
// does not read is not of a consumer, and left out.
func classicMember(r kmsg.DescribeGroupsResponseGroupMember) Member {
	m := Member{ID: r.MemberID, Instance: text(r.InstanceID), Client: r.ClientID, Host: r.ClientHost, Assigned: map[string][]int32{}}
	var join kmsg.ConsumerMemberMetadata
	if join.ReadFrom(r.ProtocolMetadata) == nil {
		m.Topics = slices.Sorted(slices.Values(join.Topics))
	}
	var assigned kmsg.ConsumerMemberAssignment
	if assigned.ReadFrom(r.MemberAssignment) == nil {
		for _, t := range assigned.Topics {
			m.Assigned[t.Topic] = slices.Sorted(slices.Values(t.Partitions))
		}
	}
	return m
}

func (c *Cluster) surveyConsumer(ctx context.Context, batch []string, found map[string]Surveyed) {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = batch
	var members []kmsg.ConsumerGroupDescribeResponseGroupMember
	var described []kmsg.ConsumerGroupDescribeResponseGroup
	for _, shard := range c.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			for _, id := range shard.Req.(*kmsg.ConsumerGroupDescribeRequest).Groups {
				c.note(found, id, shard.Err, Membership{})
			}
			continue
		}
		for _, g := range shard.Resp.(*kmsg.ConsumerGroupDescribeResponse).Groups {
			described = append(described, g)
			members = append(members, g.Members...)
		}
	}
	names, namesErr := c.assignedTopics(ctx, members)
	for _, g := range described {
		err := kerr.ErrorForCode(g.ErrorCode)
		if err == nil && len(g.Members) > 0 {
			err = namesErr
		}
		c.note(found, g.Group, err, consumerMembership(g, names))
	}
}

func (c *Cluster) surveyShare(ctx context.Context, batch []string, found map[string]Surveyed) {
	req := kmsg.NewPtrShareGroupDescribeRequest()
	req.GroupIDs = batch
	for _, shard := range c.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			for _, id := range shard.Req.(*kmsg.ShareGroupDescribeRequest).GroupIDs {
				c.note(found, id, shard.Err, Membership{})
			}
			continue
		}
		for _, g := range shard.Resp.(*kmsg.ShareGroupDescribeResponse).Groups {
			m := Membership{Group: g.GroupID, Protocol: ShareProtocol, State: cmp.Or(g.GroupState, Dead), Assignor: g.Assignor}
			for _, r := range g.Members {
				member := Member{ID: r.MemberID, Client: r.ClientID, Host: r.ClientHost, Topics: slices.Sorted(slices.Values(r.SubscribedTopicNames)), Assigned: map[string][]int32{}}
				for _, tp := range r.Assignment.TopicPartitions {
					member.Assigned[tp.Topic] = slices.Sorted(slices.Values(tp.Partitions))
				}
				m.Members = append(m.Members, member)
			}
			c.note(found, g.GroupID, kerr.ErrorForCode(g.ErrorCode), m)
		}
	}
}

func (c *Cluster) surveyPositions(ctx context.Context, groups []string, found map[string]Surveyed) {
	for id, fetched := range c.admin.FetchManyOffsets(ctx, groups...) {
		g := found[id]
		g.Positions = map[Partition]GroupOffset{}
		if err := fetched.Err; err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			g.Err = c.diagnose(err)
		}
		for topic, ps := range fetched.Fetched {
			for partition, o := range ps {
				switch {
				case o.Err != nil:
					g.Err = cmp.Or(g.Err, c.diagnose(fmt.Errorf("position in %s/%d: %w", topic, partition, o.Err)))
				case o.At >= 0 && topic != "": // the id of a topic that is gone has no name
					g.Positions[Partition{topic, partition}] = GroupOffset{o.At, o.LeaderEpoch, o.Metadata}
				}
			}
		}
		found[id] = g
	}
}

// surveySharePositions asks group by group: who reads by share groups has few,
// and the admin client gives up on all of them if one is refused.
func (c *Cluster) surveySharePositions(ctx context.Context, groups []string, found map[string]Surveyed) {
	for _, id := range groups {
		g := found[id]
		g.Positions, g.ShareLag, g.Err = c.SharePositions(ctx, id)
		found[id] = g
	}
}
