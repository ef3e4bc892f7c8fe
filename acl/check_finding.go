package acl

import (
	"cmp"
	"slices"

	"github.com/slipway-go/slipway/diag"
)

// A FindingKind is what is wrong with a binding.
type FindingKind string

// The kinds of findings, in the order in which they are told.
const (
	Missing   FindingKind = "missing"    // a contract calls for it, and it is not there, or a DENY takes it away
	Surplus   FindingKind = "surplus"    // it is there for a service, and no contract calls for it
	OverBroad FindingKind = "over-broad" // it allows more than anybody can mean
	Shadowed  FindingKind = "shadowed"   // without it nothing would change
	Dangling  FindingKind = "dangling"   // it is about something that does not exist
	Shared    FindingKind = "shared"     // it lets two services into one group or transactional id
)

var findingKinds = []FindingKind{Missing, Surplus, OverBroad, Shadowed, Dangling, Shared}

// FindingKinds returns the kinds in the order in which findings come.
func FindingKinds() []FindingKind { return slices.Clone(findingKinds) }

var findingCodes = map[FindingKind]diag.Code{
	Missing: diag.ACLMissing, Surplus: diag.ACLSurplus, OverBroad: diag.ACLOverBroad,
	Shadowed: diag.ACLShadowed, Dangling: diag.ACLDangling, Shared: diag.ACLShared,
}

// A Finding is one thing that is wrong with one binding. A binding can have
// several, because what mends one need not mend the others.
type Finding struct {
	Kind    FindingKind
	Binding Binding
	Text    string    // what is wrong, in words
	Others  []Binding // the bindings it is wrong together with, at most [MaxMisses]
	Reasons []Reason  // of a missing one: what calls for it

	// Command mends it when it is run as it stands. It is empty where somebody
	// has to decide what is meant.
	Command string
}

// Code is what the catalogue of diagnostics calls the kind of finding.
func (f Finding) Code() diag.Code { return findingCodes[f.Kind] }

func (f Finding) compare(o Finding) int {
	return cmp.Or(
		cmp.Compare(slices.Index(findingKinds, f.Kind), slices.Index(findingKinds, o.Kind)),
		f.Binding.Compare(o.Binding),
		cmp.Compare(f.Text, o.Text),
	)
}
