package proc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/internal/proc"
)

// asParent makes the test binary the process that a test kills: it runs the
// script in the variable as a child and waits.
const asParent = "PROC_TEST_SCRIPT"

func TestMain(m *testing.M) {
	if script := os.Getenv(asParent); script != "" {
		p, err := proc.Start(shell(script, nil))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		p.Wait()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func shell(script string, output func(string)) proc.Config {
	return proc.Config{Path: "/bin/sh", Args: []string{"-c", script}, Output: output}
}

func startShell(t *testing.T, script string, output func(string)) *proc.Process {
	t.Helper()
	p, err := proc.Start(shell(script, output))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// A lifeline is a named pipe that reads end of file once every process that
// opened it for writing is dead, however it died.
type lifeline struct {
	path string
	file *os.File
}

func newLifeline(t *testing.T) lifeline {
	t.Helper()
	l := lifeline{path: filepath.Join(t.TempDir(), "lifeline")}
	if err := syscall.Mkfifo(l.path, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if l.file, err = os.OpenFile(l.path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.file.Close() })
	l.file.SetReadDeadline(time.Now().Add(20 * time.Second))
	return l
}

// held makes a script that holds the lifeline, as a grandchild does that
// ignores SIGTERM, says so on it, and never ends.
func (l lifeline) held() string {
	return fmt.Sprintf(`exec 3>%q; sh -c 'trap "" TERM; echo up >&3; exec sleep 600' & echo up >&3; wait; sleep 600`, l.path)
}

func (l lifeline) awaitHolders(t *testing.T, n int) {
	t.Helper()
	for up := 0; up < n; {
		b := make([]byte, 1)
		_, err := l.file.Read(b)
		if errors.Is(err, io.EOF) {
			continue // nobody has opened it yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if b[0] == '\n' {
			up++
		}
	}
}

func (l lifeline) awaitDeaths(t *testing.T) {
	t.Helper()
	if _, err := io.Copy(io.Discard, l.file); err != nil {
		t.Errorf("a process of the group still lives: %v", err)
	}
}

func TestKilledParentLeavesNoChild(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), asParent+"="+line.held())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if got, _ := bufio.NewReader(out).ReadString('\n'); got != "ready\n" {
		t.Fatalf("the parent said %q", got)
	}
	line.awaitHolders(t, 2)
	parent.Process.Kill()
	parent.Wait()
	line.awaitDeaths(t)
}

func TestStopEndsTheGroupWithinItsGrace(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	p := startShell(t, line.held(), nil)
	line.awaitHolders(t, 2)
	began := time.Now()
	if err := p.Stop(10 * time.Second); err != nil {
		t.Errorf("Stop() = %v, want the child to end of SIGTERM", err)
	}
	line.awaitDeaths(t) // the grandchild ignores SIGTERM
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestStopKillsWhatIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	ready := make(chan string, 1)
	p := startShell(t, `trap "" TERM; echo ready; while :; do sleep 1; done`, func(s string) { ready <- s })
	<-ready
	if err := p.Stop(50 * time.Millisecond); !errors.Is(err, proc.ErrKilled) {
		t.Errorf("Stop() = %v, want ErrKilled", err)
	}
	if err, ok := errors.AsType[*exec.ExitError](p.Wait()); !ok || err.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("Wait() = %v, want death by SIGKILL", p.Wait())
	}
}

func TestStopContinuesAPausedProcess(t *testing.T) {
	t.Parallel()
	p := startShell(t, `trap "exit 7" TERM; while :; do sleep 0.05; done`, nil)
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(10 * time.Second); err != nil {
		t.Error(err)
	}
}

func TestChildThatEndsTakesItsGroupWithIt(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	p := startShell(t, fmt.Sprintf(`exec 3>%q; sleep 600 & echo up >&3; exit 3`, line.path), nil)
	if err, ok := errors.AsType[*exec.ExitError](p.Wait()); !ok || err.ExitCode() != 3 {
		t.Errorf("Wait() = %v, want exit status 3", p.Wait())
	}
	line.awaitDeaths(t)
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal after the end = %v", err)
	}
	if err := p.Stop(0); err != nil {
		t.Errorf("Stop after the end = %v", err)
	}
}

func TestChildOutlivesTheThreadThatStartedIt(t *testing.T) {
	t.Parallel()
	said := make(chan string, 1)
	var p *proc.Process
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // a goroutine that ends while locked takes its thread with it
		p = startShell(t, `trap "echo alive" USR1; echo up; while :; do sleep 0.02; done`, func(s string) { said <- s })
	})
	wg.Wait()
	<-said
	for range 100 {
		wg.Go(runtime.LockOSThread)
	}
	wg.Wait()
	p.Signal(syscall.SIGUSR1)
	select {
	case <-said:
	case <-p.Done():
		t.Errorf("the child is dead: %v", p.Wait())
	}
}

func TestOutputComesByLinesInOrderAndBounded(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	cfg := shell(`echo one; echo two >&2; echo; printf '%0500d\n' 7; printf 'no end'`, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, line)
	})
	cfg.MaxLine = 100
	if err := proc.Run(t.Context(), cfg, 0); err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "two", "", strings.Repeat("0", 100) + " … (cut)", "no end"}
	if !slices.Equal(got, want) {
		t.Errorf("lines = %q, want %q", got, want)
	}
}

func TestAllOutputIsDeliveredBeforeTheEnd(t *testing.T) {
	t.Parallel()
	n := 0
	if err := proc.Run(t.Context(), shell(`seq 20000`, func(string) { n++ }), 0); err != nil {
		t.Fatal(err)
	}
	if n != 20000 {
		t.Errorf("%d lines before the end, want 20000", n)
	}
}

func TestEnvironmentAndDirectoryAreTheOnesGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var got []string
	cfg := shell(`pwd; echo "$A$HOME"; read -r x || echo "no input"`, func(line string) { got = append(got, line) })
	cfg.Dir, cfg.Env = dir, []string{"A=b"}
	if err := proc.Run(t.Context(), cfg, 0); err != nil {
		t.Fatal(err)
	}
	if want := []string{dir, "b", "no input"}; !slices.Equal(got, want) {
		t.Errorf("lines = %q, want %q", got, want)
	}
}

func TestCancelledRunReturnsTheCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutdown")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := proc.Run(ctx, shell(`echo up; sleep 600`, func(string) { cancel(cause) }), time.Minute)
	if !errors.Is(err, cause) || errors.Is(err, proc.ErrKilled) {
		t.Errorf("Run() = %v, want the cause alone", err)
	}
	if err := proc.Run(ctx, shell(`exit 0`, nil), 0); !errors.Is(err, cause) {
		t.Errorf("Run() under a cancelled context = %v", err)
	}
}

func TestProgramThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	for _, cfg := range []proc.Config{
		{Path: "no-such-program"},
		{Path: "/bin/sh", Dir: "/no/such/dir", Output: func(string) {}},
	} {
		p, err := proc.Start(cfg)
		if err == nil {
			p.Kill()
		}
		if err == nil || !strings.Contains(err.Error(), "start "+cfg.Path+": ") {
			t.Errorf("Start(%s) = %v", cfg.Path, err)
		}
	}
}
