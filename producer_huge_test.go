package slipway_test

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// F-40, the producer's side: a value far beyond max is refused at once, for no
// more memory than twice max, and nothing is tried again.
func TestAHugeValueIsRefusedBeforeItIsEncoded(t *testing.T) {
	const most = 1 << 20
	size := soak(64<<20, 1<<30)
	text := strings.Repeat("x", size)
	sell(t, "{}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		if err := offer(t.Context(), out, "before"); err != nil {
			t.Fatal(err)
		}
		peak, allocated := peakMemory(t), uint64(1<<62)
		var err error
		for range 5 { // others allocate as well
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = out.Send(t.Context(), &order{OrderID: text})
			runtime.ReadMemStats(&after)
			allocated = min(allocated, after.TotalAlloc-before.TotalAlloc)
		}
		if !errors.Is(err, slipway.ErrTooLarge) || errors.Is(err, slipway.ErrUnacknowledged) {
			t.Errorf("a value of %d bytes: %v", size, err)
		}
		if len(err.Error()) > 1000 {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
		grown := peakMemory(t) - peak
		t.Logf("a value of %d MiB: %d KiB allocated, peak memory of the process grown by %d KiB", size>>20, allocated>>10, grown>>10)
		if allocated > 2*most {
			t.Errorf("%d bytes were allocated to refuse it, want at most twice max (%d)", allocated, 2*most)
		}
		k.RequireProduced(orders, 1)
	})
}

// peakMemory is the largest resident size that the process has had, in bytes; 0
// where the system does not tell.
func peakMemory(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}
