package share_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/share"
	"github.com/slipway-go/slipway/internal/share/registrytest"
)

// load reads the estate as every command does.
func load(t *testing.T, root *os.Root) (*contract.Estate, diag.List) {
	t.Helper()
	e, list := contract.Load(root.FS(), ".")
	return e, append(list, e.Validate()...)
}

func TestAPulledEstateIsReadWithoutNetwork(t *testing.T) {
	t.Parallel()
	server, address := registrytest.Start(&registrytest.Registry{})
	from := "oci://" + address + "/orders:main"
	publish(t, service("orders"), from)
	root := estate(t, map[string]string{"orders": from})
	if _, list := load(t, root); !errors.Is(list, diag.ShareNotPulled) || len(list) != 1 {
		t.Errorf("before the pull: %v", list)
	}
	pull(t, root)
	server.Close()
	e, list := load(t, root)
	if err := list.Err(); err != nil || len(e.Services) != 1 || e.Services[0].File() != ".slipway/estate/orders/slipway.yaml" {
		t.Fatalf("got %v, %v", e.Services, err)
	}
	u, err := share.PullLocked(t.Context(), config(t), root)
	if err != nil || u.Moved() || u.Changes[0].Fetched {
		t.Errorf("a locked pull of what is there: %+v, %v", u, err)
	}
	_, err = share.Pull(t.Context(), config(t), root)
	wantCode(t, err, diag.ShareUnreachable)
}

func TestAnEditedContractIsNoticedBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	from := registry(t, &registrytest.Registry{}) + "orders:main"
	publish(t, service("orders"), from)
	for name, tt := range map[string]struct {
		file string
		edit func([]byte) []byte
	}{
		"the contract": {"slipway.yaml", func(b []byte) []byte { return []byte(strings.Replace(string(b), "team-a", "team-b", 1)) }},
		"white space":  {"slipway.yaml", func(b []byte) []byte { return append(b, '\n') }},
		"the schema":   {"schemas/event.avsc", func(b []byte) []byte { return append(b, ' ') }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := estate(t, map[string]string{"orders": from})
			pull(t, root)
			file := ".slipway/estate/orders/" + tt.file
			text, err := root.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := root.WriteFile(file, tt.edit(text), 0o600); err != nil {
				t.Fatal(err)
			}
			e, list := load(t, root)
			if len(e.Services) != 0 || !errors.Is(list, diag.ShareTampered) {
				t.Errorf("got %v, %v", e.Services, list)
			}
			u, err := share.PullLocked(t.Context(), config(t), root)
			if err != nil || u.Moved() {
				t.Fatal(u, err)
			}
			if err := u.Write(); err != nil {
				t.Fatal(err)
			}
			if _, list := load(t, root); list.Failed() {
				t.Errorf("after a locked pull: %v", list)
			}
		})
	}
	t.Run("a schema that is gone", func(t *testing.T) {
		t.Parallel()
		root := estate(t, map[string]string{"orders": from})
		pull(t, root)
		if err := root.Remove(".slipway/estate/orders/schemas/event.avsc"); err != nil {
			t.Fatal(err)
		}
		if _, list := load(t, root); !errors.Is(list, diag.ShareTampered) {
			t.Errorf("got %v", list)
		}
	})
	t.Run("a lock that is edited", func(t *testing.T) {
		t.Parallel()
		root := estate(t, map[string]string{"orders": from})
		pull(t, root)
		text, err := root.ReadFile("estate.lock")
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(text), "    contract:")
		if err := root.WriteFile("estate.lock", []byte(head+`    contract: "`+strings.Repeat("a", 64)+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, list := load(t, root); !errors.Is(list, diag.ShareTampered) {
			t.Errorf("got %v", list)
		}
		_, err = share.PullLocked(t.Context(), config(t), root)
		wantCode(t, err, diag.ShareLocked)
	})
}

func TestWhatChangesIsToldBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{})
	first := publish(t, service("orders"), to+"orders:main")
	root := estate(t, map[string]string{"orders": to + "orders:main"})
	pull(t, root)
	locked, err := root.ReadFile("estate.lock")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		files fstest.MapFS
		want  string
	}{
		{edited(t, service("orders"), "team-a", "team-b"), "owner"},
		{edited(t, service("orders"), "orders.created.v1", "orders.placed.v1"), "topics -orders.created.v1 +orders.placed.v1; produces -orders.created.v1 +orders.placed.v1"},
		{edited(t, service("orders"), "key: id", "key: id, partitions: 9"), "topics ~orders.created.v1"},
		{edited(t, service("orders"), "produces:", "consumes: {payments.created.v1: {}}\nidentity: {auth: scram-sha-512}\nproduces:"), "consumes +payments.created.v1; identity"},
		{edited(t, service("orders"), "produces:", "environments: {dev: {}}\nproduces:"), "environments or wording"},
	} {
		sent := publish(t, tt.files, to+"orders:main")
		u, err := share.Pull(t.Context(), config(t), root)
		if err != nil {
			t.Fatal(err)
		}
		want := []share.Change{{Service: "orders", From: to + "orders:main", Old: first.Digest, New: sent.Digest, What: tt.want, Fetched: true}}
		if diff := cmp.Diff(want, u.Changes); diff != "" || !u.Moved() {
			t.Errorf("changes differ:\n%s", diff)
		}
	}
	now, err := root.ReadFile("estate.lock")
	if err != nil || string(now) != string(locked) {
		t.Errorf("the lock was written:\n%s", now)
	}
	if _, list := load(t, root); list.Failed() {
		t.Errorf("the cache was written: %v", list)
	}
}

func TestALockedPullTakesWhatTheLockNamesAndNothingNewer(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	for name, to := range map[string]string{"oci": registry(t, &registrytest.Registry{}) + "orders:main", "git": repo + "main:orders"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			publish(t, service("orders"), to)
			root := estate(t, map[string]string{"orders": to})
			old := pull(t, root).Changes[0].New
			publish(t, edited(t, service("orders"), "team-a", "team-b"), to)
			if err := root.RemoveAll(".slipway"); err != nil {
				t.Fatal(err)
			}
			u, err := share.PullLocked(t.Context(), config(t), root)
			if err != nil || u.Moved() || u.Changes[0].New != old || !u.Changes[0].Fetched {
				t.Fatalf("got %+v, %v", u, err)
			}
			if err := u.Write(); err != nil {
				t.Fatal(err)
			}
			e, list := load(t, root)
			if list.Failed() || e.Services[0].Owner != "team-a" {
				t.Errorf("got %v, %v", e.Services, list)
			}
		})
	}
}

func TestALockedPullDoesNotTakeWhatABranchWasRewrittenTo(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	files := map[string]string{}
	for name, f := range service("orders") {
		files[name] = string(f.Data)
	}
	commit(t, repo, files)
	root := estate(t, map[string]string{"orders": repo + "main"})
	pull(t, root)
	files["slipway.yaml"] = strings.Replace(files["slipway.yaml"], "team-a", "team-b", 1)
	commit(t, repo, files)
	git(t, strings.TrimSuffix(strings.TrimPrefix(repo, "file://"), "#"), "gc", "--quiet", "--prune=now")
	if err := root.RemoveAll(".slipway"); err != nil {
		t.Fatal(err)
	}
	_, err := share.PullLocked(t.Context(), config(t), root)
	wantCode(t, err, diag.ShareLocked)
}

func TestALockedPullRefusesAnEstateThatTheLockDoesNotFollow(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{})
	for _, name := range []string{"orders", "payments"} {
		publish(t, service(name), to+name+":main")
	}
	root := estate(t, map[string]string{"orders": to + "orders:main"})
	pull(t, root)
	for name, sources := range map[string]map[string]string{
		"one more":       {"orders": to + "orders:main", "payments": to + "payments:main"},
		"one less":       {},
		"another place":  {"orders": to + "orders:v2"},
		"another name":   {"payments": to + "orders:main"},
		"another source": {"orders": "file:///srv/x.git#main"},
	} {
		list(t, root, sources)
		_, err := share.PullLocked(t.Context(), config(t), root)
		if !errors.Is(err, diag.ShareLocked) {
			t.Errorf("%s: got %v", name, err)
		}
		// Until it is pulled, nothing is derived from the changed estate either.
		if _, problems := contract.Load(root.FS(), "."); len(sources) > 0 && !errors.Is(problems, diag.ShareNotPulled) {
			t.Errorf("%s: got %v", name, problems)
		}
	}
}

