package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A Reload is what became of one broker's keystores and truststores.
type Reload struct {
	Broker    int32
	Listeners []string // whose files were read again, in lower case
	Err       error
}

// The settings that have a listener read its files again when they are set,
// even to what they are.
const (
	keystoreLocation   = "ssl.keystore.location"
	truststoreLocation = "ssl.truststore.location"
)

// Reload has every broker read the files of its keystores and truststores again,
// without a restart, one broker after the other, and goes on past one that
// refuses. Listeners of controllers keep theirs: Kafka cannot change them while
// it runs. It needs ALTER_CONFIGS and DESCRIBE_CONFIGS on the cluster.
func (c *Cluster) Reload(ctx context.Context) ([]Reload, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none
	bounded, cancel := c.bounded(ctx)
	resp, err := req.RequestWith(bounded, c.client)
	cancel()
	if err != nil {
		return nil, c.diagnose(err)
	}
	all := make([]Reload, len(resp.Brokers))
	for i, b := range resp.Brokers {
		all[i].Broker = b.NodeID
	}
	slices.SortFunc(all, func(a, b Reload) int { return cmp.Compare(a.Broker, b.Broker) })
	for i := range all {
		all[i].Listeners, all[i].Err = c.reload(ctx, all[i].Broker)
	}
	return all, nil
}

// A brokerConfig is one setting of a broker.
type brokerConfig struct {
	value   string
	dynamic bool // set for this broker while it ran
}

func (c *Cluster) reload(ctx context.Context, broker int32) ([]string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	configs, err := c.brokerConfigs(ctx, broker)
	if err != nil {
		return nil, err
	}
	listeners := secured(configs)
	var set, unset []kmsg.IncrementalAlterConfigsRequestResourceConfig
	for _, l := range listeners {
		for _, location := range []string{keystoreLocation, truststoreLocation} {
			name := "listener.name." + l + "." + location
			value := cmp.Or(configs[name].value, configs[location].value)
			if value == "" {
				continue
			}
			set = append(set, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Op: kmsg.IncrementalAlterConfigOpSet, Value: &value})
			if !configs[name].dynamic {
				unset = append(unset, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Op: kmsg.IncrementalAlterConfigOpDelete})
			}
		}
	}
	if len(set) == 0 {
		return nil, fmt.Errorf("broker %d tells of no keystore", broker)
	}
	if err := c.alterBroker(ctx, broker, set); err != nil {
		return nil, err
	}
	if len(unset) == 0 {
		return listeners, nil
	}
	// What server.properties says stays what holds.
	return listeners, c.alterBroker(ctx, broker, unset)
}

// secured are the listeners with TLS that are not controllers', in lower case.
func secured(configs map[string]brokerConfig) []string {
	protocols := map[string]string{}
	for pair := range strings.SplitSeq(configs["listener.security.protocol.map"].value, ",") {
		name, protocol, _ := strings.Cut(strings.TrimSpace(pair), ":")
		protocols[name] = protocol
	}
	controllers := strings.Split(configs["controller.listener.names"].value, ",")
	var all []string
	for address := range strings.SplitSeq(configs["listeners"].value, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(address), "://")
		if strings.HasSuffix(cmp.Or(protocols[name], name), "SSL") && !slices.Contains(controllers, name) {
			all = append(all, strings.ToLower(name))
		}
	}
	slices.Sort(all)
	return all
}

// dynamicBroker is the source of a setting that was made for one broker while
// it ran.
const dynamicBroker = kmsg.ConfigSourceDynamicBrokerConfig

func (c *Cluster) brokerConfigs(ctx context.Context, broker int32) (map[string]brokerConfig, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(broker))
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, c.diagnose(err)
	}
	configs := map[string]brokerConfig{}
	for _, r := range resp.Resources {
		if err := c.answer(r.ErrorCode, r.ErrorMessage); err != nil {
			return nil, err
		}
		for _, config := range r.Configs {
			if config.Value != nil {
				configs[config.Name] = brokerConfig{*config.Value, config.Source == dynamicBroker}
			}
		}
	}
	return configs, nil
}

func (c *Cluster) alterBroker(ctx context.Context, broker int32, configs []kmsg.IncrementalAlterConfigsRequestResourceConfig) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName, r.Configs = kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(broker)), configs
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return c.diagnose(err)
	}
	for _, r := range resp.Resources {
		if err := c.answer(r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}
