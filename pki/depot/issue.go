package depot

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// An Action is what became of a leaf.
type Action string

// The actions.
const (
	Kept     Action = "kept"     // it still fits
	Issued   Action = "issued"   // there was none
	Reissued Action = "reissued" // another took its place
	Updated  Action = "updated"  // same certificate, with other roots or a newer CRL beside it
	Waits    Action = "waits"    // it should be replaced, and its owner has the key: see [Depot.IssueFrom]
	Revoked  Action = "revoked"
	Restored Action = "restored" // taken off the list of the revoked
)

// A Change says what was done about one leaf.
type Change struct {
	ID     `yaml:",inline"`
	Action Action    `json:"action" yaml:"action"`
	Reason string    `json:"reason,omitempty" yaml:"reason,omitempty"`
	Serial string    `json:"serial" yaml:"serial"`
	Ends   time.Time `json:"ends" yaml:"ends"`
}

// Issue sees to it that there is a leaf for every want, and returns what it did
// about each, in their order; what it finished of an earlier command follows. A
// leaf is kept that says what is wanted, comes from the generation that issues
// now, is not revoked, and has more than a third of its life before it. One
// whose key is with its owner, or that is on hold, is left as it is, and so is one
// that was revoked because its holder is gone ([Ceased]) unless its want says so.
// Either all wants can be issued or none is.
func (d *Depot) Issue(ctx context.Context, wants []Want) ([]Change, error) {
	var changes []Change
	err := d.change("issue", func(s *session) (err error) {
		changes, err = s.issue(ctx, wants)
		return err
	})
	return changes, err
}

func (s *session) issue(ctx context.Context, wants []Want) ([]Change, error) {
	var (
		orders []*order
		stays  = map[ID]Change{}
	)
	for i, w := range wants {
		if err := w.check(wants[:i]); err != nil {
			return nil, err
		}
		o, stay := s.judge(w.withDefaults())
		if o != nil {
			orders = append(orders, o)
		} else {
			stays[w.ID] = stay
		}
	}
	done, err := s.settle(ctx, orders...)
	if err != nil {
		return nil, err
	}
	return inOrder(wants, stays, done), nil
}

// inOrder sorts what was done and what stays by the wants, the rest behind.
func inOrder(wants []Want, stays map[ID]Change, done []Change) []Change {
	all := make([]Change, 0, len(wants)+len(done))
	rank := make(map[ID]int, len(wants))
	for i, w := range wants {
		rank[w.ID] = i
	}
	for _, c := range done {
		if stay, ok := stays[c.ID]; !ok || stay.Serial != c.Serial {
			all = append(all, c)
			delete(stays, c.ID)
		}
	}
	for _, c := range stays {
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Change) int {
		i, wanted := rank[a.ID]
		j, too := rank[b.ID]
		switch {
		case wanted && too:
			return cmp.Compare(i, j)
		case wanted:
			return -1
		case too:
			return 1
		}
		return a.compare(b.ID)
	})
	return all
}

// judge says what is to be done about a want: an order, or what stays.
func (s *session) judge(w Want) (*order, Change) {
	l := s.leaf(w.ID)
	if l == nil {
		return &order{id: w.ID, req: w.Request}, Change{}
	}
	reason := s.misfit(l, w.Request)
	switch {
	case reason == "":
		return nil, l.change(Kept, "")
	case l.held():
		return nil, l.change(Kept, "it is on hold")
	case l.ceased() && !w.Again:
		return nil, l.change(Kept, reason)
	case l.outside():
		return nil, l.change(Waits, reason)
	}
	return &order{id: w.ID, req: w.Request, reason: reason}, Change{}
}

// misfit says why a leaf is not what is wanted, empty if it is.
func (s *session) misfit(l *leaf, want pki.Request) string {
	have := l.request()
	switch {
	case l.revoked != nil:
		return "revoked: " + Reason(l.revoked.Reason).String()
	case s.disagreement(l) != "":
		return s.disagreement(l)
	case have.CommonName != want.CommonName:
		return fmt.Sprintf("the common name is %s, wanted %s", have.CommonName, want.CommonName)
	case have.Usage != want.Usage:
		return "it is for another end of a connection"
	case !slices.Equal(names(have), names(want)):
		return difference(names(have), names(want))
	case have.Key != want.Key && !l.outside():
		return fmt.Sprintf("the key is %s, wanted %s", have.Key, want.Key)
	case have.Lifetime != want.Lifetime:
		return fmt.Sprintf("it was to live %v, wanted %v", have.Lifetime, want.Lifetime)
	}
	return s.age(l, 0)
}

