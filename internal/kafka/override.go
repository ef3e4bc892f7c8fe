package kafka

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TopicSettings returns the settings that were given to the named topics
// themselves. What they take from the brokers' defaults is absent.
func (c *Cluster) TopicSettings(ctx context.Context, names ...string) (map[string]map[string]string, error) {
	settings := make(map[string]map[string]string, len(names))
	for batch := range slices.Chunk(names, MaxBatch) {
		if err := c.topicSettings(ctx, batch, settings); err != nil {
			return nil, c.diagnose(err)
		}
	}
	return settings, nil
}

func (c *Cluster) topicSettings(ctx context.Context, names []string, into map[string]map[string]string) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	configs, err := c.admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return err
	}
	for _, rc := range configs {
		if rc.Err != nil {
			return rc.Err
		}
		own := map[string]string{}
		for _, kv := range rc.Configs {
			if kv.Source == kmsg.ConfigSourceDynamicTopicConfig {
				own[kv.Key] = kv.MaybeValue()
			}
		}
		into[rc.Name] = own
	}
	return nil
}
