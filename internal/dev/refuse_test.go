package dev_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/pki"
)

// A machine is a made-up one: what is in PATH, and what is in the cache.
type machine struct {
	root string
	cfg  dev.Config
}

// javaScript stands for Java: the right version, storage that is formatted at
// once, and a main program of the test's.
const javaScript = `#!/bin/sh
case "$*" in
-version) echo 'openjdk version "17.0.15" 2025-04-15' >&2 ;;
*StorageTool*) mkdir data.new ;;
*) %s ;;
esac
`

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{root: t.TempDir()}
	env := map[string]string{"PATH": filepath.Join(m.root, "bin")}
	m.cfg = dev.Config{
		Cache:        filepath.Join(m.root, "cache"),
		Dir:          filepath.Join(m.root, "instance"),
		Getenv:       func(name string) string { return env[name] },
		StartTimeout: 20 * time.Second,
	}
	return m
}

// program writes a script while nobody forks: a child that another test starts
// meanwhile would hold the file open for writing until its own exec, and until
// then the script could not be run (ETXTBSY).
func (m *machine) program(t *testing.T, name, script string) {
	t.Helper()
	bin := filepath.Join(m.root, "bin")
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := errors.Join(os.MkdirAll(bin, 0o700), os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700)); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) java(t *testing.T, main string) {
	m.program(t, "java", fmt.Sprintf(javaScript, main))
}

func (m *machine) fillCache(t *testing.T) {
	t.Helper()
	for _, name := range []string{"kafka-4.3.1", "apicurio-2.6.13"} {
		if err := os.MkdirAll(filepath.Join(m.cfg.Cache, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// lock takes the instance's lock as another process would.
func (m *machine) lock(t *testing.T, pid int) {
	t.Helper()
	if err := os.MkdirAll(m.cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(m.cfg.Dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	fmt.Fprintln(f, pid)
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

// check fails unless err carries the code and says all of the words in its
// message, evidence or fix.
func check(t *testing.T, err error, code diag.Code, words ...string) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("error = %v, want %s", err, code)
	}
	var text string
	for _, d := range diag.Of(err) {
		text += fmt.Sprintln(d.Message, d.Evidence, d.Remedy())
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the diagnostic does not say %q:\n%s", word, text)
		}
	}
}

func TestUpRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, m *machine)
		code    diag.Code
		words   []string
	}{
		"no java": {func(*testing.T, *machine) {}, diag.DevJava, []string{"java is not in PATH", "Install Java 17"}},
		"an empty JAVA_HOME": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.cfg.Getenv = func(name string) string {
				return map[string]string{"JAVA_HOME": "/nowhere", "PATH": m.root + "/bin"}[name]
			}
		}, diag.DevJava, []string{"JAVA_HOME is /nowhere", "unset it"}},
		"a java that tells nothing": {func(t *testing.T, m *machine) {
			m.program(t, "java", "#!/bin/sh\necho 'Unable to locate a Java Runtime.' >&2; exit 1")
		}, diag.DevJava, []string{"tells no version: exit status 1", "Unable to locate"}},
		"a java that is no program": {func(t *testing.T, m *machine) {
			m.program(t, "java", "")
		}, diag.DevJava, []string{"tells no version: fork/exec", "exec format error"}},
		"a java that tells another thing": {func(t *testing.T, m *machine) {
			m.program(t, "java", "#!/bin/sh\necho hello")
		}, diag.DevJava, []string{"java -version tells no version", "hello"}},
		"java 11": {func(t *testing.T, m *machine) {
			m.program(t, "java", `#!/bin/sh
echo 'openjdk version "11.0.2" 2019-01-15' >&2`)
		}, diag.DevJavaOld, []string{"is Java 11", "needs Java 17"}},
		"no maven": {func(t *testing.T, m *machine) { m.java(t, "exit 1") }, diag.DevMaven, []string{"mvn is not in PATH", "apt install maven"}},
		"maven fails": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.program(t, "mvn", "#!/bin/sh\necho '[ERROR] Could not transfer artifact'; exit 1")
		}, diag.DevFetch, []string{"fetch kafka-4.3.1: exit status 1", "Could not transfer", "copy-dependencies"}},
		"maven brings nothing": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.program(t, "mvn", "#!/bin/sh\n:")
		}, diag.DevFetch, []string{"kafka_2.13-4.3.1.jar: no such file"}},
		"a name that is none": {func(_ *testing.T, m *machine) { m.cfg.Name = "Über/.." }, diag.DevConfig, []string{`"Über/.."`}},
		"ports past the last": {func(_ *testing.T, m *machine) { m.cfg.FirstPort = 65530 }, diag.DevConfig, []string{"65530"}},
		"a path with a colon": {func(_ *testing.T, m *machine) { m.cfg.Dir = m.root + "/a:b" }, diag.DevConfig, []string{"a:b"}},
		"an instance that runs": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.lock(t, 4711)
		}, diag.DevRunning, []string{"process 4711", "slipway dev down"}},
		"a port that is taken": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.fillCache(t)
			m.cfg.FirstPort = takenLast(t, 10)
		}, diag.DevPortTaken, []string{"is taken", "address already in use"}},
		"a key that others can read": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.fillCache(t)
			a, err := pki.NewAuthority("CA", time.Now())
			dir := filepath.Join(m.cfg.Dir, "pki")
			if err := errors.Join(err, a.Save(dir), os.Chmod(filepath.Join(dir, "ca.key"), 0o644)); err != nil {
				t.Fatal(err)
			}
		}, diag.DevState, []string{"ca.key has mode 0644", "permissions are too wide"}},
		"damaged state": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.fillCache(t)
			if err := errors.Join(os.MkdirAll(m.cfg.Dir, 0o700), os.WriteFile(m.cfg.Dir+"/state.json", []byte(`{"clusterId":"--help"}`), 0o600)); err != nil {
				t.Fatal(err)
			}
		}, diag.DevState, []string{"state.json", "the cluster id is damaged"}},
		"a node that ends at once": {func(t *testing.T, m *machine) {
			m.java(t, `echo "FATAL out of luck"; exit 3`)
			m.fillCache(t)
		}, diag.DevEnded, []string{"ended by itself: exit status 3", "FATAL out of luck", "console.log"}},
		"nodes that never answer": {func(t *testing.T, m *machine) {
			m.java(t, "exec sleep 600")
			m.fillCache(t)
			m.cfg.StartTimeout = time.Second
		}, diag.DevNotReady, []string{"not ready within 1s", "connection refused"}},
		"no time to prepare anything": {func(t *testing.T, m *machine) {
			m.java(t, "exit 1")
			m.fillCache(t)
			m.cfg.StartTimeout = time.Nanosecond
		}, diag.DevNotReady, []string{"prepare the nodes: not ready within 1ns"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			tt.prepare(t, m)
			c, err := dev.Up(t.Context(), m.cfg)
			if err == nil {
				c.Close()
			}
			check(t, err, tt.code, tt.words...)
			if n := len(diag.Of(err)); n != 1 {
				t.Errorf("%d diagnostics, want one:\n%v", n, err)
			}
			if left, _ := filepath.Glob(filepath.Join(m.cfg.Cache, "*", "*.jar")); len(left) > 0 {
				t.Errorf("the cache holds half of something: %v", left)
			}
		})
	}
}

func TestFailedStartCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.java(t, "exit 3")
	m.fillCache(t)
	for range 2 {
		_, err := dev.Up(t.Context(), m.cfg)
		check(t, err, diag.DevEnded)
	}
	in, err := dev.Status(t.Context(), m.cfg)
	if err != nil || in.Running || in.PID != 0 {
		t.Errorf("Status() = %+v, %v, want an instance that does not run", in, err)
	}
}

func TestEphemeralInstanceBeginsWithNothing(t *testing.T) {
	t.Parallel()
	for ephemeral, want := range map[bool]bool{true: false, false: true} {
		m := newMachine(t)
		m.java(t, "exit 3")
		m.fillCache(t)
		m.cfg.Ephemeral = ephemeral
		left := filepath.Join(m.cfg.Dir, "node-1", "left")
		_, err := dev.Up(t.Context(), m.cfg) // fails, and leaves its directory for its logs
		check(t, err, diag.DevEnded)
		if err := os.WriteFile(left, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = dev.Up(t.Context(), m.cfg)
		check(t, err, diag.DevEnded)
		_, err = os.Stat(left)
		if got := err == nil; got != want {
			t.Errorf("ephemeral %v: what the last run left is there: %v, want %v", ephemeral, got, want)
		}
	}
}

func TestDownRefusesWhatItCannotEnd(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	check(t, dev.Down(t.Context(), m.cfg), diag.DevNotRunning, "slipway dev up")
	m.lock(t, os.Getpid())
	check(t, dev.Down(t.Context(), m.cfg), diag.DevSupervisor, "run by this process")
}

func TestLockWithoutALivingHolderCountsForNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	if err := errors.Join(os.MkdirAll(m.cfg.Dir, 0o700), os.WriteFile(filepath.Join(m.cfg.Dir, "lock"), []byte("1234\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if in, err := dev.Status(t.Context(), m.cfg); err != nil || in.Running {
		t.Errorf("Status() = %+v, %v, want it not to run", in, err)
	}
	check(t, dev.Down(t.Context(), m.cfg), diag.DevNotRunning)
}

func TestDetachTellsWhyTheSupervisorEnded(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.java(t, "exit 1")
	m.fillCache(t)
	_, err := dev.Detach(t.Context(), m.cfg, []string{"/bin/sh", "-c", "echo cannot go on; exit 1"})
	check(t, err, diag.DevSupervisor, "exit status 1", "cannot go on", "supervisor.log")
	_, err = dev.Detach(t.Context(), m.cfg, []string{"/no/such/program"})
	check(t, err, diag.DevSupervisor, "/no/such/program")
	m.lock(t, 4711)
	_, err = dev.Detach(t.Context(), m.cfg, []string{"/bin/true"})
	check(t, err, diag.DevRunning, "process 4711")
}

func TestFetchIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.java(t, "exit 3")
	// Stands for Maven: fills the directory after the last "=", and the second
	// artifact only.
	m.program(t, "mvn", `#!/bin/sh
for last; do :; done
mkdir -p "${last#*=}"
case "$*" in *unpack*) touch "${last#*=}/apicurio-registry-app-2.6.13.Final-runner.jar" ;; *) touch "${last#*=}/other.jar" ;; esac
`)
	_, err := dev.Up(t.Context(), m.cfg)
	check(t, err, diag.DevFetch)
	left, err := os.ReadDir(m.cfg.Cache)
	if err != nil || len(left) != 1 || left[0].Name() != "fetch.lock" {
		t.Errorf("the cache holds %v, %v, want the lock alone", left, err)
	}
}

// takenLast finds n consecutive ports that nobody listens on, takes the last of
// them and returns the first. They lie below those that the system and free
// choose from, so that no other test takes one meanwhile.
func takenLast(t *testing.T, n int) int {
	t.Helper()
	for first := 10_000; first < 20_000; first += n {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+n-1))
		if err != nil {
			continue
		}
		if allFree(first, n-1) {
			t.Cleanup(func() { l.Close() })
			return first
		}
		l.Close()
	}
	t.Fatalf("no %d free ports in a row", n)
	return 0
}

func allFree(first, n int) bool {
	for port := first; port < first+n; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
