package depot_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

func TestEachRefusalHasItsCode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(t *testing.T, p place) error
		want diag.Code
		says string
	}{
		"no depot": {func(t *testing.T, _ place) error {
			_, err := depot.Open(t.TempDir() + "/none")
			return err
		}, diag.DepotMissing, "there is no depot"},
		"second init": {func(_ *testing.T, p place) error {
			_, err := depot.Init(p.dir, p.config())
			return err
		}, diag.DepotExists, "cluster kafka-test"},
		"request over a depot": {func(_ *testing.T, p place) error {
			_, _, err := depot.InitRequest(p.dir, p.config())
			return err
		}, diag.DepotExists, "cluster kafka-test"},
		"init over another's files": {func(t *testing.T, p place) error {
			dir := filepath.Join(t.TempDir(), "x")
			os.MkdirAll(dir, 0o700)
			os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600)
			_, err := depot.Init(dir, p.config())
			return err
		}, diag.DepotForeign, "notes.txt lies there"},
		"init where depot.yaml is gone": {func(t *testing.T, p place) error {
			issueTwo(t, p)
			os.Remove(filepath.Join(p.dir, "depot.yaml"))
			_, err := depot.Init(p.dir, p.config())
			return err
		}, diag.DepotForeign, "issued lies there"},
		"begin over an interrupted one of another kind": {func(t *testing.T, p place) error {
			state, _ := os.ReadFile(filepath.Join(p.dir, "depot.yaml"))
			must(t)(p.Begin(t.Context(), p.replacement()))
			os.WriteFile(filepath.Join(p.dir, "depot.yaml"), state, 0o600)
			r := p.replacement()
			r.KeepRoot = true
			_, err := p.Begin(t.Context(), r)
			return err
		}, diag.DepotForeign, "its root is a new one"},
		"foreign directory among the leaves": {func(t *testing.T, p place) error {
			os.MkdirAll(filepath.Join(p.dir, "issued", "robot", "r2"), 0o700)
			_, err := p.Issue(t.Context(), twoLeaves)
			return err
		}, diag.DepotForeign, "issued/robot/r2"},
		"newer version": {func(_ *testing.T, p place) error {
			os.WriteFile(filepath.Join(p.dir, "depot.yaml"), []byte("version: 2\nfuture: yes\n"), 0o600)
			_, err := depot.Open(p.dir)
			return err
		}, diag.DepotVersion, "this program knows 1"},
		"damaged depot.yaml": {func(_ *testing.T, p place) error {
			os.WriteFile(filepath.Join(p.dir, "depot.yaml"), []byte("version: 1\nphase: [\n"), 0o600)
			_, err := depot.Open(p.dir)
			return err
		}, diag.DepotFile, "depot.yaml:"},
		"issuer's key is gone": {func(t *testing.T, p place) error {
			os.Remove(filepath.Join(p.dir, "generations", "1", "issuer.key"))
			_, err := p.Issue(t.Context(), twoLeaves)
			return err
		}, diag.DepotDamaged, "issuer.key is missing"},
		"generation is gone": {func(_ *testing.T, p place) error {
			os.RemoveAll(filepath.Join(p.dir, "generations", "1"))
			_, err := depot.Open(p.dir)
			return err
		}, diag.DepotDamaged, "generations/1 is missing"},
		"register is gone": {func(_ *testing.T, p place) error {
			os.Remove(filepath.Join(p.dir, "generations", "1", "issued"))
			_, err := depot.Open(p.dir)
			return err
		}, diag.DepotDamaged, "generations/1/issued is missing"},
		"list of another issuer": {func(t *testing.T, p place) error {
			other := newPlace(t)
			list, _ := os.ReadFile(filepath.Join(other.dir, "generations", "1", "ca.crl"))
			os.WriteFile(filepath.Join(p.dir, "generations", "1", "ca.crl"), list, 0o600)
			_, err := depot.Open(p.dir)
			return err
		}, diag.DepotDamaged, "not a list of its issuer"},
		"key of another leaf": {func(t *testing.T, p place) error {
			issueTwo(t, p)
			key, _ := os.ReadFile(filepath.Join(p.LeafDir(twoLeaves[0].ID), "tls.key"))
			os.WriteFile(filepath.Join(p.LeafDir(twoLeaves[1].ID), "..1", "tls.key"), key, 0o600)
			_, err := p.Status()
			return err
		}, diag.DepotDamaged, "are no pair"},
		"leaf of another depot": {func(t *testing.T, p place) error {
			issueTwo(t, p)
			other := newPlace(t)
			issueTwo(t, other)
			for _, name := range []string{"tls.crt", "tls.key"} {
				data, _ := os.ReadFile(filepath.Join(other.LeafDir(twoLeaves[0].ID), name))
				os.WriteFile(filepath.Join(p.LeafDir(twoLeaves[0].ID), "..1", name), data, 0o600)
			}
			_, err := p.Status()
			return err
		}, diag.DepotDamaged, "no generation of this depot"},
		"another's leaf": {func(t *testing.T, p place) error {
			issueTwo(t, p)
			os.RemoveAll(p.LeafDir(twoLeaves[1].ID))
			os.Rename(p.LeafDir(twoLeaves[0].ID), filepath.Join(p.dir, "issued", "client", "svc-a"))
			_, err := p.Status()
			return err
		}, diag.DepotDamaged, "has not issued this to client/svc-a"},
		"nowhere to keep the root's key": {func(t *testing.T, p place) error {
			cfg := p.config()
			cfg.RootKey = depot.RootKey{}
			_, err := depot.Init(filepath.Join(t.TempDir(), "x"), cfg)
			return err
		}, diag.DepotRootKey, "nowhere to keep"},
		"root's key inside the depot": {func(_ *testing.T, p place) error {
			os.RemoveAll(p.dir)
			cfg := p.config()
			cfg.RootKey.Dir = filepath.Join(p.dir, "roots")
			_, err := depot.Init(p.dir, cfg)
			return err
		}, diag.DepotRootKey, "apart from it"},
		"another's root on the medium": {func(t *testing.T, p place) error {
			cfg := p.config()
			cfg.Cluster = "kafka-other"
			_, err := depot.Init(filepath.Join(t.TempDir(), "x"), cfg)
			return err
		}, diag.DepotRootKey, "kafka-test root 1"},
		"empty medium": {func(t *testing.T, p place) error {
			_, err := p.Begin(t.Context(), depot.Replacement{KeepRoot: true, RootKey: depot.RootKey{Dir: t.TempDir()}})
			return err
		}, diag.DepotRootKey, "does not hold the key of kafka-test root 1"},
		"no medium": {func(t *testing.T, p place) error {
			_, err := p.Begin(t.Context(), depot.Replacement{KeepRoot: true})
			return err
		}, diag.DepotRootKey, "is not in the depot"},
		"wrong passphrase": {func(t *testing.T, p place) error {
			cfg := p.config()
			cfg.RootKey = depot.RootKey{Passphrase: secret.New("correct horse")}
			d, err := depot.Init(filepath.Join(t.TempDir(), "x"), cfg)
			if err != nil {
				return err
			}
			_, err = d.Begin(t.Context(), depot.Replacement{KeepRoot: true, RootKey: depot.RootKey{Passphrase: secret.New("battery staple")}})
			return err
		}, diag.PKIPassphrase, "passphrase"},
		"next without a replacement": {func(t *testing.T, p place) error {
			_, err := p.Next(t.Context(), depot.Step{})
			return err
		}, diag.DepotPhase, "there is no step to take in phase"},
		"two steps at once": {func(t *testing.T, p place) error {
			inTrust(t, p)
			_, err := p.Next(t.Context(), depot.Step{To: depot.Retire})
			return err
		}, diag.DepotPhase, "no step leads to retire"},
		"begin in the middle": {func(t *testing.T, p place) error {
			inReissue(t, p)
			_, err := p.Begin(t.Context(), p.replacement())
			return err
		}, diag.DepotPhase, "no replacement begins in phase reissue"},
		"an answer without a request": {func(t *testing.T, p place) error {
			_, err := p.Complete(t.Context(), nil)
			return err
		}, diag.DepotPhase, "no request"},
		"issue before the answer": {func(t *testing.T, p place) error {
			answer(t, p, false)
			d, err := depot.Open(p.dir)
			if err != nil {
				return err
			}
			_, err = d.Issue(t.Context(), twoLeaves)
			return err
		}, diag.DepotPending, "not signed yet"},
		"answer to another request": {func(t *testing.T, p place) error {
			must(t)(p.BeginRequest(t.Context(), depot.Policy{}))
			csr, _, _ := pki.NewSigningRequest("other issuer", pki.ECDSAP256)
			_, err := p.Complete(t.Context(), organisation(t, epoch).sign(t, csr))
			return err
		}, diag.DepotSigned, "request of generation 2"},
		"unknown kind": {func(_ *testing.T, _ place) error {
			_, err := depot.ParseID("robot/r2")
			return err
		}, diag.DepotUnknown, `"robot"`},
		"name that climbs": {func(t *testing.T, p place) error {
			_, err := p.Issue(t.Context(), []depot.Want{client("../../etc")})
			return err
		}, diag.DepotUnknown, "not the name of a leaf"},
		"wanted twice": {func(t *testing.T, p place) error {
			_, err := p.Issue(t.Context(), []depot.Want{client("svc-a"), client("svc-a")})
			return err
		}, diag.DepotUnknown, "wanted twice"},
		"revoke what is not there": {func(t *testing.T, p place) error {
			_, err := p.Revoke(t.Context(), depot.KeyLeaked, "client/none", "00ff")
			return err
		}, diag.DepotUnknown, `"00ff"`},
		"revoke what was replaced": {func(t *testing.T, p place) error {
			serial := issue(t, p.Depot, twoLeaves...)[1].Serial
			must(t)(p.Begin(t.Context(), p.replacement()))
			must(t)(p.Next(t.Context(), depot.Step{To: depot.Reissue}))
			must(t)(p.Next(t.Context(), depot.Step{To: depot.Retire}))
			_, err := p.Revoke(t.Context(), depot.KeyLeaked, serial)
			return err
		}, diag.DepotUnknown, "of generation 1, which was replaced"},
		"unknown reason": {func(_ *testing.T, _ place) error {
			_, err := depot.ParseReason("bored")
			return err
		}, diag.DepotRevoked, `"bored"`},
		"lift what is final": {func(t *testing.T, p place) error {
			issueTwo(t, p)
			must(t)(p.Revoke(t.Context(), depot.Ceased, "client/svc-a"))
			_, err := p.Unrevoke(t.Context(), "client/svc-a")
			return err
		}, diag.DepotRevoked, "cessationOfOperation"},
		"name outside of the constraints": {func(t *testing.T, p place) error {
			cfg := p.config()
			cfg.RootKey.Dir = t.TempDir()
			cfg.Policy.Constraints = pki.Constraints{DNSDomains: []string{"prod.example"}}
			d, err := depot.Init(filepath.Join(t.TempDir(), "x"), cfg)
			if err != nil {
				return err
			}
			_, err = d.Issue(t.Context(), []depot.Want{client("svc-a"), broker("b0")})
			if found := leafDirs(d.Dir()); len(found) > 0 {
				t.Errorf("one of two wants was issued: %v", found)
			}
			return err
		}, diag.PKIConstraint, "kafka.test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.do(t, newPlace(t))
			if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err, diag.Of(err)), tt.says) {
				t.Errorf("got %v, want %s with %q", err, tt.want, tt.says)
			}
			if strings.Contains(fmt.Sprint(err), "horse") || strings.Contains(fmt.Sprint(err), "staple") {
				t.Errorf("the error tells a passphrase: %v", err)
			}
		})
	}
}

