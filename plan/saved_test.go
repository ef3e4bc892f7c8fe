package plan_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

var made = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

// savedShop is a saved plan with a change of every sort.
func savedShop(t testing.TB) *plan.Saved {
	t.Helper()
	want := derive(t, shop(t, "dev"), contract.Embedded)
	have := surveyed(want)
	delete(have.Topics, "inventory.stock.v1")
	have.Topics["orders.created.v1"].Configs[kafka.RetentionMillis] = "-1"
	topics("svc-gone-dev.x.v1.dlq", "svc-gone-dev.y.v1.dlq")(have)
	allow := []string{"retention:orders.created.v1", "delete:topic/svc-gone-dev.x.v1.dlq"}
	return plan.NewSaved(want, have, diff(t, want, have).Deleting(allow...), nil, allow, made)
}

func save(t testing.TB, s *plan.Saved) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prod.plan")
	if err := plan.Save(path, s); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASavedPlanComesBackAsItWas(t *testing.T) {
	t.Parallel()
	saved := savedShop(t)
	path := save(t, saved)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v, want 0600", info.Mode(), err)
	}
	loaded, err := plan.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text(saved.Plan), text(loaded.Plan)); diff != "" {
		t.Errorf("the plan (-saved +loaded):\n%s", diff)
	}
	if diff := cmp.Diff([]any{saved.Allow, saved.Contracts, saved.State, saved.Created, saved.Content}, []any{loaded.Allow, loaded.Contracts, loaded.State, loaded.Created, loaded.Content}); diff != "" {
		t.Errorf("the rest (-saved +loaded):\n%s", diff)
	}
	if err := plan.Check(loaded, savedShop(t)); err != nil {
		t.Errorf("Check() = %v of what has not changed", err)
	}
	if err := plan.Save(path, loaded); err != nil { // over itself
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files are left beside the plan", len(left)-1)
	}
}

