package depot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

func TestALeafIsReissuedOnlyForAReason(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		between func(t *testing.T, p place)
		again   func(*depot.Want)
		want    string
	}{
		"nothing changed":   {want: "kept broker/b0"},
		"one third is left": {between: func(_ *testing.T, p place) { p.clock.Add(20*24*time.Hour - time.Second) }, want: "kept broker/b0"},
		"two thirds over":   {between: func(_ *testing.T, p place) { p.clock.Add(20 * 24 * time.Hour) }, want: "reissued broker/b0 (two thirds of its life are over)"},
		"ended":             {between: func(_ *testing.T, p place) { p.clock.Add(31 * 24 * time.Hour) }, want: "reissued broker/b0 (it has ended)"},
		"another name":      {again: func(w *depot.Want) { w.Request.DNSNames = []string{"b0.test", "new.test"} }, want: "reissued broker/b0 (names: +new.test -kafka.test)"},
		"names reordered":   {again: func(w *depot.Want) { w.Request.DNSNames = []string{"kafka.test", "b0.test"} }, want: "kept broker/b0"},
		"another key":       {again: func(w *depot.Want) { w.Request.Key = pki.ECDSAP384 }, want: "reissued broker/b0 (the key is ecdsa-p256, wanted ecdsa-p384)"},
		"another end":       {again: func(w *depot.Want) { w.Request.Usage = pki.Server }, want: "reissued broker/b0 (it is for another end of a connection)"},
		"another life":      {again: func(w *depot.Want) { w.Request.Lifetime = time.Hour }, want: "reissued broker/b0 (it was to live 720h0m0s, wanted 1h0m0s)"},
		"revoked": {between: func(t *testing.T, p place) {
			if _, err := p.Revoke(t.Context(), depot.KeyLeaked, "broker/b0"); err != nil {
				t.Fatal(err)
			}
		}, want: "reissued broker/b0 (revoked: keyCompromise)"},
		"on hold": {between: func(t *testing.T, p place) {
			if _, err := p.Revoke(t.Context(), depot.Hold, "broker/b0"); err != nil {
				t.Fatal(err)
			}
		}, want: "kept broker/b0 (it is on hold)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, w := newPlace(t), broker("b0")
			if got := actions(issue(t, p.Depot, w)); got != "issued broker/b0" {
				t.Fatalf("first Issue: %s", got)
			}
			if tt.between != nil {
				tt.between(t, p)
			}
			if tt.again != nil {
				tt.again(&w)
			}
			before := snapshot(t, p.dir)
			if got := actions(issue(t, p.Depot, w)); got != tt.want {
				t.Errorf("second Issue: %s, want %s", got, tt.want)
			}
			if tt.between == nil && tt.want[:4] == "kept" && len(differing(before, snapshot(t, p.dir))) > 0 {
				t.Errorf("Issue changed %v", differing(before, snapshot(t, p.dir)))
			}
			if err := sound(p.dir, p.clock.Now()); err != nil {
				t.Error(err)
			}
			before = snapshot(t, p.dir)
			issue(t, p.Depot, w)
			if files := differing(before, snapshot(t, p.dir)); len(files) > 0 {
				t.Errorf("a third Issue changed %v", files)
			}
		})
	}
}

func BenchmarkIssueThousand(b *testing.B) {
	wants := make([]depot.Want, 1000)
	for i := range wants {
		wants[i] = client(fmt.Sprintf("svc-%04d", i))
	}
	for b.Loop() {
		b.StopTimer()
		p := newPlace(b)
		b.StartTimer()
		if _, err := p.Issue(b.Context(), wants); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplaceAuthorityOfThousand is a whole replacement: trust, reissue and
// retire, each of which touches every leaf.
func BenchmarkReplaceAuthorityOfThousand(b *testing.B) {
	wants := make([]depot.Want, 1000)
	for i := range wants {
		wants[i] = client(fmt.Sprintf("svc-%04d", i))
	}
	p := newPlace(b)
	issue(b, p.Depot, wants...)
	for b.Loop() {
		if _, err := p.Begin(b.Context(), p.replacement()); err != nil {
			b.Fatal(err)
		}
		for range 2 {
			if _, err := p.Next(b.Context(), depot.Step{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
