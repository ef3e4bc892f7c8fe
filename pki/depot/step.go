package depot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// probeLife is how long the certificate lives that a probe shows to endpoints.
const probeLife = 10 * time.Minute

// Following returns the phase that [Depot.Next] leads to from a phase, and the one
// that [Depot.Back] does; empty where there is none.
func Following(p Phase) (next, back Phase) {
	switch p {
	case Trust:
		return Reissue, Steady
	case Reissue:
		return Retire, Trust
	}
	return "", ""
}

// Begin makes the next generation and has everybody trust it beside the current
// one. Called again before the next step, it completes what it began.
func (d *Depot) Begin(ctx context.Context, r Replacement) (Progress, error) {
	r.Policy = r.Policy.withDefaults()
	var p Progress
	err := d.change("begin replacement", func(s *session) (err error) {
		p.From = s.st.phase
		if p.Changes, err = s.settle(ctx); err != nil {
			return err
		}
		if s.st.phase != Trust {
			if err := s.begin(r); err != nil {
				return err
			}
		}
		return s.finish(ctx, &p)
	})
	return p, err
}

func (s *session) begin(r Replacement) error {
	if s.st.phase != Steady {
		return s.wrongPhase("no replacement begins")
	}
	if err := r.Policy.validate(); err != nil {
		return err
	}
	n := s.st.last + 1
	if err := s.found(n, r); err != nil {
		return err
	}
	return s.enterPhase(state{cluster: s.st.cluster, phase: Trust, current: s.st.current, next: n, last: n})
}

// enterPhase writes a state down and reads the generations that it knows of.
func (s *session) enterPhase(st state) error {
	if err := s.writeState(st); err != nil {
		return err
	}
	if err := s.readGenerations(); err != nil {
		return err
	}
	return s.readLeaves()
}

// finish settles the phase and completes the report.
func (s *session) finish(ctx context.Context, p *Progress) error {
	done, err := s.settle(ctx)
	p.Changes = append(p.Changes, done...)
	p.To = s.st.phase
	for _, l := range s.left() {
		p.Left = append(p.Left, s.describe(l))
	}
	return err
}

func (s *session) wrongPhase(what string) error {
	if s.st.phase == Pending {
		return diag.New(diag.DepotPending, "the issuer is not signed yet")
	}
	next, back := Following(s.st.phase)
	d := diag.New(diag.DepotPhase, "%s in phase %s", what, s.st.phase)
	if next != "" {
		d = d.WithFix("go on to %s, or back to %s", next, back)
	}
	return d
}

// Next takes the replacement one step further: from trust to reissue, from
// reissue to retire, which ends in steady. It fails with a [BlockedError] while
// something would break.
func (d *Depot) Next(ctx context.Context, step Step) (Progress, error) {
	return d.move(ctx, "take next step", step, func(p Phase) Phase { next, _ := Following(p); return next })
}

// Back takes it one step back: from reissue to trust, from trust to steady. The
// generation that was to come is given up then, and its number is not used
// again. From retire there is no way back: the old root is no longer trusted.
func (d *Depot) Back(ctx context.Context, step Step) (Progress, error) {
	return d.move(ctx, "take step back", step, func(p Phase) Phase { _, back := Following(p); return back })
}

func (d *Depot) move(ctx context.Context, what string, step Step, following func(Phase) Phase) (Progress, error) {
	var p Progress
	err := d.change(what, func(s *session) (err error) {
		p.From = s.st.phase
		to := step.To
		if to == "" && s.settled() {
			if to = following(p.From); to == "" {
				return s.wrongPhase("there is no step to take")
			}
		}
		if p.Changes, err = s.settle(ctx); err != nil {
			return err
		}
		if to != "" && !s.reached(p.From, to) {
			if err := s.take(ctx, to, following(s.st.phase), step.Probe); err != nil {
				return err
			}
		}
		return s.finish(ctx, &p)
	})
	return p, err
}

// reached reports whether a depot that was in one phase needs no step to be in
// another. Retire is behind it as soon as it is steady.
func (s *session) reached(from, to Phase) bool {
	return to == from || to == s.st.phase || to == Retire && s.st.phase == Steady
}

