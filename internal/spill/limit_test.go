//go:build linux

package spill_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/slipway-go/slipway/internal/spill"
)

// limited is set in the process that [TestAFileSizeLimit] starts.
const limited = "SPILL_TEST_LIMITED"

// F-45, against the kernel: a file that may grow no longer gets a short write,
// then EFBIG.
func TestAFileSizeLimitIsAnErrorAndNoLoss(t *testing.T) {
	if dir := os.Getenv(limited); dir != "" {
		fillUp(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAFileSizeLimitIsAnErrorAndNoLoss$", "-test.v")
	cmd.Env = append(os.Environ(), limited+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	accepted := -1
	for line := range strings.Lines(string(out)) {
		if text, ok := strings.CutPrefix(line, "accepted "); ok {
			accepted, _ = strconv.Atoi(strings.TrimSpace(text))
		}
	}
	if accepted < 1 {
		t.Fatalf("%d accepted\n%s", accepted, out)
	}
	q, err := onDisk(dir, spill.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if got := all(t, q); len(got) != accepted {
		t.Errorf("%d came back of %d accepted", len(got), accepted)
	}
}

// fillUp appends under a limit below the length of a segment.
func fillUp(t *testing.T, dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 10_000, Max: 10_000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	q, err := onDisk(dir, spill.Config{})
	if err != nil {
		t.Fatal(err)
	}
	accepted, failed := 0, 0
	for range 100 {
		switch err := q.AppendWait(spill.Record{Topic: "t", Value: make([]byte, 3000)}); {
		case err == nil:
			accepted++
		case errors.Is(err, syscall.EFBIG):
			failed++
		default:
			t.Errorf("AppendWait() = %v, want EFBIG", err)
		}
	}
	if failed > 0 {
		t.Errorf("%d of 100 failed: a new file has room", failed)
	}
	if err := q.AppendWait(spill.Record{Topic: "t", Value: make([]byte, 20_000)}); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("a record that no file can hold: %v, want EFBIG", err)
	}
	if err := q.AppendWait(rec("small")); err == nil {
		accepted++
	}
	fmt.Printf("accepted %d\n", accepted)
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}
