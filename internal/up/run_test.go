package up_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/slipway-go/slipway/internal/up"
)

var errInterrupt = errors.New("interrupted by the test")

func TestACancelledRunStopsItsServicesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	r := start(t, up.Config{
		StateDir: state,
		Dir:      write(t, goMod, contractOf("alpha"), program("alpha", "untilTold()"), contractOf("beta"), program("beta", "untilTold()")),
	})
	await(t, r, whichever[up.Ready])
	r.cancel(errInterrupt)
	if _, err := r.wait(t); !errors.Is(err, errInterrupt) {
		t.Errorf("Run() = %v, want the context's cause", err)
	}
	if got := len(all[up.ServiceStopped](r)); got != 2 {
		t.Errorf("%d services stopped, want 2", got)
	}
	for _, s := range []string{"alpha", "beta"} {
		if said := (up.Line{Service: s, Text: "told to stop"}); !slices.Contains(all[up.Line](r), said) {
			t.Errorf("%s was not asked to stop", s)
		}
	}
	estates, err := os.ReadDir(state)
	if err != nil || len(estates) != 1 {
		t.Fatalf("state has %v, %v, want one estate", estates, err)
	}
	if _, err := os.Stat(state + "/" + estates[0].Name() + "/run"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the run's directory is still there: %v", err)
	}
}
