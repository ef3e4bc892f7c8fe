package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A Protocol is how the members of a group agree who reads what.
type Protocol string

// The protocols. A group that nobody knows has none.
const (
	ClassicProtocol  Protocol = "classic"
	ConsumerProtocol Protocol = "consumer" // KIP-848
	ShareProtocol    Protocol = "share"    // KIP-932
)

// Dead is the state of a group that does not exist, as it is to Kafka.
const Dead = "Dead"

// A Membership is who is in a group and who reads what.
type Membership struct {
	Group    string
	Protocol Protocol
	State    string // Kafka's word: Stable, Empty, PreparingRebalance, Dead …
	Assignor string
	Members  []Member // sorted by client and id
}

// A Member is one reader of a group.
type Member struct {
	ID       string
	Instance string // group.instance.id, if it is a static member
	Client   string
	Host     string
	Topics   []string           // what it is subscribed to, sorted
	Assigned map[string][]int32 // partitions by topic, sorted
}

// Holder returns the members that read a partition: at most one, but in a
// share group.
func (m Membership) Holder(topic string, partition int32) []Member {
	var holders []Member
	for _, member := range m.Members {
		if slices.Contains(member.Assigned[topic], partition) {
			holders = append(holders, member)
		}
	}
	return holders
}

// Membership looks at a group of whatever protocol. One that does not exist is
// [Dead] and has no protocol; one that only ever committed offsets is Empty.
func (c *Cluster) Membership(ctx context.Context, group string) (Membership, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	var (
		found [3]Membership
		errs  [3]error
		wg    sync.WaitGroup
	)
	for i, describe := range []func(context.Context, string) (Membership, error){c.describeConsumer, c.describeShare, c.describeClassic} {
		wg.Go(func() { found[i], errs[i] = describe(ctx, group) })
	}
	wg.Wait()
	for i := range found {
		if errs[i] == nil && found[i].State != Dead {
			return found[i].sorted(), nil
		}
	}
	for _, err := range errs { // what is not there is no error
		if err != nil && !absent(err) {
			return Membership{}, c.diagnose(err)
		}
	}
	return Membership{Group: group, State: Dead}, nil
}

// absent reports that a broker has no such group, or does not know groups of
// this kind, for which the client has no error to compare with.
func absent(err error) bool {
	return errors.Is(err, kerr.GroupIDNotFound) || errors.Is(err, kerr.UnsupportedVersion) ||
		strings.Contains(err.Error(), "broker is too old") || strings.Contains(err.Error(), "request key is unknown")
}

func (m Membership) sorted() Membership {
	slices.SortFunc(m.Members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.ID, b.ID))
	})
	return m
}

// describeConsumer asks in the protocol's own terms, because an assignment may
// come as topic ids alone, which the admin client takes for topics without a
// name.
func (c *Cluster) describeConsumer(ctx context.Context, group string) (Membership, error) {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{group}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return Membership{}, err
	}
	if len(resp.Groups) != 1 {
		return Membership{}, fmt.Errorf("the cluster gave %d answers for group %s", len(resp.Groups), group)
	}
	g := resp.Groups[0]
	if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
		return Membership{}, err
	}
	names, err := c.assignedTopics(ctx, g.Members)
	if err != nil {
		return Membership{}, err
	}
	return consumerMembership(g, names), nil
}

// consumerMembership is an answer about a KIP-848 group; names are those of the
// topics that members hold by id alone.
func consumerMembership(g kmsg.ConsumerGroupDescribeResponseGroup, names map[[16]byte]string) Membership {
	m := Membership{Group: g.Group, Protocol: ConsumerProtocol, State: cmp.Or(g.State, Dead), Assignor: g.AssignorName}
	for _, r := range g.Members {
		member := Member{
			ID: r.MemberID, Instance: text(r.InstanceID), Client: r.ClientID, Host: r.ClientHost,
			Topics: slices.Sorted(slices.Values(r.SubscribedTopics)), Assigned: map[string][]int32{},
		}
		for _, tp := range r.Assignment.TopicPartitions {
			member.Assigned[cmp.Or(tp.Topic, names[tp.TopicID])] = slices.Sorted(slices.Values(tp.Partitions))
		}
		m.Members = append(m.Members, member)
	}
	return m
}

