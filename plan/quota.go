package plan

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
)

// A Quota is what a user may take of each broker at most. Limits that the
// contract does not name are left alone.
type Quota struct {
	User    string // without "User:"
	Service string
	Limits  map[string]float64 // in Kafka's words
	Reasons []Reason
}

// quota bounds the service's user on the clusters of its entries. What works on
// its dead letters is not bounded: an operator's redrive would wait for the
// service that it helps.
func (d *derivation) quota(svc *contract.Service) {
	if !svc.Quotas.Any() || !slices.ContainsFunc(svc.Aliases(), d.here) {
		return
	}
	limits := map[string]float64{}
	for key, limit := range map[string]float64{
		kafka.QuotaProduce:  float64(svc.Quotas.Produce),
		kafka.QuotaConsume:  float64(svc.Quotas.Consume),
		kafka.QuotaRequests: float64(svc.Quotas.Requests),
	} {
		if limit > 0 {
			limits[key] = limit
		}
	}
	d.out.Quotas = append(d.out.Quotas, Quota{
		User: svc.User(), Service: svc.Name, Limits: limits,
		Reasons: []Reason{{Service: svc.Name, Text: "bounds itself to " + svc.Quotas.String(), Position: svc.Position("quotas")}},
	})
}

// readQuotas asks nothing where no quota is desired: it takes a right of its
// own.
func (a *Actual) readQuotas(ctx context.Context, want *Desired, cluster *kafka.Cluster) (err error) {
	if len(want.Quotas) > 0 {
		a.Quotas, err = cluster.Quotas(ctx)
	}
	return err
}

// diffQuota makes a creation of a user's first limits, and of any other limit
// that differs an update. A lower limit holds up what runs, and so does a first
// one, unless the user has no rights yet and therefore nothing that runs.
func diffQuota(want Quota, have *Actual, running map[string]bool) []Change {
	is := have.Quotas[want.User]
	if len(is) == 0 {
		c := want.change(Create, want.Limits)
		if running["User:"+want.User] {
			c.throttles(want.User, "so far nothing bounds it")
		}
		return []Change{c}
	}
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(want.Limits)) {
		before, bound := is[key]
		if bound && before == want.Limits[key] {
			continue
		}
		c := want.change(Update, map[string]float64{key: want.Limits[key]})
		switch {
		case !bound:
			c.throttles(want.User, "so far nothing bounds it")
		case want.Limits[key] < before:
			c.Fields[0].Before = limitText(before)
			c.throttles(want.User, "it may take less than now")
		default:
			c.Fields[0].Before = limitText(before)
		}
		changes = append(changes, c)
	}
	return changes
}

func (q Quota) change(action Action, limits map[string]float64) Change {
	c := Change{
		Action: action, Kind: KindQuota, Name: q.User, Class: Safe, Service: q.Service, Reasons: q.Reasons,
		item: item{quota: kafka.Quota{User: q.User, Limits: limits}},
	}
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		c.Fields = append(c.Fields, Field{Name: key, After: limitText(limits[key])})
	}
	return c
}

func (c *Change) throttles(user, why string) {
	c.Class, c.Allow = Disruptive, "quota:"+user
	c.Note = why + "; where it takes more, brokers answer it later from then on, and its lag or its buffers grow"
}

// limits are the quota's, in one line.
func (q Quota) limits() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(q.Limits)) {
		all = append(all, key+"="+limitText(q.Limits[key]))
	}
	return strings.Join(all, ", ")
}

// limitText writes a limit in digits alone, as Kafka's own tools take it.
func limitText(limit float64) string { return strconv.FormatFloat(limit, 'f', -1, 64) }

// running are the principals that have rights on the cluster.
func (a *Actual) running() map[string]bool {
	all := map[string]bool{}
	for b := range a.Bindings {
		all[b.Principal] = true
	}
	return all
}

func eachQuota(send func(context.Context, []kafka.Quota) []error) func(context.Context, []Change) []error {
	return together(send, func(q *kafka.Quota, c Change) {
		limits := maps.Clone(c.item.quota.Limits)
		maps.Copy(limits, q.Limits)
		q.User, q.Limits = c.Name, limits
	})
}
