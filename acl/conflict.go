package acl

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// Conflicts reports groups and transactional ids that two principals of one
// cluster could both use. Derived names never overlap; adopted ones can.
// The grants are those of [Derive].
func Conflicts(grants []Grant) diag.List {
	var list diag.List
	list = append(list, sharedGroups(grants)...)
	list = append(list, sharedTransactions(grants)...)
	return list
}

func sharedGroups(grants []Grant) diag.List {
	type place struct{ cluster, group string }
	first := map[place]Grant{}
	var list diag.List
	for _, g := range grants {
		if g.ResourceType != Group {
			continue
		}
		p := place{g.Cluster, g.Name}
		other, taken := first[p]
		if !taken {
			first[p] = g
			continue
		}
		list.Add(diag.New(diag.ACLGroupShared, "%s and %s would both be in group %s", other.Principal, g.Principal, g.Name).
			At(g.Reasons[0].Position).
			WithEvidence("%s", other.Reasons[0]).WithEvidence("%s", g.Reasons[0]))
	}
	return list
}

// sharedTransactions walks the prefixes in order, with those that begin the
// present one on a stack.
func sharedTransactions(grants []Grant) diag.List {
	var list diag.List
	var open []Grant
	for _, g := range transactions(grants) {
		for len(open) > 0 && !covers(open[len(open)-1], g) {
			open = open[:len(open)-1]
		}
		i := slices.IndexFunc(open, func(o Grant) bool { return o.Principal != g.Principal })
		if i >= 0 {
			list.Add(diag.New(diag.ACLTransactionalShared,
				"transactional ids of %s (%s*) would also be those of %s (%s*)", g.Principal, g.Name, open[i].Principal, open[i].Name).
				At(g.Reasons[0].Position).
				WithEvidence("%s", open[i].Reasons[0]).WithEvidence("%s", g.Reasons[0]))
		}
		open = append(open, g)
	}
	return list
}

func covers(outer, inner Grant) bool {
	return outer.Cluster == inner.Cluster && strings.HasPrefix(inner.Name, outer.Name)
}

func transactions(grants []Grant) []Grant {
	var txns []Grant
	for _, g := range grants {
		if g.ResourceType == TransactionalID {
			txns = append(txns, g)
		}
	}
	slices.SortStableFunc(txns, func(a, b Grant) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Name, b.Name))
	})
	return txns
}
