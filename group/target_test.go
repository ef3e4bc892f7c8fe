package group_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/group"
)

func TestPlacesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]group.Target{
		"earliest":                  {Kind: group.Earliest},
		"latest":                    {Kind: group.Latest},
		"0":                         {Kind: group.AtOffset},
		"1200":                      {Kind: group.AtOffset, Offset: 1200},
		"+100":                      {Kind: group.By, Offset: 100},
		"-100":                      {Kind: group.By, Offset: -100},
		"-2h":                       {Kind: group.AtTime, Time: noon.Add(-2 * time.Hour)},
		"-1d12h":                    {Kind: group.AtTime, Time: noon.Add(-36 * time.Hour)},
		"2026-05-01":                {Kind: group.AtTime, Time: noon.Add(-12 * time.Hour)},
		"2026-05-01T14:00:00+02:00": {Kind: group.AtTime, Time: noon},
		"2026-05-01T12:00:00.25Z":   {Kind: group.AtTime, Time: noon.Add(250 * time.Millisecond)},
		"@1777636800000":            {Kind: group.AtTime, Time: noon},
	} {
		got, err := group.ParseTarget(text, noon)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestAMisreadPlaceIsAnsweredWithWhatWasMeant(t *testing.T) {
	t.Parallel()
	for text, fix := range map[string]string{
		"":                     "write it like",
		"oldest":               "write it like",
		"2h":                   "-2h",
		"+2h":                  "-2h",
		"2026-05-01T12:00:00":  "2026-05-01T12:00:00Z",
		"2026-13-01":           "write it like",
		"@-1":                  "write it like",
		"1e3":                  "write it like",
		"99999999999999999999": "write it like",
	} {
		_, err := group.ParseTarget(text, noon)
		requireCode(t, err, diag.GroupTarget)
		if got := diag.Of(err)[0].Fix; !strings.Contains(got, fix) {
			t.Errorf("%q: the fix is %q, want %q in it", text, got, fix)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, text := range []string{"earliest", "latest", "12", "+1", "-1", "-2h", "2026-05-01", "@0", "2026-05-01T12:00:00Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := group.ParseTarget(text, noon)
		if err != nil {
			return
		}
		again, err := group.ParseTarget(first.String(), noon)
		if diff := cmp.Diff(first, again); diff != "" || err != nil {
			t.Errorf("%q is read as %q, and that as another: %v\n%s", text, first, err, diff)
		}
	})
}

func FuzzParseSnapshot(f *testing.F) {
	f.Add([]byte(`{"kind":"GroupSnapshot","version":1,"group":"g","clusterId":"c","taken":"2026-05-01T12:00:00Z","topics":[{"name":"a","positions":[{"partition":0,"offset":3,"end":5,"leaderEpoch":-1,"time":"2026-05-01T12:00:00Z"}]}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		snap, err := group.ParseSnapshot(text)
		if err != nil {
			return
		}
		encoded, err := snap.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := group.ParseSnapshot(encoded)
		if diff := cmp.Diff(snap, again); diff != "" || err != nil {
			t.Errorf("written and read again: %v\n%s", err, diff)
		}
	})
}
