package kafka

import (
	"context"
	"net"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Addresses returns where the brokers of the cluster are reached on the listener
// that was connected to, sorted.
func (c *Cluster) Addresses(ctx context.Context) ([]string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, c.diagnose(err)
	}
	all := make([]string, len(resp.Brokers))
	for i, b := range resp.Brokers {
		all[i] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	slices.Sort(all)
	return all, nil
}
