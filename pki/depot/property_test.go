package depot_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

// A world is a depot that anything is done to, and what must be true of it.
type world struct {
	place
	t *testing.T
}

// refused are the codes with which a command may say that it does not follow.
var refused = []diag.Code{diag.DepotPhase, diag.DepotBlocked, diag.DepotUnknown, diag.DepotRevoked, diag.DepotPending}

func TestWhateverIsDoneEveryLiveLeafIsAccepted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		base := quickDir(t)
		w := &world{place: placeIn(base, scene{}), t: t}
		d, err := depot.Init(w.dir, w.config())
		if err != nil {
			r.Fatal(err)
		}
		w.Depot = d
		r.Repeat(map[string]func(*rapid.T){
			"issue":    w.issue,
			"request":  w.request,
			"renew":    w.renew,
			"revoke":   w.revoke,
			"unrevoke": w.unrevoke,
			"begin":    w.begin,
			"next":     w.next,
			"back":     w.back,
			"wait":     w.wait,
			"":         w.check,
		})
		os.RemoveAll(base)
	})
}

// twice does something twice: the second time nothing may change.
func (w *world) twice(r *rapid.T, do func() error) {
	w.expected(r, do())
	before := snapshot(w.t, w.dir)
	w.expected(r, do())
	if files := differing(before, snapshot(w.t, w.dir)); len(files) > 0 {
		r.Fatalf("the second time changes %v", files)
	}
}

// expected takes refusals that the model of this test does not foresee for
// what they are, and fails on everything else.
func (w *world) expected(r *rapid.T, err error) {
	if err != nil && !slices.ContainsFunc(refused, func(c diag.Code) bool { return errors.Is(err, c) }) {
		r.Fatal(err)
	}
}

func (w *world) next(r *rapid.T) {
	to, _ := depot.Following(w.phase(r))
	w.twice(r, func() error { _, err := w.Next(w.t.Context(), depot.Step{To: to}); return err })
}

func (w *world) back(r *rapid.T) {
	_, to := depot.Following(w.phase(r))
	w.twice(r, func() error { _, err := w.Back(w.t.Context(), depot.Step{To: to}); return err })
}

func (w *world) wait(r *rapid.T) {
	w.clock.Add(time.Duration(rapid.IntRange(1, 20).Draw(r, "days")) * 24 * time.Hour)
}

func (w *world) phase(r *rapid.T) depot.Phase {
	st, err := w.Status()
	if err != nil {
		r.Fatal(err)
	}
	return st.Phase
}

func (w *world) want(r *rapid.T) depot.Want {
	n := rapid.IntRange(0, 3).Draw(r, "leaf")
	want := client(fmt.Sprintf("svc-%d", n))
	if n == 0 {
		want = broker("b0")
		want.Request.DNSNames = want.Request.DNSNames[:rapid.IntRange(1, 2).Draw(r, "names")]
	}
	return want
}

func (w *world) issue(r *rapid.T) {
	want := w.want(r)
	w.twice(r, func() error { _, err := w.Issue(w.t.Context(), []depot.Want{want}); return err })
}

func (w *world) request(r *rapid.T) {
	want := w.want(r)
	csr, _, err := pki.NewSigningRequest(want.Name, pki.ECDSAP256)
	if err != nil {
		r.Fatal(err)
	}
	w.twice(r, func() error { _, err := w.IssueFrom(w.t.Context(), csr, want); return err })
}

func (w *world) renew(r *rapid.T) {
	within := rapid.SampledFrom([]time.Duration{0, 24 * time.Hour, 12 * 24 * time.Hour}).Draw(r, "within")
	w.twice(r, func() error { _, err := w.Renew(w.t.Context(), within); return err })
}

func (w *world) revoke(r *rapid.T) {
	id, reason := w.want(r).ID, rapid.SampledFrom(depot.Reasons).Draw(r, "reason")
	w.twice(r, func() error { _, err := w.Revoke(w.t.Context(), reason, id.String()); return err })
}

func (w *world) unrevoke(r *rapid.T) {
	id := w.want(r).ID
	w.twice(r, func() error { _, err := w.Unrevoke(w.t.Context(), id.String()); return err })
}

func (w *world) begin(r *rapid.T) {
	replacement := w.replacement()
	replacement.KeepRoot = rapid.Bool().Draw(r, "keep root")
	_, err := w.Begin(w.t.Context(), replacement)
	w.expected(r, err)
}

// check holds the files against what must be true and against the status.
func (w *world) check(r *rapid.T) {
	now := w.clock.Now()
	if err := sound(w.dir, now); err != nil {
		r.Fatal(err)
	}
	if found := append(litter(w.dir), litter(w.roots)...); len(found) > 0 {
		r.Fatalf("left behind: %v", found)
	}
	st, err := w.Status()
	if err != nil {
		r.Fatal(err)
	}
	if !st.Settled {
		r.Fatal("a command that came to its end left something unsettled")
	}
	want := map[string]string{}
	for _, dir := range leafDirs(w.dir) {
		rel, _ := filepath.Rel(filepath.Join(w.dir, "issued"), dir)
		h, _ := hold(dir)
		want[rel] = fmt.Sprint(h.serial(), h.key, h.cert.NotAfter)
		if h.on(listsOf(w.dir)) {
			want[rel] += " revoked"
		}
		if h.on(h.lists) {
			want[rel] += " and told"
		}
	}
	got := map[string]string{}
	for _, l := range st.Leaves {
		got[l.ID.String()] = fmt.Sprint(l.Serial, !l.KeyOutside, l.NotAfter)
		if l.Revoked != "" {
			got[l.ID.String()] += " revoked"
		}
		if l.Revoked != "" && trusted(st, l.Generation) {
			got[l.ID.String()] += " and told"
		}
	}
	if !maps.Equal(got, want) {
		r.Fatalf("the status tells %v, and the files are %v", got, want)
	}
}

// trusted reports whether the root of a generation is among those that are
// trusted, so that its list lies beside the leaves.
func trusted(st depot.Status, number int) bool {
	return slices.ContainsFunc(st.Generations, func(g depot.Generation) bool { return g.Number == number && g.Trusted })
}