func (s *session) take(ctx context.Context, to, following Phase, probe Probe) error {
	if to != following {
		return s.wrongPhase(fmt.Sprintf("no step leads to %s", to))
	}
	target := s.st
	target.phase = to
	if to == Steady {
		target.next = 0
	}
	objections, err := s.objections(ctx, target, probe)
	if err != nil {
		return err
	}
	if len(objections) > 0 {
		return &BlockedError{To: to, Objections: objections}
	}
	return s.writeState(target)
}

// Objections returns what stands in the way of a step, without taking it. To
// is the phase that [Depot.Next] leads to unless the step names one.
func (d *Depot) Objections(ctx context.Context, step Step) ([]Objection, error) {
	var all []Objection
	err := d.change("look ahead", func(s *session) (err error) {
		next, back := Following(s.st.phase)
		target := s.st
		if target.phase = step.To; step.To == "" {
			target.phase = next
		}
		if target.phase == "" || target.phase != next && target.phase != back {
			return s.wrongPhase("there is no step to take")
		}
		if target.phase == Steady {
			target.next = 0
		}
		all, err = s.objections(ctx, target, step.Probe)
		return err
	})
	return all, err
}

// objections are the leaves that would no longer be accepted in a state and
// that settling it cannot replace, and what the probe finds.
func (s *session) objections(ctx context.Context, target state, probe Probe) ([]Objection, error) {
	var all []Objection
	for _, l := range s.leaves {
		if o, ok := s.objection(l, target); ok {
			all = append(all, o)
		}
	}
	if probe == nil || target.phase == Trust {
		return all, nil
	}
	leaf, err := s.probeLeaf(target)
	if err != nil {
		return nil, err
	}
	found, err := probe(ctx, Endpoint{To: target.phase, Roots: s.roots(target), Leaf: leaf})
	if err != nil {
		return nil, fmt.Errorf("probe endpoints: %w", err)
	}
	return append(all, found...), nil
}

func (s *session) objection(l *leaf, target state) (Objection, bool) {
	o := Objection{What: l.ID.String(), Why: fmt.Sprintf("its certificate is of generation %d, which would not be good any more", l.gen.number)}
	switch {
	case slices.Contains(s.trusted(target), l.gen), !l.live(s.now):
		return o, false
	case l.held():
		o.Fix = "lift the hold, or revoke it for good"
	case l.outside():
		o.Fix = "have its owner send a signing request, or revoke it"
	default:
		return o, false // settling replaces it
	}
	return o, true
}

// probeLeaf issues the certificate that endpoints are asked to accept.
func (s *session) probeLeaf(target state) (*pki.Certificate, error) {
	g := s.generation(target.issuing())
	a, err := s.authority(g)
	if err != nil {
		return nil, err
	}
	c, err := a.Issue(pki.Request{CommonName: "slipway-probe", Usage: pki.Client, Lifetime: probeLife, Now: s.now})
	if err != nil {
		return nil, err
	}
	return c, s.enter(g, entry{c.Serial(), "probe/slipway-probe", s.now, c.NotAfter(), probeLife})
}

// BeginRequest makes the next generation's key and returns the signing request
// for its issuer, as [InitRequest] does. [Depot.Complete] then begins the
// replacement.
func (d *Depot) BeginRequest(ctx context.Context, policy Policy) ([]byte, error) {
	var csr []byte
	err := d.change("request issuer", func(s *session) error {
		if _, err := s.settle(ctx); err != nil {
			return err
		}
		if s.st.phase != Steady && s.st.phase != Pending {
			return s.wrongPhase("no replacement begins")
		}
		st := s.st
		if st.requested == 0 {
			st.requested, st.last = st.last+1, st.last+1
		}
		var err error
		if csr, err = s.request(st.requested, policy); err != nil {
			return err
		}
		return s.writeState(st)
	})
	return csr, err
}

// Complete takes the certificates that an organisation's authority made of the
// request: the issuer first, its root last. The depot is steady then, or in the
// phase trust if it had an issuer before.
func (d *Depot) Complete(ctx context.Context, chain []byte) (Progress, error) {
	var p Progress
	err := d.change("complete issuer", func(s *session) (err error) {
		p.From = s.st.phase
		if p.Changes, err = s.settle(ctx); err != nil {
			return err
		}
		st, err := s.answered(chain)
		if err != nil {
			return err
		}
		if err := s.enterPhase(st); err != nil {
			return err
		}
		return s.finish(ctx, &p)
	})
	return p, err
}
