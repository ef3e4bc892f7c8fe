package kafka

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The settings of a consumer group that brokers keep (KIP-848), in Kafka's
// words. Groups of the classic protocol have none: their members bring them.
const (
	GroupSessionMillis   = "consumer.session.timeout.ms"
	GroupHeartbeatMillis = "consumer.heartbeat.interval.ms"
)

// A GroupConfig is settings of one consumer group.
type GroupConfig struct {
	Group   string
	Configs map[string]string
}

func (g GroupConfig) settings() (string, map[string]string) { return g.Group, g.Configs }

// GroupConfigs returns the settings in effect for each named group, defaults
// included where the broker tells them. A group need not exist to have some.
// It takes the right to DESCRIBE_CONFIGS on the groups.
func (c *Cluster) GroupConfigs(ctx context.Context, names ...string) (map[string]map[string]string, error) {
	groups := make(map[string]map[string]string, len(names))
	for batch := range slices.Chunk(names, MaxBatch) {
		if err := c.describeGroupConfigs(ctx, batch, groups); err != nil {
			return nil, c.diagnose(err)
		}
	}
	return groups, nil
}

func (c *Cluster) describeGroupConfigs(ctx context.Context, names []string, into map[string]map[string]string) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range names {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, name
		req.Resources = append(req.Resources, r)
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return err
	}
	for _, r := range resp.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return err
		}
		configs := make(map[string]string, len(r.Configs))
		for _, kv := range r.Configs {
			if kv.Value != nil {
				configs[kv.Name] = *kv.Value
			}
		}
		into[r.ResourceName] = configs
	}
	return nil
}

// SetGroupConfigs sets the settings in each GroupConfig and leaves the group's
// others alone. It takes the right to ALTER_CONFIGS on the groups.
func (c *Cluster) SetGroupConfigs(ctx context.Context, groups []GroupConfig) []error {
	return setConfigs(ctx, c, kmsg.ConfigResourceTypeGroupConfig, groups)
}