func TestWhatOthersCouldTouchIsRefused(t *testing.T) {
	t.Parallel()
	leaf := "issued/client/svc-a/"
	link := func(name string) func(string) error {
		return func(dir string) error {
			from := filepath.Join(dir, name)
			return errors.Join(os.Rename(from, from+".real"), os.Symlink(filepath.Base(from)+".real", from))
		}
	}
	mode := func(name string, mode fs.FileMode) func(string) error {
		return func(dir string) error { return os.Chmod(filepath.Join(dir, name), mode) }
	}
	for name, tt := range map[string]struct {
		spoil func(dir string) error
		want  error
	}{
		"the depot":             {mode(".", 0o750), pki.ErrLoose},
		"depot.yaml writable":   {mode("depot.yaml", 0o620), pki.ErrLoose},
		"generations":           {mode("generations", 0o701), pki.ErrLoose},
		"a generation":          {mode("generations/1", 0o755), pki.ErrLoose},
		"issuer's key":          {mode("generations/1/issuer.key", 0o640), pki.ErrLoose},
		"register writable":     {mode("generations/1/issued", 0o646), pki.ErrLoose},
		"list writable":         {mode("generations/1/ca.crl", 0o666), pki.ErrLoose},
		"issued":                {mode("issued", 0o755), pki.ErrLoose},
		"a kind":                {mode("issued/client", 0o711), pki.ErrLoose},
		"a leaf":                {mode("issued/client/svc-a", 0o770), pki.ErrLoose},
		"a version":             {mode(leaf+"..1", 0o755), pki.ErrLoose},
		"a leaf's key":          {mode(leaf+"..1/tls.key", 0o604), pki.ErrLoose},
		"linked depot.yaml":     {link("depot.yaml"), diag.PKILink},
		"linked issuer's key":   {link("generations/1/issuer.key"), diag.PKILink},
		"linked generation":     {link("generations/1"), nil},
		"linked leaf":           {link("issued/client/svc-a"), diag.PKILink},
		"linked version":        {link(leaf + "..1"), diag.PKILink},
		"linked file of a leaf": {link(leaf + "..1/tls.key"), diag.PKILink},
		"file in a link's place": {func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, leaf, "tls.crt")), os.WriteFile(filepath.Join(dir, leaf, "tls.crt"), nil, 0o600))
		}, diag.PKILink},
		"..data that leads away": {func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, leaf, "..data")), os.Symlink("../svc-b", filepath.Join(dir, leaf, "..data")))
		}, diag.PKILink},
		"..data that is absolute": {func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, leaf, "..data")), os.Symlink("/etc", filepath.Join(dir, leaf, "..data")))
		}, diag.PKILink},
		"linked lock": {link("lock"), diag.PKILink},
		"key that is a directory": {func(dir string) error {
			k := filepath.Join(dir, "generations/1/issuer.key")
			return errors.Join(os.Remove(k), os.Mkdir(k, 0o700))
		}, diag.PKILink},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			issueTwo(t, p)
			if err := tt.spoil(p.dir); err != nil {
				t.Fatal(err)
			}
			_, err := p.Issue(t.Context(), []depot.Want{client("svc-new")})
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Issue = %v, want %v", err, tt.want)
			}
			if errors.Is(tt.want, pki.ErrLoose) && !errors.Is(err, diag.PKILoose) {
				t.Errorf("%v has not the code %s", err, diag.PKILoose)
			}
		})
	}
}

