package depot

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// An order is a certificate that is to be made, in the place of another or not.
type order struct {
	id     ID
	req    pki.Request
	csr    []byte // nil to make a key
	reason string // why the present one does not do; empty if there is none
	cert   *pki.Certificate
}

// settle brings everything to what depot.yaml says, and fulfils the orders on
// the way. The steps are in the order in which each is safe to die after: a
// certificate is on the register before it is given out, and roots are added to
// trust.crt before, and taken from it after, what depends on them.
func (s *session) settle(ctx context.Context, orders ...*order) ([]Change, error) {
	if err := s.retireKeys(); err != nil {
		return nil, err
	}
	if err := s.refreshLists(); err != nil {
		return nil, err
	}
	orders = append(orders, s.lagging(orders)...)
	if err := s.sign(ctx, orders); err != nil {
		return nil, err
	}
	if err := s.register(orders); err != nil {
		return nil, err
	}
	if err := s.writeTrust(); err != nil {
		return nil, err
	}
	changes, err := s.deliver(ctx, orders)
	if err != nil || s.st.phase != Retire {
		return changes, err
	}
	return changes, s.writeState(state{cluster: s.st.cluster, phase: Steady, current: s.st.next, last: s.st.last})
}

// lagging orders new certificates for the leaves that disagree with the phase
// and whose key is here.
func (s *session) lagging(known []*order) []*order {
	var orders []*order
	for _, l := range s.leaves {
		reason := s.disagreement(l)
		if reason == "" || l.outside() || l.revoked != nil || slices.ContainsFunc(known, func(o *order) bool { return o.id == l.ID }) {
			continue
		}
		orders = append(orders, &order{id: l.ID, req: l.request(), reason: reason})
	}
	return orders
}

// disagreement says why a leaf's certificate is not one of the phase.
func (s *session) disagreement(l *leaf) string {
	if issuing := s.st.issuing(); l.gen.number != issuing {
		return fmt.Sprintf("issued by generation %d, and generation %d issues now", l.gen.number, issuing)
	}
	return ""
}

// sign makes the certificates of the orders; all or none.
func (s *session) sign(ctx context.Context, orders []*order) error {
	if len(orders) == 0 {
		return nil
	}
	a, err := s.issuer()
	if err != nil {
		return err
	}
	var (
		wg   sync.WaitGroup
		next atomic.Int64
		errs = make([]error, len(orders))
	)
	for range min(runtime.GOMAXPROCS(0), len(orders)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(orders) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[i] = orders[i].sign(a, s.now)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, context.Cause(ctx))...)
}

func (o *order) sign(a *pki.Authority, now time.Time) (err error) {
	o.req.Now = now
	if o.csr != nil {
		o.cert, err = a.Sign(o.csr, o.req)
	} else {
		o.cert, err = a.Issue(o.req)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.id, err)
	}
	return nil
}

// issuer returns the authority that issues now.
func (s *session) issuer() (*pki.Authority, error) {
	g := s.generation(s.st.issuing())
	if g == nil {
		return nil, diag.New(diag.DepotPending, "the issuer is not signed yet")
	}
	return s.authority(g)
}

// register writes down what was signed, before anybody gets it.
func (s *session) register(orders []*order) error {
	var entries []entry
	for _, o := range orders {
		entries = append(entries, entry{o.cert.Serial(), o.id.String(), s.now, o.cert.NotAfter(), o.req.Lifetime})
	}
	if len(entries) == 0 {
		return nil
	}
	return s.enter(s.generation(s.st.issuing()), entries...)
}

// enter adds lines to a generation's register. What ended long ago leaves it,
// unless it lies there still: whoever reads a leaf looks for its line.
func (s *session) enter(g *generation, entries ...entry) error {
	shown := make(map[string]bool, len(s.leaves))
	for _, l := range s.leaves {
		shown[l.entry.serial] = true
	}
	all := slices.DeleteFunc(slices.Clone(g.register), func(e entry) bool {
		return s.now.Sub(e.ends) > memory && !shown[e.serial]
	})
	for _, e := range entries {
		e.issued, e.ends = e.issued.UTC().Truncate(time.Second), e.ends.UTC()
		all = append(all, e)
	}
	if err := s.replace(g.path(registerFile), encodeRegister(all)); err != nil {
		return err
	}
	g.remember(all)
	return nil
}

