package depot

import (
	"context"
	"crypto/x509"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// A Phase is how far the replacement of an authority has come.
type Phase string

// The phases, in the order in which a replacement goes through them.
const (
	Pending Phase = "pending" // the first issuer waits to be signed: nothing is issued yet
	Steady  Phase = "steady"  // one generation is trusted and issues
	Trust   Phase = "trust"   // the next one is trusted too
	Reissue Phase = "reissue" // both are trusted, and the next one issues
	Retire  Phase = "retire"  // only the next one is trusted; steady when it is done
)

// A Replacement says what takes the place of the current generation.
type Replacement struct {
	// From is an authority that exists already, as in [Config].
	From *pki.Authority

	// KeepRoot replaces the issuer alone, under the same root. Nobody has to
	// trust anything new, and what the old issuer signed stays acceptable to
	// whoever looks at roots alone, as brokers do: it ends with its lifetime.
	// It does not help where the old issuer's key may be known to others.
	KeepRoot bool

	// Policy is what the authorities are like.
	Policy Policy

	// RootKey is where the key of the new root goes; with KeepRoot, where that
	// of the present one is.
	RootKey RootKey
}

// An Endpoint is what a probe of the cluster's endpoints has to establish
// before a phase may begin.
type Endpoint struct {
	To Phase

	// Roots must be enough to verify what an endpoint presents.
	Roots []*x509.Certificate

	// Leaf is a client's certificate of the generation that issues in that
	// phase, valid for ten minutes. An endpoint must accept it.
	Leaf *pki.Certificate
}

// A Probe asks the cluster's endpoints and returns what stands in the way. An
// error means that it could not tell.
type Probe func(context.Context, Endpoint) ([]Objection, error)

// An Objection is one thing that stands in the way of a phase.
type Objection struct {
	What string `json:"what" yaml:"what"` // KIND/NAME of a leaf, or an endpoint
	Why  string `json:"why" yaml:"why"`
	Fix  string `json:"fix,omitempty" yaml:"fix,omitempty"`
}

// A BlockedError reports that a phase was not begun, and what would have broken
// if it had been. Nothing was changed. It is a [diag.DepotBlocked].
type BlockedError struct {
	To         Phase
	Objections []Objection
}

// Error tells everything that stands in the way.
func (e *BlockedError) Error() string { return e.diagnostic().Error() }

// Unwrap returns the diagnostic, with a line of evidence for each objection.
func (e *BlockedError) Unwrap() error { return e.diagnostic() }

func (e *BlockedError) diagnostic() diag.Diagnostic {
	whats := make([]string, len(e.Objections))
	for i, o := range e.Objections {
		whats[i] = o.What
	}
	d := diag.New(diag.DepotBlocked, "phase %s would break %s", e.To, strings.Join(whats, ", "))
	for _, o := range e.Objections {
		d = d.WithEvidence("%s: %s", o.What, o.Why)
	}
	return d
}

// A Step asks for one step of a replacement.
type Step struct {
	// To is the phase that the step leads to. A depot that is there already is
	// only settled, so that an interrupted step can be repeated without going
	// further than was meant.
	//
	// Defaults to the one that follows, if the present one is settled; the
	// present one if it is not.
	To Phase

	// Probe asks the endpoints where that matters. Nil goes on without.
	Probe Probe
}

// Progress is what a step of a replacement did.
type Progress struct {
	From    Phase    `json:"from" yaml:"from"`
	To      Phase    `json:"to" yaml:"to"`
	Changes []Change `json:"changes" yaml:"changes"`

	// Left are the leaves that do not agree with the phase and that only their
	// owner can bring to it.
	Left []Leaf `json:"left,omitempty" yaml:"left,omitempty"`
}
