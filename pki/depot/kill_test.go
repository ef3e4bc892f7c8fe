package depot_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

// A scene is a command that is killed at each of its operations on the disk.
type scene struct {
	// before makes what the command finds. Without it there is nothing.
	before func(t *testing.T, p place)

	// later is when the command runs, counted from when before did.
	later time.Duration

	// command is run in a process of its own first, and again after its death.
	// What does not fit into a closure lies in the directory of the roots.
	command func(ctx context.Context, p place) error

	// phase and leaves are how it ends: each leaf's generation.
	phase  depot.Phase
	leaves string
}

var twoLeaves = []depot.Want{broker("b0"), client("svc-a")}

func issueTwo(t *testing.T, p place) { issue(t, p.Depot, twoLeaves...) }

func inTrust(t *testing.T, p place) {
	issueTwo(t, p)
	must(t)(p.Begin(t.Context(), p.replacement()))
}

func inReissue(t *testing.T, p place) {
	inTrust(t, p)
	must(t)(p.Next(t.Context(), depot.Step{To: depot.Reissue}))
}

func must(t *testing.T) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

var scenes = map[string]scene{
	"init": {
		command: func(_ context.Context, p place) error { return ignoreExists(depot.Init(p.dir, p.stepped())) },
		phase:   depot.Steady,
	},
	"init with the key inside": {
		command: func(_ context.Context, p place) error {
			cfg := p.stepped()
			cfg.RootKey = depot.RootKey{Passphrase: secret.New("correct horse")}
			return ignoreExists(depot.Init(p.dir, cfg))
		},
		phase: depot.Steady,
	},
	"init by request": {
		command: func(_ context.Context, p place) error {
			_, _, err := depot.InitRequest(p.dir, p.stepped())
			return err
		},
		phase: depot.Pending,
	},
	"complete": {
		before:  func(t *testing.T, p place) { answer(t, p, false) },
		command: func(ctx context.Context, p place) error { return complete(ctx, p) },
		phase:   depot.Steady,
	},
	"issue": {
		before: func(*testing.T, place) {},
		command: func(ctx context.Context, p place) error {
			_, err := p.Issue(ctx, append(twoLeaves, client("svc-b")))
			return err
		},
		phase: depot.Steady, leaves: "broker/b0:1 client/svc-a:1 client/svc-b:1",
	},
	"reissue what changed": {
		before: issueTwo,
		command: func(ctx context.Context, p place) error {
			w := broker("b0")
			w.Request.DNSNames = []string{"other.test"}
			_, err := p.Issue(ctx, []depot.Want{w, twoLeaves[1]})
			return err
		},
		phase: depot.Steady, leaves: "broker/b0:1 client/svc-a:1",
	},
	"issue from a request": {
		before: func(t *testing.T, p place) {
			issueTwo(t, p)
			writeRequest(t, p, "svc-a")
		},
		command: func(ctx context.Context, p place) error {
			csr, err := os.ReadFile(filepath.Join(p.roots, "csr"))
			if err == nil {
				_, err = p.IssueFrom(ctx, csr, twoLeaves[1])
			}
			return err
		},
		phase: depot.Steady, leaves: "broker/b0:1 client/svc-a:1",
	},
	"renew": {
		before: issueTwo, later: 25 * 24 * time.Hour,
		command: func(ctx context.Context, p place) error {
			_, err := p.Renew(ctx, 0)
			return err
		},
		phase: depot.Steady, leaves: "broker/b0:1 client/svc-a:1",
	},
	"begin": {
		before: issueTwo,
		command: func(ctx context.Context, p place) error {
			_, err := p.Begin(ctx, p.replacement())
			return err
		},
		phase: depot.Trust, leaves: "broker/b0:1 client/svc-a:1",
	},
	"begin by an answer": {
		before: func(t *testing.T, p place) {
			issueTwo(t, p)
			answer(t, p, true)
		},
		command: func(ctx context.Context, p place) error { return complete(ctx, p) },
		phase:   depot.Trust, leaves: "broker/b0:1 client/svc-a:1",
	},
	"begin an issuer": {
		before: issueTwo,
		command: func(ctx context.Context, p place) error {
			r := p.replacement()
			r.KeepRoot = true
			_, err := p.Begin(ctx, r)
			return err
		},
		phase: depot.Trust, leaves: "broker/b0:1 client/svc-a:1",
	},
	"reissue": {
		before:  inTrust,
		command: stepTo((*depot.Depot).Next, depot.Reissue),
		phase:   depot.Reissue, leaves: "broker/b0:2 client/svc-a:2",
	},
	"retire": {
		before:  inReissue,
		command: stepTo((*depot.Depot).Next, depot.Retire),
		phase:   depot.Steady, leaves: "broker/b0:2 client/svc-a:2",
	},
	"retire an issuer": {
		before: func(t *testing.T, p place) {
			issueTwo(t, p)
			r := p.replacement()
			r.KeepRoot = true
			must(t)(p.Begin(t.Context(), r))
			must(t)(p.Next(t.Context(), depot.Step{To: depot.Reissue}))
		},
		command: stepTo((*depot.Depot).Next, depot.Retire),
		phase:   depot.Steady, leaves: "broker/b0:2 client/svc-a:2",
	},
	"back to trust": {
		before:  inReissue,
		command: stepTo((*depot.Depot).Back, depot.Trust),
		phase:   depot.Trust, leaves: "broker/b0:1 client/svc-a:1",
	},
	"back to steady": {
		before:  inTrust,
		command: stepTo((*depot.Depot).Back, depot.Steady),
		phase:   depot.Steady, leaves: "broker/b0:1 client/svc-a:1",
	},
	"revoke": {
		before: issueTwo,
		command: func(ctx context.Context, p place) error {
			_, err := p.Revoke(ctx, depot.KeyLeaked, "client/svc-a")
			return err
		},
		phase: depot.Steady, leaves: "broker/b0:1 client/svc-a:1:keyCompromise",
	},
	"lift a hold": {
		before: func(t *testing.T, p place) {
			issueTwo(t, p)
			must(t)(p.Revoke(t.Context(), depot.Hold, "client/svc-a"))
		},
		command: func(ctx context.Context, p place) error {
			_, err := p.Unrevoke(ctx, "client/svc-a")
			return err
		},
		phase: depot.Steady, leaves: "broker/b0:1 client/svc-a:1",
	},
}

