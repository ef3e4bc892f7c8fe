package kafka

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The limits of a client quota that contracts know, in Kafka's words. Rates
// are in bytes a second, for each broker; the percentage is of one thread.
const (
	QuotaProduce  = "producer_byte_rate"
	QuotaConsume  = "consumer_byte_rate"
	QuotaRequests = "request_percentage"
)

// A Quota is limits of one user, whatever clients it uses.
type Quota struct {
	User   string             // without "User:"
	Limits map[string]float64 // in Kafka's words
}

// Quotas returns the limits of every user that has some of its own. Those for
// all users together, for one client id of a user, and for addresses are left
// out. It takes the right to DESCRIBE_CONFIGS on the cluster.
func (c *Cluster) Quotas(ctx context.Context) (map[string]map[string]float64, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrDescribeClientQuotasRequest()
	req.Strict = true // no entity that is more than a user
	user := kmsg.NewDescribeClientQuotasRequestComponent()
	user.EntityType, user.MatchType = quotaUser, kmsg.QuotasMatchTypeAny
	req.Components = append(req.Components, user)
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, c.diagnose(err)
	}
	if err := c.answer(resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, err
	}
	quotas := map[string]map[string]float64{}
	for _, entry := range resp.Entries {
		if len(entry.Entity) != 1 || entry.Entity[0].Type != quotaUser || entry.Entity[0].Name == nil {
			continue
		}
		limits := make(map[string]float64, len(entry.Values))
		for _, v := range entry.Values {
			limits[v.Key] = v.Value
		}
		if len(limits) > 0 {
			quotas[*entry.Entity[0].Name] = limits
		}
	}
	return quotas, nil
}

const quotaUser = "user"

// SetQuotas sets the limits in each Quota and leaves the user's others alone.
// It takes the right to ALTER_CONFIGS on the cluster.
func (c *Cluster) SetQuotas(ctx context.Context, quotas []Quota) []error {
	return c.alterQuotas(ctx, quotas, func(op *kmsg.AlterClientQuotasRequestEntryOp, limit float64) { op.Value = limit })
}

// RemoveQuotas takes away the limits that each Quota names, whatever they are
// by now, and leaves the user's others alone. One that is not there is done.
func (c *Cluster) RemoveQuotas(ctx context.Context, quotas []Quota) []error {
	return c.alterQuotas(ctx, quotas, func(op *kmsg.AlterClientQuotasRequestEntryOp, _ float64) { op.Remove = true })
}

func (c *Cluster) alterQuotas(ctx context.Context, quotas []Quota, to func(*kmsg.AlterClientQuotasRequestEntryOp, float64)) []error {
	return inBatches(ctx, c, quotas, func(ctx context.Context, batch []Quota) ([]error, error) {
		req := kmsg.NewPtrAlterClientQuotasRequest()
		for _, q := range batch {
			entry := kmsg.NewAlterClientQuotasRequestEntry()
			entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
			entity.Type, entity.Name = quotaUser, &q.User
			entry.Entity = append(entry.Entity, entity)
			for _, key := range slices.Sorted(maps.Keys(q.Limits)) {
				op := kmsg.NewAlterClientQuotasRequestEntryOp()
				op.Key = key
				to(&op, q.Limits[key])
				entry.Ops = append(entry.Ops, op)
			}
			req.Entries = append(req.Entries, entry)
		}
		resp, err := req.RequestWith(ctx, c.client)
		if err != nil {
			return nil, err
		}
		answers := make(map[string]error, len(resp.Entries))
		for _, entry := range resp.Entries {
			if len(entry.Entity) == 1 && entry.Entity[0].Name != nil {
				answers[*entry.Entity[0].Name] = c.answer(entry.ErrorCode, entry.ErrorMessage)
			}
		}
		return byName(batch, func(q Quota) string { return q.User }, answers), nil
	})
}