// trust returns the generations that are trusted in a state, oldest first.
func (s *session) trusted(st state) []*generation {
	var all []*generation
	for _, n := range slices.Sorted(slices.Values(st.trusted())) {
		all = append(all, s.generation(n))
	}
	return all
}

// roots returns the roots that are trusted in a state.
func (s *session) roots(st state) []*x509.Certificate {
	var roots []*x509.Certificate
	for _, g := range s.trusted(st) {
		if !slices.ContainsFunc(roots, g.root.Equal) {
			roots = append(roots, g.root)
		}
	}
	return roots
}

func (s *session) trustPEM() []byte { return encodeCertificates(s.roots(s.st)...) }

func (s *session) writeTrust() error {
	want := s.trustPEM()
	if have, err := s.read(trustFile, readable); len(want) == 0 || err == nil && bytes.Equal(have, want) {
		return nil
	}
	return s.replace(trustFile, want)
}

// A parcel is the next version of a leaf's files.
type parcel struct {
	id     ID
	files  map[string][]byte
	change Change
}

// deliver puts new certificates, roots and lists where their readers find them.
func (s *session) deliver(ctx context.Context, orders []*order) ([]Change, error) {
	parcels := s.pack(orders)
	if len(parcels) == 0 {
		return nil, nil
	}
	for _, p := range parcels {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := s.stage(p.id, p.files); err != nil {
			return nil, err
		}
	}
	if err := s.barrier(); err != nil {
		return nil, err
	}
	changes := make([]Change, len(parcels))
	for i, p := range parcels {
		if err := s.swap(p.id, p.files); err != nil {
			return nil, err
		}
		changes[i] = p.change
	}
	return changes, errors.Join(s.barrier(), s.readLeaves())
}

func (s *session) pack(orders []*order) []parcel {
	trust, lists := s.trustPEM(), s.listsPEM()
	parcels := make([]parcel, 0, len(orders))
	for _, o := range orders {
		files := map[string][]byte{pki.CertificateFile: o.cert.PEM(), pki.AuthorityFile: trust, listBeside: lists}
		if key := o.cert.KeyPEM(); key != nil {
			files[pki.KeyFile] = key
		}
		change := Change{ID: o.id, Action: Issued, Reason: o.reason, Serial: o.cert.Serial(), Ends: o.cert.NotAfter()}
		if s.leaf(o.id) != nil {
			change.Action = Reissued
		}
		parcels = append(parcels, parcel{o.id, files, change})
	}
	for _, l := range s.leaves {
		reason := l.companions(trust, lists)
		if reason == "" || slices.ContainsFunc(orders, func(o *order) bool { return o.id == l.ID }) {
			continue
		}
		files := maps.Clone(l.files)
		files[pki.AuthorityFile], files[listBeside] = trust, lists
		parcels = append(parcels, parcel{l.ID, files, l.change(Updated, reason)})
	}
	return parcels
}

// companions says what of the files beside a leaf is not up to date.
func (l *leaf) companions(trust, lists []byte) string {
	switch {
	case !bytes.Equal(l.files[pki.AuthorityFile], trust):
		return "other roots are trusted"
	case !bytes.Equal(l.files[listBeside], lists):
		return "there is a newer list of the revoked"
	}
	return ""
}

func (l *leaf) change(a Action, reason string) Change {
	return Change{ID: l.ID, Action: a, Reason: reason, Serial: l.entry.serial, Ends: l.cert.NotAfter}
}

// settled reports whether everything that can be done about the state is done.
func (s *session) settled() bool {
	trust, lists := s.trustPEM(), s.listsPEM()
	have, err := s.read(trustFile, readable)
	return s.st.phase != Retire && (err == nil || len(trust) == 0) && bytes.Equal(have, trust) &&
		!slices.ContainsFunc(s.gens, s.retiring) &&
		!slices.ContainsFunc(s.leaves, func(l *leaf) bool {
			return l.companions(trust, lists) != "" || s.disagreement(l) != "" && !l.outside() && l.revoked == nil
		})
}

// left are the leaves that only their owner can bring to the phase, or that
// wait for somebody to decide about them.
func (s *session) left() []*leaf {
	return slices.DeleteFunc(slices.Clone(s.leaves), func(l *leaf) bool {
		return s.disagreement(l) == "" || !l.live(s.now)
	})
}
