package kafka

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A configured thing is one of which brokers keep settings.
type configured interface {
	settings() (name string, configs map[string]string)
}

// setConfigs sets the settings of each thing and leaves its others alone.
func setConfigs[T configured](ctx context.Context, c *Cluster, kind kmsg.ConfigResourceType, all []T) []error {
	return inBatches(ctx, c, all, func(ctx context.Context, batch []T) ([]error, error) {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		for _, thing := range batch {
			r := kmsg.NewIncrementalAlterConfigsRequestResource()
			name, configs := thing.settings()
			r.ResourceType, r.ResourceName = kind, name
			for _, key := range slices.Sorted(maps.Keys(configs)) {
				rc := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
				rc.Name, rc.Op, rc.Value = key, kmsg.IncrementalAlterConfigOpSet, new(configs[key])
				r.Configs = append(r.Configs, rc)
			}
			req.Resources = append(req.Resources, r)
		}
		resp, err := req.RequestWith(ctx, c.client)
		if err != nil {
			return nil, err
		}
		answers := make(map[string]error, len(resp.Resources))
		for _, r := range resp.Resources {
			answers[r.ResourceName] = c.answer(r.ErrorCode, r.ErrorMessage)
		}
		return byName(batch, func(thing T) string { name, _ := thing.settings(); return name }, answers), nil
	})
}
