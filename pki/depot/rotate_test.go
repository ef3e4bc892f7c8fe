package depot_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

// rootsBeside are the names of the roots that a leaf's holder trusts.
func rootsBeside(t *testing.T, p place, id depot.ID) string {
	t.Helper()
	h, err := hold(p.LeafDir(id))
	if err != nil {
		t.Fatal(err)
	}
	return commonNames(h.roots)
}

func commonNames(certs []*x509.Certificate) string {
	var all []string
	for _, c := range certs {
		all = append(all, c.Subject.CommonName)
	}
	return strings.Join(all, ", ")
}

func TestAReplacementGoesThroughItsPhases(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	issueTwo(t, p)
	old, _ := hold(p.LeafDir(twoLeaves[0].ID))
	const both = "kafka-test root 1, kafka-test root 2"
	for _, step := range []struct {
		do    func(context.Context) (depot.Progress, error)
		want  string
		roots string
	}{
		{func(ctx context.Context) (depot.Progress, error) { return p.Begin(ctx, p.replacement()) },
			"steady → trust: updated broker/b0 (other roots are trusted); updated client/svc-a (other roots are trusted)", both},
		{func(ctx context.Context) (depot.Progress, error) { return p.Back(ctx, depot.Step{}) },
			"trust → steady: updated broker/b0 (other roots are trusted); updated client/svc-a (other roots are trusted)", "kafka-test root 1"},
		{func(ctx context.Context) (depot.Progress, error) { return p.Begin(ctx, p.replacement()) },
			"steady → trust: updated broker/b0 (other roots are trusted); updated client/svc-a (other roots are trusted)", "kafka-test root 1, kafka-test root 3"},
		{func(ctx context.Context) (depot.Progress, error) { return p.Next(ctx, depot.Step{}) },
			"trust → reissue: reissued broker/b0 (issued by generation 1, and generation 3 issues now); reissued client/svc-a (issued by generation 1, and generation 3 issues now)", "kafka-test root 1, kafka-test root 3"},
		{func(ctx context.Context) (depot.Progress, error) { return p.Back(ctx, depot.Step{}) },
			"reissue → trust: reissued broker/b0 (issued by generation 3, and generation 1 issues now); reissued client/svc-a (issued by generation 3, and generation 1 issues now)", "kafka-test root 1, kafka-test root 3"},
		{func(ctx context.Context) (depot.Progress, error) { return p.Next(ctx, depot.Step{}) },
			"trust → reissue: reissued broker/b0 (issued by generation 1, and generation 3 issues now); reissued client/svc-a (issued by generation 1, and generation 3 issues now)", "kafka-test root 1, kafka-test root 3"},
		{func(ctx context.Context) (depot.Progress, error) { return p.Next(ctx, depot.Step{}) },
			"reissue → steady: updated broker/b0 (other roots are trusted); updated client/svc-a (other roots are trusted)", "kafka-test root 3"},
	} {
		progress, err := step.do(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s → %s: %s", progress.From, progress.To, actions(progress.Changes)); got != step.want {
			t.Errorf("got  %s\nwant %s", got, step.want)
		}
		if got := rootsBeside(t, p, twoLeaves[0].ID); got != step.roots {
			t.Errorf("beside the leaf are %s, want %s", got, step.roots)
		}
		if trust, err := p.Trust(); err != nil || commonNames(trust) != step.roots {
			t.Errorf("trusted are %s, want %s: %v", commonNames(trust), step.roots, err)
		}
	}
	renewed, _ := hold(p.LeafDir(twoLeaves[0].ID))
	if err := verify("the old leaf", []*x509.Certificate{old.cert}, renewed.roots); err == nil {
		t.Error("the old leaf is still accepted")
	}
	for n := 1; n <= 2; n++ {
		if _, err := os.Stat(filepath.Join(p.dir, "generations", fmt.Sprint(n), "issuer.key")); !os.IsNotExist(err) {
			t.Errorf("the issuer's key of generation %d, which was given up, is still there: %v", n, err)
		}
	}
}