func TestAServiceThatIsNoLongerListedGoes(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{})
	for _, name := range []string{"orders", "payments"} {
		publish(t, service(name), to+name+":main")
	}
	root := estate(t, map[string]string{"orders": to + "orders:main", "payments": to + "payments:main"})
	pull(t, root)
	list(t, root, map[string]string{"payments": to + "payments:main"})
	u := pull(t, root)
	if len(u.Changes) != 2 || u.Changes[0].New != "" || u.Changes[0].Service != "orders" || u.Changes[1].What != "" {
		t.Errorf("got %+v", u.Changes)
	}
	if _, err := root.Stat(".slipway/estate/orders"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if e, problems := load(t, root); problems.Failed() || len(e.Services) != 1 {
		t.Errorf("got %v, %v", e.Services, problems)
	}
}

// So that one estate.yaml serves every repository, the one of the service
// included.
func TestTheContractOfTheTreeTakesThePlaceOfThePulledOne(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{})
	publish(t, service("orders"), to+"orders:main")
	root := estate(t, map[string]string{"orders": to + "orders:main", "payments": to + "payments:main"})
	for name, f := range edited(t, service("payments"), "team-a", "team-here") {
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := root.WriteFile(name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, service("payments"), to+"payments:main")
	pull(t, root)
	e, problems := load(t, root)
	if problems.Failed() || len(e.Services) != 2 || e.Services[1].Owner != "team-here" {
		t.Errorf("got %v, %v", e.Services, problems)
	}
}

func TestNothingIsWrittenThroughALink(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{})
	publish(t, service("orders"), to+"orders:main")
	for name, tt := range map[string]struct{ link, target string }{
		"the cache":              {".slipway/estate", "../mine"},
		"its directory":          {".slipway", "mine"},
		"a place somewhere else": {".slipway", t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := estate(t, map[string]string{"orders": to + "orders:main"})
			for _, dir := range []string{"mine/orders", filepath.Dir(tt.link)} {
				if err := root.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := root.WriteFile("mine/orders/kept", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(tt.target, filepath.Join(root.Name(), tt.link)); err != nil {
				t.Fatal(err)
			}
			u, err := share.Pull(t.Context(), config(t), root)
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, u.Write(), diag.ShareCache)
			var kept []string
			_ = fs.WalkDir(root.FS(), "mine", func(file string, _ fs.DirEntry, _ error) error {
				kept = append(kept, file)
				return nil
			})
			if diff := cmp.Diff([]string{"mine", "mine/orders", "mine/orders/kept"}, kept); diff != "" {
				t.Errorf("what is there is another:\n%s", diff)
			}
		})
	}
}

func TestAnEstateWithoutSourcesIsTold(t *testing.T) {
	t.Parallel()
	root := estate(t, nil)
	if err := root.Remove("estate.yaml"); err != nil {
		t.Fatal(err)
	}
	_, err := share.Pull(t.Context(), config(t), root)
	wantCode(t, err, diag.ShareNoSources)

	broken := estate(t, map[string]string{"orders": "ftp://x", "payments": "oci://127.0.0.1:1/p"})
	_, err = share.Pull(t.Context(), config(t), broken)
	if found := diag.Of(err); len(found) != 2 || found[0].Code != diag.ShareReference || found[0].Position.Line == 0 {
		t.Errorf("got %v, want both sources", err)
	}
}

func TestALockIsTheSameToTheByte(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{})
	sources := map[string]string{}
	for _, name := range []string{"orders", "payments", "stock"} {
		publish(t, service(name), to+name+":main")
		sources[name] = to + name + ":main"
	}
	var texts []string
	for range 3 {
		root := estate(t, sources)
		pull(t, root)
		text, err := root.ReadFile("estate.lock")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
		if u := pull(t, root); u.Moved() {
			t.Error("the second pull moves the lock")
		}
	}
	if texts[0] != texts[1] || texts[0] != texts[2] {
		t.Errorf("the locks differ:\n%s\n%s", texts[0], texts[1])
	}
}