func TestAPlanFileIsARegularFileOfBoundedSize(t *testing.T) {
	t.Parallel()
	good := save(t, savedShop(t))
	dir := t.TempDir()
	place := func(name string, put func(path string) error) string {
		path := filepath.Join(dir, name)
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := place("link", func(p string) error { return os.Symlink(good, p) })
	for name, path := range map[string]string{
		"absent":      filepath.Join(dir, "absent"),
		"a directory": dir,
		"a link":      link,
		"a dead link": place("dead", func(p string) error { return os.Symlink(filepath.Join(dir, "nowhere"), p) }),
		"a device":    os.DevNull,
		"too large": place("large", func(p string) error {
			if err := os.WriteFile(p, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(p, plan.MaxSavedSize+1)
		}),
	} {
		if _, err := plan.Load(path); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanFile) {
			t.Errorf("%s: Load() = %v, want %s", name, err, diag.PlanFile)
		}
	}
	before, _ := os.ReadFile(good)
	for _, path := range []string{link, dir, filepath.Join(dir, "no", "such")} {
		if err := plan.Save(path, savedShop(t)); !errors.Is(err, diag.PlanFile) {
			t.Errorf("Save(%s) = %v, want %s", path, err, diag.PlanFile)
		}
	}
	if after, _ := os.ReadFile(good); !bytes.Equal(before, after) {
		t.Error("a link was followed when a plan was saved")
	}
}

func TestAnEditedPlanFileIsRefused(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(save(t, savedShop(t)))
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(string) string{
		"another name":      func(s string) string { return strings.Replace(s, "inventory.stock.v1", "inventory.stocks.v1", 1) },
		"one more allowed":  func(s string) string { return strings.Replace(s, `"allow": [`, `"allow": ["delete:topic/x",`, 1) },
		"another cluster":   func(s string) string { return strings.Replace(s, `"cluster": "embedded"`, `"cluster": "prod"`, 1) },
		"an unknown field":  func(s string) string { return strings.Replace(s, `"version": 1,`, `"version": 1, "force": true,`, 1) },
		"a field twice":     func(s string) string { return strings.Replace(s, `"version": 1,`, `"version": 1, "version": 1,`, 1) },
		"another version":   func(s string) string { return strings.Replace(s, `"version": 1,`, `"version": 2,`, 1) },
		"another kind":      func(s string) string { return strings.Replace(s, `SavedPlan`, `Plan`, 1) },
		"another content":   func(s string) string { return strings.Replace(s, `"content": "`, `"content": "0`, 1) },
		"a space":           func(s string) string { return strings.Replace(s, `"version": 1`, `"version":  1`, 1) },
		"more after it":     func(s string) string { return s + "{}" },
		"half of it":        func(s string) string { return s[:len(s)/2] },
		"nothing":           func(string) string { return "" },
		"null":              func(string) string { return "null" },
		"no plan":           func(string) string { return `{"kind": "SavedPlan", "version": 1}` },
		"a thousand braces": func(string) string { return strings.Repeat(`{"plan":`, 100_000) },
	} {
		path := filepath.Join(t.TempDir(), "plan")
		if err := os.WriteFile(path, []byte(edit(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Load(path); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanEdited) {
			t.Errorf("%s: Load() = %v, want %s", name, err, diag.PlanEdited)
		}
	}
}

// A forger can compute hashes too: what is applied are never the file's changes.
func TestAForgedPlanIsRefusedBecauseItIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(*plan.Saved){
		"one change less": func(s *plan.Saved) { s.Plan.Changes = s.Plan.Changes[1:] },
		"another deletion": func(s *plan.Saved) {
			for i, c := range s.Plan.Changes {
				if c.Action == plan.Delete {
					s.Plan.Changes[i].Name = "inventory.stock.v1"
				}
			}
		},
		"a harmless class": func(s *plan.Saved) {
			for i := range s.Plan.Changes {
				s.Plan.Changes[i].Class, s.Plan.Changes[i].Allow = plan.Safe, ""
			}
		},
		"another plan hash": func(s *plan.Saved) { s.Plan.Hash = strings.Repeat("0", 64) },
	} {
		forged := savedShop(t)
		forge(forged)
		reseal(t, forged)
		loaded, err := plan.Load(save(t, forged))
		if err != nil {
			t.Fatalf("%s: the forgery is bad: %v", name, err)
		}
		if err := plan.Check(loaded, savedShop(t)); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanEdited) {
			t.Errorf("%s: Check() = %v, want %s", name, err, diag.PlanEdited)
		}
	}
}

// reseal computes the content hash as anybody could who knows the format.
func reseal(t testing.TB, s *plan.Saved) {
	t.Helper()
	s.Content = ""
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append(text, '\n'))
	s.Content = hex.EncodeToString(sum[:])
}