func stepTo(step func(*depot.Depot, context.Context, depot.Step) (depot.Progress, error), to depot.Phase) func(context.Context, place) error {
	return func(ctx context.Context, p place) error {
		_, err := step(p.Depot, ctx, depot.Step{To: to})
		return err
	}
}

// stepped is the configuration of a place whose operations are counted.
func (p place) stepped() depot.Config { return p.config().WithStep(p.step) }

// ignoreExists takes an Init that was killed behind its last step for one that
// came to its end, as a second one says.
func ignoreExists(_ *depot.Depot, err error) error {
	if err != nil && strings.Contains(err.Error(), "SLP-PKI-031") {
		return nil
	}
	return err
}

// answer has an organisation's authority sign the depot's request. At first
// there is no depot: the place is that of the request.
func answer(t *testing.T, p place, exists bool) {
	t.Helper()
	var csr []byte
	var err error
	if exists {
		csr, err = p.BeginRequest(t.Context(), depot.Policy{})
	} else {
		os.RemoveAll(p.dir)
		os.RemoveAll(p.roots)
		_, csr, err = depot.InitRequest(p.dir, p.config())
	}
	if err != nil {
		t.Fatal(err)
	}
	writeBeside(t, p, "answer", organisation(t, p.clock.Now()).sign(t, csr))
}

func complete(ctx context.Context, p place) error {
	chain, err := os.ReadFile(filepath.Join(p.roots, "answer"))
	if err == nil {
		_, err = p.Complete(ctx, chain)
	}
	return err
}