func TestOneProcessAtATimeChangesADepot(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	inside, leave, done := make(chan bool), make(chan bool), make(chan error)
	first := true
	slow, err := depot.Open(p.dir, depot.WithClock(p.clock.Now), depot.WithStep(func(string, string) {
		if first {
			first = false
			inside <- true
			<-leave
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := slow.Issue(t.Context(), twoLeaves)
		done <- err
	}()
	<-inside
	_, err = p.Issue(t.Context(), twoLeaves)
	if !errors.Is(err, diag.DepotLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d is changing ", os.Getpid())) {
		t.Errorf("Issue beside another = %v, want %s with the process", err, diag.DepotLocked)
	}
	if _, err := p.Status(); err != nil {
		t.Errorf("Status waits for the lock: %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := actions(issue(t, p.Depot, twoLeaves...)); got != "kept broker/b0; kept client/svc-a" {
		t.Errorf("afterwards: %s", got)
	}
}

// A process that is being started has the lock's file until it runs.
func TestAProcessThatIsStartedDoesNotKeepTheLock(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	stop := make(chan bool)
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.CommandContext(t.Context(), "true").Run()
			}
		}
	}()
	for range 200 {
		if _, err := p.Renew(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingIsRenamedBeforeItIsOnTheDisk(t *testing.T) {
	t.Parallel()
	var made []string
	last := ""
	step := func(op, path string) {
		switch last = op; op {
		case "create", "mkdir", "symlink":
			made = append(made, path)
		case "sync":
			made = nil
		case "rename":
			if len(made) > 0 {
				t.Errorf("%s takes its place before %v is on the disk", path, made)
			}
		}
	}
	p := place{dir: filepath.Join(t.TempDir(), "pki"), roots: filepath.Join(t.TempDir(), "roots"), clock: newClock(), step: step}
	ended := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if last != "sync" {
			t.Errorf("the command ends with %s", last)
		}
	}
	ended(depot.Init(p.dir, p.stepped()))
	p.Depot, _ = depot.Open(p.dir, depot.WithClock(p.clock.Now), depot.WithStep(step))
	many := make([]depot.Want, 40)
	for i := range many {
		many[i] = client(fmt.Sprintf("svc-%d", i))
	}
	ended(p.Issue(t.Context(), many))
	p.clock.Add(25 * 24 * time.Hour)
	ended(p.Renew(t.Context(), 0))
	ended(p.Begin(t.Context(), p.replacement()))
	ended(p.Next(t.Context(), depot.Step{}))
	ended(p.Back(t.Context(), depot.Step{}))
	ended(p.Next(t.Context(), depot.Step{}))
	ended(p.Next(t.Context(), depot.Step{}))
	ended(p.Revoke(t.Context(), depot.Hold, "client/svc-0"))
	ended(p.Unrevoke(t.Context(), "client/svc-0"))
}
