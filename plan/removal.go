package plan

import (
	"context"

	"github.com/slipway-go/slipway/internal/kafka"
)

// removals are the stages of deletions, which come last and in the reverse
// order: what leans on something goes before it.
func (a *application) removals() []stage {
	gone := func(k Kind) []Change {
		var some []Change
		for _, c := range a.plan.Changes {
			if c.Action == Delete && c.Kind == k {
				some = append(some, c)
			}
		}
		return some
	}
	cluster := a.target.Cluster
	return []stage{
		{gone(KindConnector), a.deleteConnectors},
		{gone(KindGroup), byNames(func(ctx context.Context, names []string) []error {
			return deleteGroups(ctx, cluster, names)
		})},
		{gone(KindACL), func(ctx context.Context, batch []Change) []error { return cluster.Revoke(ctx, bindings(batch)) }},
		{gone(KindQuota), func(ctx context.Context, batch []Change) []error { return cluster.RemoveQuotas(ctx, quotas(batch)) }},
		{gone(KindUser), func(ctx context.Context, batch []Change) []error { return deleteUsers(ctx, cluster, batch) }},
		{gone(KindTopic), byNames(cluster.DeleteTopics)},
	}
}

func byNames(send func(context.Context, []string) []error) func(context.Context, []Change) []error {
	return func(ctx context.Context, batch []Change) []error {
		names := make([]string, len(batch))
		for i, c := range batch {
			names[i] = c.Name
		}
		return send(ctx, names)
	}
}

// deleteGroups deletes groups, then what settings they had.
func deleteGroups(ctx context.Context, cluster *kafka.Cluster, names []string) []error {
	errs := cluster.DeleteGroups(ctx, names)
	var done []string
	var where []int
	for i, err := range errs {
		if err == nil {
			done, where = append(done, names[i]), append(where, i)
		}
	}
	for n, err := range cluster.ClearGroupConfigs(ctx, done) {
		errs[where[n]] = err
	}
	return errs
}

// deleteUsers takes every credential of an orphan away; the first that fails
// is the user's failure.
func deleteUsers(ctx context.Context, cluster *kafka.Cluster, batch []Change) []error {
	var all []kafka.Credential
	var where []int // credential → change
	for i, c := range batch {
		for _, credential := range c.item.credentials {
			all, where = append(all, credential), append(where, i)
		}
	}
	errs := make([]error, len(batch))
	for n, err := range cluster.DeleteUsers(ctx, all) {
		if errs[where[n]] == nil {
			errs[where[n]] = err
		}
	}
	return errs
}

func quotas(batch []Change) []kafka.Quota {
	items := make([]kafka.Quota, len(batch))
	for i, c := range batch {
		items[i] = c.item.quota
	}
	return items
}

func (a *application) deleteConnectors(ctx context.Context, batch []Change) []error {
	errs := make([]error, len(batch))
	for i, c := range batch {
		switch {
		case a.target.Connect == nil:
			errs[i] = noConnect(a.plan.Cluster, []Connector{{Name: c.Name}})
		case ctx.Err() != nil:
			errs[i] = context.Cause(ctx)
		default:
			errs[i] = a.target.Connect.Delete(ctx, c.Name)
		}
	}
	return errs
}
