package arm

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// usage is what this process has used so far.
type usage struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
	handled int64
}

func use(handled int64) usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{time.Now(), cpuTime(), m.Mallocs, handled}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// peakMiB is the most memory that was resident. What getrusage says of it
// would include the process that started this one.
func peakMiB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib / 1024
}

// since puts what was used between two moments, for each record, into a result.
func (r Result) since(before, after usage) {
	n := float64(after.handled - before.handled)
	r["rate"] = n / after.at.Sub(before.at).Seconds()
	r["cpu"] = (after.cpu - before.cpu).Seconds() / n * 1e6
	r["allocs"] = float64(after.mallocs-before.mallocs) / n
}