func writeRequest(t *testing.T, p place, name string) {
	t.Helper()
	csr, _, err := pki.NewSigningRequest(name, pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	writeBeside(t, p, "csr", csr)
}

func writeBeside(t *testing.T, p place, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(p.roots, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.roots, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

const killEnv = "DEPOT_TEST_KILL"

// TestMain runs a scene's command in a child process, which ends itself at one
// of its operations, or the tests.
func TestMain(m *testing.M) {
	args := strings.Split(os.Getenv(killEnv), "|") // scene, directory, operation
	if len(args) != 3 {
		if os.Getenv("SLIPWAY_SOAK") == "" { // each draw signs dozens of certificates
			_ = flag.Set("rapid.checks", "40")
		}
		os.Exit(m.Run())
	}
	syscall.Umask(0) // nothing may rely on it
	at, _ := strconv.Atoi(args[2])
	p := placeIn(args[1], scenes[args[0]])
	p.step = func(string, string) {
		if at--; at == 0 {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if err := p.run(context.Background(), scenes[args[0]]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func placeIn(base string, sc scene) place {
	p := place{dir: filepath.Join(base, "pki"), roots: filepath.Join(base, "roots"), clock: newClock()}
	p.clock.Add(sc.later)
	return p
}

// run opens the depot, if there is one to begin with, and runs the command.
func (p place) run(ctx context.Context, sc scene) (err error) {
	if sc.before != nil {
		if p.Depot, err = depot.Open(p.dir, depot.WithClock(p.clock.Now), depot.WithStep(p.step)); err != nil {
			return err
		}
	}
	return sc.command(ctx, p)
}

func TestACommandKilledAtAnyStepIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, sc := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := quickDir(t)
			if sc.before != nil {
				p := placeIn(base, scene{})
				p.Depot, err = depot.Init(p.dir, p.config())
				if err != nil {
					t.Fatal(err)
				}
				sc.before(t, p)
			}
			stride := 1
			if testing.Short() {
				stride = 7
			}
			killed := 0
			for at := 1; ; at += stride {
				there := filepath.Join(quickDir(t), "x")
				copyTree(t, base, there)
				if !kill(t, self, name, there, at) {
					break
				}
				killed++
				recovers(t, there, sc, at)
				os.RemoveAll(there)
				if t.Failed() {
					return
				}
			}
			if killed == 0 {
				t.Error("the command was never killed")
			}
			t.Logf("killed and finished %d times", killed)
		})
	}
}

// kill runs a scene's command and reports whether it died at the operation; if
// not, it came to its end before.
func kill(t *testing.T, self, name, there string, at int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%d", killEnv, name, there, at))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("operation %d: %v\n%s", at, err, out)
	}
	return true
}

// recovers checks what a killed command left, and that the same command ends it.
func recovers(t *testing.T, there string, sc scene, at int) {
	t.Helper()
	p := placeIn(there, sc)
	check := func(when string) {
		t.Helper()
		if err := sound(p.dir, p.clock.Now()); err != nil {
			t.Errorf("operation %d, %s: %v", at, when, err)
		}
		if err := closed(p.roots); err != nil && !os.IsNotExist(err) {
			t.Errorf("operation %d, %s: %v", at, when, err)
		}
	}
	check("killed")
	if err := p.run(t.Context(), sc); err != nil {
		t.Fatalf("operation %d, run again: %v", at, err)
	}
	check("run again")
	if found := append(litter(p.dir), litter(p.roots)...); len(found) > 0 {
		t.Errorf("operation %d leaves %v", at, found)
	}
	p.Depot, _ = depot.Open(p.dir, depot.WithClock(p.clock.Now))
	if phase, leaves := outcome(t, p); phase != sc.phase || leaves != sc.leaves {
		t.Errorf("operation %d ends in %s with %s, want %s with %s", at, phase, leaves, sc.phase, sc.leaves)
	}
	before := snapshot(t, p.dir)
	if err := p.run(t.Context(), sc); err != nil {
		t.Errorf("operation %d, run a third time: %v", at, err)
	}
	if files := differing(before, snapshot(t, p.dir)); len(files) > 0 {
		t.Errorf("operation %d, run a third time, changes %v", at, files)
	}
	keysAreThere(t, p)
}

// outcome is the phase and, for each leaf, its generation and revocation.
func outcome(t *testing.T, p place) (depot.Phase, string) {
	t.Helper()
	st, err := p.Status()
	if err != nil {
		t.Fatal(err)
	}
	if !st.Settled {
		t.Error("the depot is not settled")
	}
	var leaves []string
	for _, l := range st.Leaves {
		text := fmt.Sprintf("%s:%d", l.ID, l.Generation)
		if l.Revoked != "" {
			text += ":" + l.Revoked
		}
		leaves = append(leaves, text)
	}
	return st.Phase, strings.Join(leaves, " ")
}

// keysAreThere checks that the depot issues, and that each root has its key
// where it was put.
func keysAreThere(t *testing.T, p place) {
	t.Helper()
	st, err := p.Status()
	if err != nil {
		t.Fatal(err)
	}
	if st.Phase == depot.Pending {
		return
	}
	issue(t, p.Depot, client("svc-afterwards"))
	apart, _ := filepath.Glob(filepath.Join(p.roots, "*", pki.AuthorityKeyFile))
	for _, key := range apart {
		root, err := pki.Load(filepath.Dir(key))
		if err != nil {
			t.Fatal(err)
		}
		number := filepath.Base(filepath.Dir(key))
		if got, err := os.ReadFile(filepath.Join(p.dir, "generations", number, "root.crt")); err != nil || string(got) != string(root.PEM()) {
			t.Errorf("generation %s has not the root whose key is kept: %v", number, err)
		}
	}
}

// quickDir is a directory in memory where there is one. A process that is
// killed takes nothing along of what it wrote, so that waiting for a disk would
// show nothing.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "depot") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	// CopyFS makes directories 0777 and files 0666, before the umask, plus the modes of the source.
	filepath.WalkDir(to, func(name string, entry os.DirEntry, _ error) error {
		switch {
		case entry.IsDir():
			return os.Chmod(name, 0o700)
		case entry.Type().IsRegular():
			return os.Chmod(name, 0o600)
		}
		return nil
	})
}