// assignedTopics finds the names of topics that members hold by id alone. One
// that was deleted meanwhile goes by its id.
func (c *Cluster) assignedTopics(ctx context.Context, members []kmsg.ConsumerGroupDescribeResponseGroupMember) (map[[16]byte]string, error) {
	names := map[[16]byte]string{}
	req := kmsg.NewPtrMetadataRequest()
	for _, m := range members {
		for _, tp := range m.Assignment.TopicPartitions {
			if _, asked := names[tp.TopicID]; tp.Topic != "" || asked {
				continue
			}
			names[tp.TopicID] = kadm.TopicID(tp.TopicID).String()
			t := kmsg.NewMetadataRequestTopic()
			t.TopicID = tp.TopicID
			req.Topics = append(req.Topics, t)
		}
	}
	if len(names) == 0 {
		return names, nil
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	for _, t := range resp.Topics {
		if t.ErrorCode == 0 && t.Topic != nil {
			names[t.TopicID] = *t.Topic
		}
	}
	return names, nil
}

func (c *Cluster) describeShare(ctx context.Context, group string) (Membership, error) {
	described, err := c.admin.DescribeShareGroups(ctx, group)
	g := described[group]
	if err = cmp.Or(err, g.Err); err != nil {
		return Membership{}, err
	}
	m := Membership{Group: group, Protocol: ShareProtocol, State: cmp.Or(g.GroupState, Dead), Assignor: g.Assignor}
	for _, r := range g.Members {
		m.Members = append(m.Members, Member{
			ID: r.MemberID, Client: r.ClientID, Host: r.ClientHost,
			Topics: slices.Sorted(slices.Values(r.SubscribedTopicNames)), Assigned: partitions(r.Assignment),
		})
	}
	return m, nil
}

func (c *Cluster) describeClassic(ctx context.Context, group string) (Membership, error) {
	described, err := c.admin.DescribeGroups(ctx, group)
	g := described[group]
	if err = cmp.Or(err, g.Err); err != nil {
		return Membership{}, err
	}
	m := Membership{Group: group, Protocol: ClassicProtocol, State: cmp.Or(g.State, Dead), Assignor: g.Protocol}
	for _, r := range g.Members {
		member := Member{ID: r.MemberID, Instance: text(r.InstanceID), Client: r.ClientID, Host: r.ClientHost}
		if join, ok := r.Join.AsConsumer(); ok {
			member.Topics = slices.Sorted(slices.Values(join.Topics))
		}
		if assigned, ok := r.Assigned.AsConsumer(); ok {
			member.Assigned = map[string][]int32{}
			for _, t := range assigned.Topics {
				member.Assigned[t.Topic] = slices.Sorted(slices.Values(t.Partitions))
			}
		}
		m.Members = append(m.Members, member)
	}
	return m, nil
}

func partitions(set kadm.TopicsSet) map[string][]int32 {
	sorted := make(map[string][]int32, len(set))
	for topic, ps := range set {
		sorted[topic] = slices.Sorted(maps.Keys(ps))
	}
	return sorted
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// GroupNames returns the ids of all groups of the cluster that may be seen,
// whatever their protocol, sorted.
func (c *Cluster) GroupNames(ctx context.Context) ([]string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	listed, err := c.admin.ListGroups(ctx)
	if err != nil {
		return nil, c.diagnose(err)
	}
	return listed.Groups(), nil
}

// Use is a Cluster on a client that somebody else made, configured and closes,
// and that consumes nothing. Its requests are bounded as those of [Connect] are
// by default.
func Use(ctx context.Context, client *kgo.Client) (*Cluster, error) {
	seeds, _ := client.OptValue(kgo.SeedBrokers).([]string)
	cfg := Config{Bootstrap: strings.Join(seeds, ",")}.withDefaults()
	c := &Cluster{client: client, admin: kadm.NewClient(client), attempt: cfg.attempt(), timeout: cfg.Timeout}
	c.admin.SetTimeoutMillis(int32(cfg.Timeout.Milliseconds()))
	if err := c.greet(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// TopicIDs returns the ids and the number of partitions of the named topics.
// Those that do not exist are absent.
func (c *Cluster) TopicIDs(ctx context.Context, names ...string) (map[string]TopicID, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	found := make(map[string]TopicID, len(names))
	for batch := range slices.Chunk(names, MaxBatch) {
		metadata, err := c.metadata(ctx, batch)
		if err != nil {
			return nil, c.diagnose(err)
		}
		for _, t := range metadata {
			switch err := kerr.ErrorForCode(t.ErrorCode); {
			case errors.Is(err, kerr.UnknownTopicOrPartition):
			case err != nil:
				return nil, c.diagnose(fmt.Errorf("topic %s: %w", *t.Topic, err))
			default:
				found[*t.Topic] = topicID(t)
			}
		}
	}
	return found, nil
}

// A TopicID tells one life of a topic from the next of the same name.
type TopicID struct {
	ID         string // base64, as Kafka's tools print it; empty before Kafka 2.8
	Partitions int32
}

func topicID(t kmsg.MetadataResponseTopic) TopicID {
	if t.TopicID == [16]byte{} {
		return TopicID{Partitions: int32(len(t.Partitions))}
	}
	return TopicID{ID: kadm.TopicID(t.TopicID).String(), Partitions: int32(len(t.Partitions))}
}