func TestALeafWhoseKeyIsElsewhereStopsItsRootFromBeingRetired(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	owners := client("svc-owner")
	csr, _, _ := pki.NewSigningRequest("svc-owner", pki.ECDSAP256)
	change, err := p.IssueFrom(t.Context(), csr, owners)
	if err != nil || change.Action != depot.Issued {
		t.Fatal(change, err)
	}
	if _, err := os.Stat(filepath.Join(p.LeafDir(owners.ID), "tls.key")); !os.IsNotExist(err) {
		t.Errorf("there is a key: %v", err)
	}
	must(t)(p.Begin(t.Context(), p.replacement()))
	progress, err := p.Next(t.Context(), depot.Step{})
	if err != nil || len(progress.Left) != 1 || progress.Left[0].ID != owners.ID {
		t.Errorf("left for its owner: %v, %v", progress.Left, err)
	}
	before := snapshot(t, p.dir)
	_, err = p.Next(t.Context(), depot.Step{})
	blocked, ok := errors.AsType[*depot.BlockedError](err)
	if !ok || !errors.Is(err, diag.DepotBlocked) || len(blocked.Objections) != 1 || blocked.Objections[0].What != "client/svc-owner" {
		t.Fatalf("Next = %v, want it blocked by client/svc-owner", err)
	}
	if ahead, err := p.Objections(t.Context(), depot.Step{}); err != nil || !cmp.Equal(ahead, blocked.Objections) {
		t.Errorf("Objections() = %v, %v", ahead, err)
	}
	if files := differing(before, snapshot(t, p.dir)); len(files) > 0 {
		t.Errorf("the refused step changed %v", files)
	}
	if got := actions(issue(t, p.Depot, owners)); got != "waits client/svc-owner (issued by generation 1, and generation 2 issues now)" {
		t.Errorf("Issue: %s", got)
	}
	for _, want := range []depot.Action{depot.Reissued, depot.Kept} {
		if change, err = p.IssueFrom(t.Context(), csr, owners); err != nil || change.Action != want {
			t.Errorf("IssueFrom: %v, %v, want %s", change, err, want)
		}
	}
	must(t)(p.Next(t.Context(), depot.Step{}))
	if err := sound(p.dir, p.clock.Now()); err != nil {
		t.Error(err)
	}
}

func TestAProbeSeesWhatIsToComeAndCanRefuseIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	issueTwo(t, p)
	must(t)(p.Begin(t.Context(), p.replacement()))
	var asked []string
	answer := []depot.Objection{{What: "kafka-0.test:9093", Why: "it refuses the new leaf"}}
	probe := func(_ context.Context, e depot.Endpoint) ([]depot.Objection, error) {
		text := fmt.Sprintf("%s with %s", e.To, commonNames(e.Roots))
		if e.Leaf != nil {
			text += " and a leaf of " + e.Leaf.Chain()[0].Issuer.CommonName
			if err := verify("probe", e.Leaf.Chain(), e.Roots); err != nil {
				t.Error(err)
			}
		}
		asked = append(asked, text)
		return answer, nil
	}
	_, err := p.Next(t.Context(), depot.Step{To: depot.Reissue, Probe: probe})
	if d := diag.Of(err); !errors.Is(err, diag.DepotBlocked) || d[0].Evidence[0] != "kafka-0.test:9093: it refuses the new leaf" {
		t.Errorf("Next = %v", err)
	}
	answer = nil
	must(t)(p.Next(t.Context(), depot.Step{To: depot.Reissue, Probe: probe}))
	must(t)(p.Back(t.Context(), depot.Step{To: depot.Trust, Probe: probe}))
	must(t)(p.Next(t.Context(), depot.Step{To: depot.Reissue, Probe: probe}))
	must(t)(p.Next(t.Context(), depot.Step{To: depot.Retire, Probe: probe}))
	failing := func(context.Context, depot.Endpoint) ([]depot.Objection, error) { return nil, errors.New("no route") }
	must(t)(p.Begin(t.Context(), p.replacement()))
	if _, err := p.Back(t.Context(), depot.Step{Probe: failing}); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("a probe that cannot tell: %v", err)
	}
	must(t)(p.Back(t.Context(), depot.Step{Probe: probe}))
	reissue := "reissue with kafka-test root 1, kafka-test root 2 and a leaf of kafka-test issuer 2"
	want := []string{
		reissue, reissue, reissue,
		"retire with kafka-test root 2 and a leaf of kafka-test issuer 2",
		"steady with kafka-test root 2 and a leaf of kafka-test issuer 2",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got): %s", diff)
	}
}