func TestAStalePlanSaysWhatChanged(t *testing.T) {
	t.Parallel()
	body := func(partitions int, more string) map[string]string {
		return map[string]string{"a": fmt.Sprintf("# %s\nidentity: {auth: scram-sha-512}\ntopics: {a.b.v1: {partitions: %d}%s}\nproduces: {a.b.v1: {}}", more, partitions, more), "b": "consumes: {a.b.v1: {}}"}
	}
	seen := func(files map[string]string, change func(*plan.Actual), services ...string) *plan.Saved {
		want := derive(t, estate(t, "dev", files), contract.Embedded)
		have := surveyed(want)
		have.ClusterID = "abc"
		change(have)
		p := diff(t, want, have)
		if len(services) > 0 {
			p = p.Of(services...)
		}
		return plan.NewSaved(want, have, p, services, nil, made)
	}
	same := func(*plan.Actual) {}
	comment := body(3, "")
	comment["a"] = "\n\n# a comment moves every line\n" + comment["a"]
	many := ""
	for i := range 8 {
		many += fmt.Sprintf(", a.x%d.v1: {}", i)
	}
	for name, tt := range map[string]struct {
		fresh    *plan.Saved
		services []string
		code     diag.Code
		want     []string
	}{
		"nothing":             {seen(body(3, ""), same), nil, "", nil},
		"a comment":           {seen(comment, same), nil, "", nil},
		"another cluster":     {seen(body(3, ""), func(h *plan.Actual) { h.ClusterID = "xyz" }), nil, diag.PlanForeign, []string{"(abc)", "(xyz)"}},
		"the contract":        {seen(body(4, ""), func(h *plan.Actual) { is := h.Topics["a.b.v1"]; is.Partitions = 3; h.Topics["a.b.v1"] = is }), nil, diag.PlanStale, []string{"the contracts and the cluster changed", "2026-11-21 18:00:00 UTC", "in the contracts, topic/a.b.v1 is different"}},
		"the cluster":         {seen(body(3, ""), func(h *plan.Actual) { h.Topics["a.b.v1"].Configs[kafka.CleanupPolicy] = "compact" }), nil, diag.PlanStale, []string{"the cluster changed", "on the cluster, topic/a.b.v1 is different"}},
		"something is gone":   {seen(body(3, ""), func(h *plan.Actual) { delete(h.Users, "svc-a-dev") }), nil, diag.PlanStale, []string{"on the cluster, user/svc-a-dev is gone"}},
		"a right is gone":     {seen(body(3, ""), func(h *plan.Actual) { clear(h.Bindings) }), nil, diag.PlanStale, []string{"acl/User:svc-a-dev WRITE TOPIC a.b.v1 is gone"}},
		"more than five":      {seen(body(3, many), same), nil, diag.PlanStale, []string{"the contracts and the cluster changed", "topic/a.x4.v1 is new", "in the contracts, 3 things more are different"}},
		"a setting of no one": {seen(body(3, ""), func(h *plan.Actual) { h.Topics["a.b.v1"].Configs["segment.ms"] = "1" }), nil, "", nil},
		"another service":     {seen(body(4, ""), func(h *plan.Actual) { is := h.Topics["a.b.v1"]; is.Partitions = 3; h.Topics["a.b.v1"] = is }, "b"), []string{"b"}, diag.PlanStale, []string{"topic/svc-b-dev.a.b.v1.dlq is different"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := plan.Check(seen(body(3, ""), same, tt.services...), tt.fresh)
			if (err == nil) != (tt.code == "") || err != nil && (!errors.Is(err, plan.ErrRefused) || !errors.Is(err, tt.code)) {
				t.Fatalf("Check() = %v, want %q", err, tt.code)
			}
			said := ""
			for _, d := range diag.Of(err) {
				said += d.Message + "\n" + strings.Join(d.Evidence, "\n") + "\n"
			}
			for _, want := range tt.want {
				if !strings.Contains(said, want) {
					t.Errorf("it lacks %q:\n%s", want, said)
				}
			}
			if n := strings.Count(said, "\n"); n > 13 {
				t.Errorf("it goes on for %d lines:\n%s", n, said)
			}
		})
	}
}

func TestAPlanThatWasShownIsTheOneThatIsApplied(t *testing.T) {
	t.Parallel()
	want := derive(t, shop(t, "dev"), contract.Embedded)
	have := settled(want)
	delete(have.Topics, "inventory.stock.v1")
	shown := diff(t, want, have)
	if err := plan.Same(shown, diff(t, want, have)); err != nil {
		t.Errorf("Same() = %v of the same plan", err)
	}
	delete(have.Users, "svc-orders-dev")
	err := plan.Same(shown, diff(t, want, have))
	if !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanStale) || !strings.Contains(strings.Join(diag.Of(err)[0].Evidence, "\n"), "+ user svc-orders-dev mechanism=scram-sha-512 [safe] is new") {
		t.Errorf("Same() = %v, want %s with the change", err, diag.PlanStale)
	}
}

func FuzzParseSaved(f *testing.F) {
	text, err := os.ReadFile(save(f, savedShop(f)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"kind": "SavedPlan", "version": 1, "plan": {}, "content": ""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := plan.ParseSaved(text)
		if err != nil {
			return
		}
		again, err := os.ReadFile(save(t, s))
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("it was taken, and is written as something else: %v", err)
		}
	})
}
