package kafka

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AllTopics returns every topic that may be seen, with its number of
// partitions. Kafka's own are left out.
func (c *Cluster) AllTopics(ctx context.Context) (map[string]int, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest() // no topics at all mean every one
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, c.diagnose(err)
	}
	topics := make(map[string]int, len(resp.Topics))
	for _, t := range resp.Topics {
		if t.Topic == nil || t.IsInternal || errors.Is(kerr.ErrorForCode(t.ErrorCode), kerr.UnknownTopicOrPartition) {
			continue
		}
		topics[*t.Topic] = len(t.Partitions)
	}
	return topics, nil
}

// AllUsers returns every SCRAM credential of the cluster, by user.
func (c *Cluster) AllUsers(ctx context.Context) (map[string][]Credential, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	described, err := c.admin.DescribeUserSCRAMs(ctx)
	if err != nil {
		return nil, c.diagnose(err)
	}
	users := make(map[string][]Credential, len(described))
	for _, d := range described {
		if errors.Is(d.Err, kerr.ResourceNotFound) {
			continue
		}
		if d.Err != nil {
			return nil, c.diagnose(d.Err)
		}
		users[d.User] = credentials(d)
	}
	return users, nil
}

func credentials(d kadm.DescribedUserSCRAM) []Credential {
	all := make([]Credential, len(d.CredInfos))
	for i, info := range d.CredInfos {
		all[i] = Credential{d.User, authOf(info.Mechanism), int(info.Iterations)}
	}
	return all
}

// AllGroups returns every group that may be seen, of whatever protocol, with
// its state in Kafka's word.
func (c *Cluster) AllGroups(ctx context.Context) (map[string]string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	listed, err := c.admin.ListGroups(ctx)
	if err != nil {
		return nil, c.diagnose(err)
	}
	groups := make(map[string]string, len(listed))
	for id, g := range listed {
		groups[id] = g.State
	}
	return groups, nil
}
