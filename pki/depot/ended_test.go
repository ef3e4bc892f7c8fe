package depot_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki/depot"
)

// What has ended is replaced all the same: nobody relies on it any more.
func TestAnAuthorityThatHasEndedCanBeReplaced(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for name, tt := range map[string]struct {
		after    time.Duration
		keepRoot bool
	}{
		"the issuer": {4 * year, true},
		"the root":   {11 * year, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			clock := func() time.Time { return now }
			medium := depot.RootKey{Dir: filepath.Join(t.TempDir(), "medium")}
			d, err := depot.Init(filepath.Join(t.TempDir(), "pki"), depot.Config{Cluster: "kafka", Clock: clock, RootKey: medium})
			if err != nil {
				t.Fatal(err)
			}
			wants := []depot.Want{client("svc-a")}
			if _, err := d.Issue(t.Context(), wants); err != nil {
				t.Fatal(err)
			}
			now = now.Add(tt.after)
			if _, err := d.Issue(t.Context(), wants); err == nil {
				t.Error("an authority that has ended issues")
			}
			if _, err := d.Begin(t.Context(), depot.Replacement{KeepRoot: tt.keepRoot, RootKey: medium}); err != nil {
				t.Fatal(err)
			}
			for _, to := range []depot.Phase{depot.Reissue, depot.Retire} {
				if _, err := d.Next(t.Context(), depot.Step{To: to}); err != nil {
					t.Fatal(to, err)
				}
			}
			s, err := d.Status()
			if err != nil {
				t.Fatal(err)
			}
			if s.Phase != depot.Steady || len(s.Leaves) != 1 || !now.Before(s.Leaves[0].NotAfter) || s.Leaves[0].Disagrees != "" {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// What nobody asked for any more lies there still, and its line leaves the
// register with it, not before: a leaf that no register has is damage.
func TestALeafThatEndedLongAgoDamagesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	issue(t, p.Depot, client("svc-old"))
	for range 3 {
		p.clock.Add(320 * 24 * time.Hour)
		issue(t, p.Depot, client("svc-new"))
		if _, err := p.Status(); err != nil {
			t.Fatal(err)
		}
	}
	if got := actions(issue(t, p.Depot, client("svc-old"))); got != "reissued client/svc-old (it has ended)" {
		t.Errorf("asked for again: %s", got)
	}
}
