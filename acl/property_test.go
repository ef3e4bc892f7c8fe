package acl_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
					Retry: contract.Retry{
						Delays: rapid.SampledFrom([][]time.Duration{nil, {time.Second}}).Draw(t, "delays"),
						Then:   rapid.SampledFrom([]contract.Then{contract.DeadLetter, contract.Park, contract.Stop}).Draw(t, "then"),
					},
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
	name, redrives := strings.CutSuffix(strings.TrimPrefix(g.Principal, "User:svc-"), "-dev-redrive")
	name = strings.TrimSuffix(name, "-dev")
	svc := r.Service(name)
	switch {
	case svc == nil || !redrives && g.Principal != svc.Principal() || redrives && g.Principal != svc.RedrivePrincipal():
		return fmt.Errorf("principal of no service")
	case g.Permission != acl.Allow || g.Host != acl.AnyHost:
		return fmt.Errorf("permission %s from %s", g.Permission, g.Host)
	case g.Name == "" || strings.Contains(g.Name, "*"):
		return fmt.Errorf("name %q", g.Name)
	case (g.Pattern == acl.Prefixed) != (g.ResourceType == acl.TransactionalID):
		return fmt.Errorf("pattern %s", g.Pattern)
	case len(g.Reasons) == 0:
		return fmt.Errorf("no reason")
	}
	if !needed(r, svc, g, redrives) {
		return fmt.Errorf("no entry of %s on cluster %s needs it", name, g.Cluster)
	}
	return nil
}

func needed(r *contract.Resolved, svc *contract.Service, g acl.Grant, redrives bool) bool {
	consumed := func(match func(c *contract.Consume) bool) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(svc.Consumes)), func(c *contract.Consume) bool {
			return r.ClusterName(c.Cluster) == g.Cluster && match(c)
		})
	}
	produced := func(match func(p *contract.Produce) bool) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(svc.Produces)), func(p *contract.Produce) bool {
			return r.ClusterName(p.Cluster) == g.Cluster && match(p)
		})
	}
	dead := consumed(func(c *contract.Consume) bool { return c.DeadLetters() && svc.DeadLetterTopic(c) == g.Name })
	retries := consumed(func(c *contract.Consume) bool { return c.Retries() && svc.RetryTopic(c) == g.Name })
	type use struct {
		resource acl.ResourceType
		op       acl.Operation
	}
	switch u := (use{g.ResourceType, g.Operation}); {
	case redrives && u == use{acl.Group, acl.Read}:
		return g.Name == svc.RedriveUser() && svc.DeadLetters()
	case redrives && (u == use{acl.Topic, acl.Read} || u == use{acl.Topic, acl.Delete}):
		return dead
	case redrives && u == use{acl.Topic, acl.Write}:
		return retries
	case redrives:
		return false
	case u == use{acl.Group, acl.Read}:
		return consumed(func(c *contract.Consume) bool { return c.As != contract.Table && svc.GroupID(c) == g.Name })
	case u == use{acl.TransactionalID, acl.Write}:
		return g.Name == svc.Identity()+"." && produced(func(p *contract.Produce) bool { return p.Via == contract.Transaction })
	case u == use{acl.Topic, acl.Read}:
		return retries || consumed(func(c *contract.Consume) bool { return r.PhysicalTopic(c.Cluster, c.Topic) == g.Name })
	case u == use{acl.Topic, acl.Write}:
		return retries || dead || produced(func(p *contract.Produce) bool { return r.PhysicalTopic(p.Cluster, p.Topic) == g.Name })
	case u == use{acl.Topic, acl.Delete}:
		return retries
	default:
		return false
	}
}

// TestARedriveUserCannotTouchWhatServicesWorkOn holds the line between the
// operator's credential and the services': it reads no topic of a contract,
// writes none, and is in no group of a service.
func TestARedriveUserCannotTouchWhatServicesWorkOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := anyEstate(t)
		for _, g := range acl.Derive(r) {
			redrives := strings.HasSuffix(g.Principal, "-redrive")
			switch {
			case g.ResourceType == acl.Group && redrives != strings.HasSuffix(g.Name, "-redrive"),
				g.ResourceType == acl.Topic && redrives && !strings.HasPrefix(g.Name, "svc-"),
				g.ResourceType == acl.TransactionalID && redrives:
				t.Fatalf("%s", g.Binding)
			}
		}
	})
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