// age says whether a leaf is to be renewed.
func (s *session) age(l *leaf, within time.Duration) string {
	switch left := l.cert.NotAfter.Sub(s.now); {
	case left <= 0:
		return "it has ended"
	case within == RenewAll:
		return "all are renewed"
	case left <= within:
		return fmt.Sprintf("it ends in %v", left.Round(time.Second))
	case l.entry.due(s.now, 0):
		return "two thirds of its life are over"
	}
	return ""
}

// difference tells names that came and went.
func difference(have, want []string) string {
	var parts []string
	for _, n := range want {
		if !slices.Contains(have, n) {
			parts = append(parts, "+"+n)
		}
	}
	for _, n := range have {
		if !slices.Contains(want, n) {
			parts = append(parts, "-"+n)
		}
	}
	return "names: " + strings.Join(parts, " ")
}

// IssueFrom issues a leaf for the key of a signing request. Names and usage are
// the want's; what the request asks for besides is not granted. The private key
// stays with its owner, so that only they can have it renewed: by calling this
// again. The same request for a leaf that still fits changes nothing.
func (d *Depot) IssueFrom(ctx context.Context, csr []byte, want Want) (Change, error) {
	var change Change
	err := d.change("issue", func(s *session) error {
		w := want.withDefaults()
		if err := w.check(nil); err != nil {
			return err
		}
		if l := s.leaked(csr); l != nil {
			return diag.New(diag.DepotRevoked, "the key of the request is that of %s, which is revoked: %s", l.ID, KeyLeaked).
				WithFix("have the owner make a new key")
		}
		o := &order{id: w.ID, req: w.Request, csr: csr}
		if l := s.leaf(w.ID); l != nil {
			o.reason = cmp.Or(s.misfit(l, w.Request), "its owner sent another key")
			if l.held() || s.misfit(l, w.Request) == "" && l.keyOf(csr) {
				change = l.change(Kept, "")
				_, err := s.settle(ctx)
				return err
			}
		}
		done, err := s.settle(ctx, o)
		if i := slices.IndexFunc(done, func(c Change) bool { return c.ID == w.ID }); err == nil && i >= 0 {
			change = done[i]
		}
		return err
	})
	return change, err
}

// keyOf reports whether the leaf is for the key of a signing request.
func (l *leaf) keyOf(csr []byte) bool {
	return l.outside() && l.certifies(csr)
}

func (l *leaf) certifies(csr []byte) bool {
	block, _ := pem.Decode(csr)
	if block == nil {
		return false
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	key, ok := l.cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return err == nil && ok && key.Equal(req.PublicKey)
}

// leaked returns the leaf that was revoked because others know the key of a
// signing request, or nil.
func (s *session) leaked(csr []byte) *leaf {
	i := slices.IndexFunc(s.leaves, func(l *leaf) bool {
		return l.revoked != nil && Reason(l.revoked.Reason) == KeyLeaked && l.certifies(csr)
	})
	if i < 0 {
		return nil
	}
	return s.leaves[i]
}

// RenewAll has [Depot.Renew] renew every leaf.
const RenewAll = time.Duration(1<<63 - 1)

// Renew replaces the leaves that have used up two thirds of their life or that
// end within the given time, with new keys. Zero is two thirds alone. What is
// revoked is not renewed. It returns the leaves it replaced and those whose
// owner has to, sorted.
func (d *Depot) Renew(ctx context.Context, within time.Duration) ([]Change, error) {
	var changes []Change
	err := d.change("renew", func(s *session) error {
		var orders []*order
		for _, l := range s.leaves {
			reason := s.age(l, within)
			switch {
			case reason == "" || l.revoked != nil:
			case l.outside():
				changes = append(changes, l.change(Waits, reason))
			default:
				orders = append(orders, &order{id: l.ID, req: l.request(), reason: reason})
			}
		}
		done, err := s.settle(ctx, orders...)
		changes = append(changes, done...)
		slices.SortStableFunc(changes, func(a, b Change) int { return a.compare(b.ID) })
		return err
	})
	return changes, err
}

func (w Want) withDefaults() Want {
	w.Request.Lifetime = cmp.Or(w.Request.Lifetime, pki.DefaultLifetime)
	w.Request.Key = cmp.Or(w.Request.Key, pki.ECDSAP256)
	return w
}

// check refuses a name that is none, and one that is wanted twice.
func (w Want) check(before []Want) error {
	if err := w.ID.check(); err != nil {
		return err
	}
	if slices.ContainsFunc(before, func(other Want) bool { return other.ID == w.ID }) {
		return diag.New(diag.DepotUnknown, "%s is wanted twice", w.ID)
	}
	return nil
}