func TestAnotherIssuerUnderTheSameRootEndsTheOldOnesLeaves(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	issueTwo(t, p)
	old, _ := hold(p.LeafDir(twoLeaves[0].ID))
	r := p.replacement()
	r.KeepRoot = true
	must(t)(p.Begin(t.Context(), r))
	if got := rootsBeside(t, p, twoLeaves[0].ID); got != "kafka-test root 1" {
		t.Errorf("beside the leaf are %s", got)
	}
	must(t)(p.Next(t.Context(), depot.Step{}))
	must(t)(p.Next(t.Context(), depot.Step{}))
	renewed, err := hold(p.LeafDir(twoLeaves[0].ID))
	if err != nil || renewed.cert.Issuer.CommonName != "kafka-test issuer 2" {
		t.Errorf("issued by %s: %v", renewed.cert.Issuer.CommonName, err)
	}
	if !old.on(renewed.lists) || renewed.on(renewed.lists) {
		t.Error("the list beside the new leaf does not end the old one, or ends the new one")
	}
	must(t)(p.Begin(t.Context(), r)) // the root's key is found below the number it was made with
}

func TestAnOrganisationsOwnAuthorityIsTheRoot(t *testing.T) {
	t.Parallel()
	t.Run("with its key", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		root, err := pki.NewAuthority("Example Corp root", epoch)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "x")
		d, err := depot.Init(dir, depot.Config{Cluster: "kafka-x", Clock: p.clock.Now, From: root})
		if err != nil {
			t.Fatal(err)
		}
		issue(t, d, twoLeaves...)
		if err := sound(dir, epoch); err != nil {
			t.Error(err)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "generations", "*", "root.key")); len(found) > 0 {
			t.Error("the root's key was taken into the depot")
		}
		must(t)(d.Begin(t.Context(), depot.Replacement{From: root}))
	})
	t.Run("an issuer of it", func(t *testing.T) {
		t.Parallel()
		root, _ := pki.NewAuthority("Example Corp root", epoch)
		between, err := root.Intermediate("Example Corp issuing", epoch)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "x")
		d, err := depot.Init(dir, depot.Config{Cluster: "kafka-x", Clock: newClock().Now, From: between})
		if err != nil {
			t.Fatal(err)
		}
		issue(t, d, twoLeaves...)
		h, err := hold(d.LeafDir(twoLeaves[0].ID))
		if err != nil || h.cert.Issuer.CommonName != "Example Corp issuing" {
			t.Errorf("issued by %s: %v", h.cert.Issuer.CommonName, err)
		}
	})
	t.Run("by a signing request", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		answer(t, p, false)
		p.Depot, _ = depot.Open(p.dir, depot.WithClock(p.clock.Now))
		if st, err := p.Status(); err != nil || st.Phase != depot.Pending || st.Generations[0].Role != depot.Requested {
			t.Errorf("Status() = %+v, %v", st, err)
		}
		if err := complete(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		issueTwo(t, p)
		answer(t, p, true)
		if err := complete(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		must(t)(p.Next(t.Context(), depot.Step{}))
		must(t)(p.Next(t.Context(), depot.Step{}))
		if phase, leaves := outcome(t, p); phase != depot.Steady || leaves != "broker/b0:2 client/svc-a:2" {
			t.Errorf("ends in %s with %s", phase, leaves)
		}
	})
}

func TestARootInsideIsEncryptedAndSignsAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "x")
	inside := depot.RootKey{Passphrase: secret.New("correct horse")}
	d, err := depot.Init(dir, depot.Config{Cluster: "kafka-x", Clock: newClock().Now, RootKey: inside})
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "generations", "1", "root.key"))
	if err != nil || !pki.Key(key).Encrypted() {
		t.Errorf("the root's key lies there in the clear: %v", err)
	}
	must(t)(d.Begin(t.Context(), depot.Replacement{KeepRoot: true, RootKey: inside}))
	st, err := d.Status()
	if err != nil || !st.Generations[0].RootInside || st.Generations[1].Root != "kafka-x root 1" || st.Generations[1].Role != depot.Next {
		t.Errorf("Status() = %+v, %v", st.Generations, err)
	}
}

func TestRenewalTakesWhatIsDueAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	short := client("svc-short")
	short.Request.Lifetime = 3 * time.Hour
	csr, _, _ := pki.NewSigningRequest("svc-owner", pki.ECDSAP256)
	owners := client("svc-owner")
	owners.Request.Lifetime = 3 * time.Hour
	must(t)(p.IssueFrom(t.Context(), csr, owners))
	revoked := client("svc-revoked")
	revoked.Request.Lifetime = 3 * time.Hour
	issue(t, p.Depot, broker("b0"), short, revoked)
	must(t)(p.Revoke(t.Context(), depot.KeyLeaked, "client/svc-revoked"))
	for _, step := range []struct {
		after, within time.Duration
		want          string
	}{
		{0, 0, ""},
		{2*time.Hour - time.Second, 0, ""},
		{time.Second, 0, "waits client/svc-owner (two thirds of its life are over); reissued client/svc-short (two thirds of its life are over)"},
		{0, 2 * time.Hour, "waits client/svc-owner (it ends in 1h0m0s)"},
		{0, 3 * time.Hour, "waits client/svc-owner (it ends in 1h0m0s); reissued client/svc-short (it ends in 3h0m0s)"},
		{0, depot.RenewAll, "reissued broker/b0 (all are renewed); waits client/svc-owner (all are renewed); reissued client/svc-short (all are renewed)"},
	} {
		p.clock.Add(step.after)
		changes, err := p.Renew(t.Context(), step.within)
		if got := actions(changes); err != nil || got != step.want {
			t.Errorf("after %v within %v: %s, %v\nwant %s", step.after, step.within, got, err, step.want)
		}
	}
	h, err := hold(p.LeafDir(short.ID))
	if want := p.clock.Now().Add(3 * time.Hour); err != nil || !h.cert.NotAfter.Equal(want) {
		t.Errorf("the renewed leaf ends at %v, want %v: %v", h.cert.NotAfter, want, err)
	}
}

func TestRevocationReachesEveryLeaf(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	first := issue(t, p.Depot, twoLeaves...)
	number := func() int64 {
		st, err := p.Status()
		if err != nil {
			t.Fatal(err)
		}
		return st.Generations[0].ListNumber
	}
	changes, err := p.Revoke(t.Context(), depot.Hold, "client/svc-a", strings.ToUpper(first[0].Serial))
	if got := actions(changes); err != nil || got != "revoked client/svc-a; revoked broker/b0" || number() != 2 {
		t.Errorf("Revoke: %s, list %d, %v", got, number(), err)
	}
	for _, w := range twoLeaves {
		a, _ := hold(p.LeafDir(twoLeaves[0].ID))
		b, err := hold(p.LeafDir(twoLeaves[1].ID))
		if h, _ := hold(p.LeafDir(w.ID)); err != nil || !a.on(h.lists) || !b.on(h.lists) {
			t.Errorf("the list beside %s does not have both: %v", w.ID, err)
		}
	}
	if changes, err := p.Unrevoke(t.Context(), "client/svc-a"); err != nil || actions(changes) != "restored client/svc-a" || number() != 3 {
		t.Errorf("Unrevoke: %s, list %d, %v", actions(changes), number(), err)
	}
	if changes, err := p.Revoke(t.Context(), depot.KeyLeaked, "broker/b0"); err != nil || actions(changes) != "revoked broker/b0" || number() != 4 {
		t.Errorf("a hold made final: %s, list %d, %v", actions(changes), number(), err)
	}
	if changes, err := p.Revoke(t.Context(), depot.Ceased, "broker/b0"); err != nil || actions(changes) != "kept broker/b0" || number() != 4 {
		t.Errorf("revoked twice: %s, list %d, %v", actions(changes), number(), err)
	}
	p.clock.Add(16 * 24 * time.Hour)
	must(t)(p.Renew(t.Context(), 0))
	if st, _ := p.Status(); st.Generations[0].ListNumber != 5 || !st.Generations[0].ListOverdue.Equal(p.clock.Now().Add(30*24*time.Hour)) {
		t.Errorf("after half of its time the list is %+v", st.Generations[0])
	}
}
