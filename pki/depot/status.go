package depot

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// A Status is what there is in a depot. It holds no key.
type Status struct {
	Cluster string `json:"cluster" yaml:"cluster"`
	Phase   Phase  `json:"phase" yaml:"phase"`

	// Settled reports whether the phase is complete: every leaf whose key is
	// in the depot agrees with it.
	Settled bool `json:"settled" yaml:"settled"`

	Generations []Generation `json:"generations" yaml:"generations"` // oldest first
	Leaves      []Leaf       `json:"leaves" yaml:"leaves"`           // sorted by kind and name
}

// A Role is what a generation is there for.
type Role string

// The roles.
const (
	Requested Role = "requested" // its issuer waits to be signed by another authority
	Current   Role = "current"   // trusted
	Next      Role = "next"      // to take the current one's place
	Retired   Role = "retired"   // was replaced, or taken back
)

// A Generation is a root and the issuer under it.
type Generation struct {
	Number  int  `json:"number" yaml:"number"`
	Role    Role `json:"role" yaml:"role"`
	Trusted bool `json:"trusted" yaml:"trusted"` // its root is in trust.crt
	Issues  bool `json:"issues" yaml:"issues"`   // what is issued now is its own

	Root       string    `json:"root,omitempty" yaml:"root,omitempty"` // common name
	RootEnds   time.Time `json:"root_ends,omitzero" yaml:"root_ends,omitempty"`
	RootInside bool      `json:"root_inside" yaml:"root_inside"` // its key is in the depot, encrypted
	Issuer     string    `json:"issuer,omitempty" yaml:"issuer,omitempty"`
	IssuerEnds time.Time `json:"issuer_ends,omitzero" yaml:"issuer_ends,omitempty"`

	Revoked     int       `json:"revoked" yaml:"revoked"`                              // certificates on its list
	ListNumber  int64     `json:"list_number,omitempty" yaml:"list_number,omitempty"`  // of its CRL
	ListOverdue time.Time `json:"list_overdue,omitzero" yaml:"list_overdue,omitempty"` // when the CRL should have been replaced

	// Fault says why the generation cannot issue, though it should: its key is
	// gone, or others can read it. Empty where it can.
	Fault string `json:"fault,omitempty" yaml:"fault,omitempty"`
}

// A Leaf is an issued certificate that is in use.
type Leaf struct {
	ID         `yaml:",inline"`
	Serial     string    `json:"serial" yaml:"serial"` // lower-case hex
	Generation int       `json:"generation" yaml:"generation"`
	NotBefore  time.Time `json:"not_before" yaml:"not_before"`
	NotAfter   time.Time `json:"not_after" yaml:"not_after"`
	Names      []string  `json:"names,omitempty" yaml:"names,omitempty"`     // host names and addresses
	KeyOutside bool      `json:"key_outside" yaml:"key_outside"`             // issued from a CSR: its owner has the key
	Revoked    string    `json:"revoked,omitempty" yaml:"revoked,omitempty"` // the reason

	// Disagrees says what of the leaf does not fit the phase, in words; empty
	// where all does.
	Disagrees string `json:"disagrees,omitempty" yaml:"disagrees,omitempty"`
}

// Status reads the whole depot. It changes nothing and takes no lock.
func (d *Depot) Status() (Status, error) {
	var st Status
	err := d.look(func(s *session) error {
		st = Status{Cluster: s.st.cluster, Phase: s.st.phase, Settled: s.settled()}
		for _, g := range s.gens {
			st.Generations = append(st.Generations, s.generationStatus(g))
		}
		for _, l := range s.leaves {
			st.Leaves = append(st.Leaves, s.describe(l))
		}
		return nil
	})
	if err != nil {
		return Status{}, fmt.Errorf("read status of %s: %w", d.dir, err)
	}
	return st, nil
}

func (s *session) generationStatus(g *generation) Generation {
	out := Generation{
		Number: g.number, Role: s.st.role(g.number), RootInside: g.rootInside,
		Issues: s.st.issuing() == g.number,
	}
	if !g.signed() {
		return out
	}
	out.Trusted = slices.ContainsFunc(s.roots(s.st), g.root.Equal)
	out.Root, out.RootEnds = g.root.Subject.CommonName, g.root.NotAfter
	out.Issuer, out.IssuerEnds = g.chain[0].Subject.CommonName, g.chain[0].NotAfter
	out.Revoked, out.ListNumber, out.ListOverdue = len(g.list.lines), g.list.number, g.list.next
	if out.Issues {
		out.Fault = s.keyFault(g)
	}
	return out
}

// keyFault says what is wrong with the key of a generation that issues.
func (s *session) keyFault(g *generation) string {
	switch _, err := s.read(g.path(issuerKeyFile), fileMode); {
	case errors.Is(err, fs.ErrNotExist):
		return g.path(issuerKeyFile) + " is missing, so nothing can be issued: bring it back from a backup, or replace the authority"
	case err != nil:
		return err.Error()
	}
	return ""
}

func (s *session) describe(l *leaf) Leaf {
	out := Leaf{
		ID: l.ID, Serial: l.entry.serial, Generation: l.gen.number,
		NotBefore: l.cert.NotBefore, NotAfter: l.cert.NotAfter,
		Names: names(l.request()), KeyOutside: l.outside(),
	}
	if l.revoked != nil {
		out.Revoked = Reason(l.revoked.Reason).String()
	}
	if l.revoked == nil || l.held() {
		out.Disagrees = s.disagreement(l)
	}
	out.Disagrees = cmp.Or(out.Disagrees, l.companions(s.trustPEM(), s.listsPEM()))
	return out
}
