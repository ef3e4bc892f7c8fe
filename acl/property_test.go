package acl_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

// anyEstate draws services that produce and consume each other's topics in
// every way there is.
func anyEstate(t *rapid.T) *contract.Resolved {
	n := rapid.IntRange(1, 5).Draw(t, "services")
	r := &contract.Resolved{Env: "dev", Bindings: map[string]contract.Binding{
		contract.DefaultAlias: {Cluster: "one", TopicPrefix: rapid.SampledFrom([]string{"", "dev."}).Draw(t, "prefix")},
		"far":                 {Cluster: "two"},
	}}
	var topics []string
	for i := range n * 2 {
		topics = append(topics, fmt.Sprintf("topic.t%d.v1", i))
	}
	alias := rapid.SampledFrom([]string{"", contract.DefaultAlias, "far"})
	for i := range n {
		svc := &contract.Service{
			Name: fmt.Sprintf("s%d", i), Env: "dev",
			Topics:   map[string]*contract.Topic{},
			Produces: map[string]*contract.Produce{},
			Consumes: map[string]*contract.Consume{},
		}
		for _, topic := range topics {
			if rapid.Bool().Draw(t, "produces") {
				svc.Produces[topic] = &contract.Produce{
					Topic: topic, Cluster: alias.Draw(t, "alias"),
					Via: rapid.SampledFrom([]contract.Via{contract.Direct, contract.Outbox, contract.Transaction}).Draw(t, "via"),
				}
			}
			if rapid.Bool().Draw(t, "consumes") {
				svc.Consumes[topic] = &contract.Consume{
					Name: topic, Topic: topic, Cluster: alias.Draw(t, "alias"),
					As:    rapid.SampledFrom([]contract.Mode{contract.Stream, contract.Table, contract.Share}).Draw(t, "as"),
					Group: rapid.SampledFrom([]string{"", "audit"}).Draw(t, "group"),
					Retry: contract.Retry{Then: rapid.SampledFrom([]contract.Then{contract.DeadLetter, contract.Park, contract.Stop}).Draw(t, "then")},
				}
			}
		}
		r.Services = append(r.Services, svc)
	}
	return r
}

func TestNoBindingIsBroaderThanItsService(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := anyEstate(t)
		for _, g := range acl.Derive(r) {
			if err := judge(r, g); err != nil {
				t.Fatalf("%s: %v", g.Binding, err)
			}
		}
	})
}

// judge states least privilege the other way round: from a binding back to an
// entry that needs it.
func judge(r *contract.Resolved, g acl.Grant) error {
	name := strings.TrimSuffix(strings.TrimPrefix(g.Principal, "User:svc-"), "-dev")
	svc := r.Service(name)
	switch {
	case svc == nil || g.Principal != svc.Principal():
		return fmt.Errorf("principal of no service")
	case g.Permission != acl.Allow || g.Host != acl.AnyHost:
		return fmt.Errorf("permission %s from %s", g.Permission, g.Host)
	case g.Operation != acl.Read && g.Operation != acl.Write:
		return fmt.Errorf("operation %s", g.Operation)
	case g.Name == "" || strings.Contains(g.Name, "*"):
		return fmt.Errorf("name %q", g.Name)
	case (g.Pattern == acl.Prefixed) != (g.ResourceType == acl.TransactionalID):
		return fmt.Errorf("pattern %s", g.Pattern)
	case len(g.Reasons) == 0:
		return fmt.Errorf("no reason")
	}
	consumes := slices.Collect(maps.Values(svc.Consumes))
	consumes = slices.DeleteFunc(consumes, func(c *contract.Consume) bool { return r.ClusterName(c.Cluster) != g.Cluster })
	produces := slices.Collect(maps.Values(svc.Produces))
	produces = slices.DeleteFunc(produces, func(p *contract.Produce) bool { return r.ClusterName(p.Cluster) != g.Cluster })
	needed := false
	switch g.ResourceType {
	case acl.Group:
		needed = g.Operation == acl.Read && slices.ContainsFunc(consumes, func(c *contract.Consume) bool {
			return c.As != contract.Table && svc.GroupID(c) == g.Name
		})
	case acl.TransactionalID:
		needed = g.Operation == acl.Write && g.Name == svc.Identity()+"." && slices.ContainsFunc(produces, func(p *contract.Produce) bool {
			return p.Via == contract.Transaction
		})
	case acl.Topic:
		if g.Operation == acl.Read {
			needed = slices.ContainsFunc(consumes, func(c *contract.Consume) bool { return r.PhysicalTopic(c.Cluster, c.Topic) == g.Name })
			break
		}
		needed = slices.ContainsFunc(produces, func(p *contract.Produce) bool { return r.PhysicalTopic(p.Cluster, p.Topic) == g.Name }) ||
			slices.ContainsFunc(consumes, func(c *contract.Consume) bool { return c.DeadLetters() && svc.DeadLetterTopic(c) == g.Name })
	}
	if !needed {
		return fmt.Errorf("no entry of %s on cluster %s needs it", name, g.Cluster)
	}
	return nil
}

func TestTheSameEstateGivesTheSameGrants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := anyEstate(t)
		first := acl.Derive(r)
		for range 3 {
			if diff := cmp.Diff(first, acl.Derive(r)); diff != "" {
				t.Fatalf("grants differ from one call to the next:\n%s", diff)
			}
		}
		if !slices.IsSortedFunc(first, func(a, b acl.Grant) int {
			if a.Cluster != b.Cluster {
				return strings.Compare(a.Cluster, b.Cluster)
			}
			return a.Binding.Compare(b.Binding)
		}) {
			t.Fatal("grants are not sorted")
		}
	})
}
