package share_test

import (
	"context"
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/share"
	"github.com/slipway-go/slipway/internal/share/registrytest"
)

func TestAContractIsPublishedToABranchAndPulledFromIt(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	sent := publish(t, service("orders"), repo+"main:orders")
	publish(t, service("payments"), repo+"main:team/payments")
	root := estate(t, map[string]string{"orders": repo + "main:orders", "payments": repo + "main:team/payments"})
	u := pull(t, root)
	if len(u.Changes) != 2 || !slices.ContainsFunc(u.Changes, func(c share.Change) bool { return c.Service == "payments" && c.What == "topics 1, produces 1" }) {
		t.Errorf("got %+v", u.Changes)
	}
	again := publish(t, service("payments"), repo+"main:team/payments")
	if !again.Unchanged || again.Digest != u.Changes[0].New || sent.Digest == again.Digest {
		t.Errorf("got %+v, then %+v", sent, again)
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(repo, "file://"), "#")
	if got := git(t, bare, "log", "--format=%an %s", "main"); !strings.HasSuffix(got, "slipway Publish the contract of orders") {
		t.Errorf("the log is %s", got)
	}
}

func TestPublishingLeavesWhatIsNotTheContracts(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	commit(t, repo, map[string]string{"README.md": "x", "orders/notes.txt": "x", "orders/sub/x": "x"})
	publish(t, service("orders"), repo+"main:orders")
	renamed := edited(t, service("orders"), "schemas/event.avsc", "schemas/created.avsc")
	renamed["schemas/created.avsc"] = renamed["schemas/event.avsc"]
	publish(t, renamed, repo+"main:orders")
	bare := strings.TrimSuffix(strings.TrimPrefix(repo, "file://"), "#")
	got := strings.Fields(git(t, bare, "ls-tree", "-r", "--name-only", "main"))
	want := []string{"README.md", "orders/notes.txt", "orders/schemas/created.avsc", "orders/slipway.yaml", "orders/sub/x"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestADirectoryOfAnotherServiceIsNotReplaced(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	publish(t, service("orders"), repo+"main:contract")
	_, err := share.Publish(t.Context(), config(t), bundle(t, service("payments")), repo+"main:contract")
	wantCode(t, err, diag.ShareService)
}

// A git in front of git is somebody who is faster: it commits to the branch
// between looking at it and pushing.
func TestACommitThatWasNotSeenIsNotOverwritten(t *testing.T) { // not parallel: it changes PATH
	repo := repository(t)
	publish(t, service("orders"), repo+"main:orders")
	bare := strings.TrimSuffix(strings.TrimPrefix(repo, "file://"), "#")
	program, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := `#!/bin/sh
case " $* " in *" push "*)
	if test ! -e "$0.done"; then
		touch "$0.done"
		new=$(GIT_DIR="` + bare + `" GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b "` + program + `" commit-tree -m faster -p refs/heads/main 'refs/heads/main^{tree}')
		GIT_DIR="` + bare + `" "` + program + `" update-ref refs/heads/main "$new"
	fi
esac
exec "` + program + `" "$@"
`
	writeProgram(t, filepath.Join(dir, "git"), script)
	next := edited(t, service("orders"), "team-a", "team-b")
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	_, err = share.Publish(t.Context(), config(t), bundle(t, next), repo+"main:orders")
	wantCode(t, err, diag.ShareMoved)
	if got := git(t, bare, "log", "-1", "--format=%s", "main"); got != "faster" {
		t.Errorf("the last commit is %q", got)
	}
	if got := publish(t, next, repo+"main:orders"); got.Unchanged {
		t.Errorf("got %+v", got)
	}
}

// Contracts of one repository are those of one commit, whatever happens to the
// branch meanwhile.
func TestABranchIsFetchedOnceForAllItsContracts(t *testing.T) { // not parallel: it changes PATH
	repo := repository(t)
	sources := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d"} {
		publish(t, service(name), repo+"main:"+name)
		sources[name] = repo + "main:" + name
	}
	program, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\ncase \" $* \" in *\" fetch \"*) echo x >> \"$0.fetched\";; esac\nexec \"" + program + "\" \"$@\"\n"
	writeProgram(t, filepath.Join(dir, "git"), script)
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	u := pull(t, estate(t, sources))
	for _, c := range u.Changes {
		if c.New != u.Changes[0].New {
			t.Errorf("%s is of commit %s, %s of %s", c.Service, c.New, u.Changes[0].Service, u.Changes[0].New)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "git.fetched")); err != nil || strings.Count(string(text), "x") != 1 {
		t.Errorf("fetched %q, %v", text, err)
	}
}

func TestWhatIsNotThereIsTold(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	publish(t, service("orders"), repo+"main:orders")
	for name, tt := range map[string]struct {
		from string
		code diag.Code
	}{
		"no such repository": {"file:///nonexistent/x.git#main", diag.ShareMissing},
		"no such branch":     {repo + "other:orders", diag.ShareMissing},
		"no such directory":  {repo + "main:other", diag.ShareMissing},
		"a file":             {repo + "main:orders/slipway.yaml", diag.ShareMissing},
		"no contract":        {repo + "main:orders/schemas", diag.ShareMissing},
		"another service":    {repo + "main:orders", diag.ShareService},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := share.Pull(t.Context(), config(t), estate(t, map[string]string{"payments": tt.from}))
			wantCode(t, err, tt.code)
		})
	}
}

func TestALinkInARepositoryIsNotFollowed(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for name, f := range service("orders") {
		files[name] = string(f.Data)
	}
	for name, change := range map[string]func(map[string]string){
		"the schema": func(f map[string]string) { f["schemas/event.avsc"] = "-> /etc/passwd" },
		"a directory": func(f map[string]string) {
			delete(f, "schemas/event.avsc")
			f["schemas"] = "-> elsewhere"
			f["elsewhere/event.avsc"] = event
		},
		"the contract": func(f map[string]string) {
			f["real.yaml"] = f["slipway.yaml"]
			f["slipway.yaml"] = "-> real.yaml"
		},
		"a large file": func(f map[string]string) { f["schemas/event.avsc"] = strings.Repeat("x", 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, linked := repository(t), maps.Clone(files)
			change(linked)
			commit(t, repo, linked)
			_, err := share.Pull(t.Context(), config(t), estate(t, map[string]string{"orders": repo + "main"}))
			wantCode(t, err, diag.ShareArchive)
		})
	}
}

// What the user's own configuration turns an address into is no reason to run
// a program.
func TestGitSpeaksOnlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	proof := filepath.Join(home, "proof")
	text := "[url \"ext::touch " + proof + " %S \"]\n\tinsteadOf = https://evil.example/\n[protocol \"ext\"]\n\tallow = always\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := share.Pull(t.Context(), config(t, "HOME="+home), estate(t, map[string]string{"orders": "git+https://evil.example/x#main"}))
	if err == nil || !strings.Contains(err.Error(), "git fetch") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(proof); !errors.Is(err, os.ErrNotExist) {
		t.Error("a program ran")
	}
}

// A command that runs in a hook has the hook's repository in its environment,
// and a user a program that asks for passwords.
func TestGitTakesNothingElseFromTheEnvironment(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	other := t.TempDir()
	proof := filepath.Join(other, "proof")
	cfg := config(t, "GIT_DIR="+other, "GIT_INDEX_FILE="+filepath.Join(other, "index"), "GIT_WORK_TREE="+other,
		"GIT_ASKPASS="+proof, "SSH_ASKPASS="+proof, "GIT_EXTERNAL_DIFF="+proof, "GIT_PROXY_COMMAND="+proof)
	if _, err := share.Publish(t.Context(), cfg, bundle(t, service("orders")), repo+"main:orders"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(other)
	if err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v", entries, err)
	}
}

// Git would ask a user for a password, by whatever program the user has for
// that.
func TestNobodyIsAskedForAPassword(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	ca, program, proof := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ask"), filepath.Join(dir, "proof")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	writeProgram(t, program, "#!/bin/sh\ntouch "+proof+"\necho x\n")
	if err := os.WriteFile(filepath.Join(dir, ".gitconfig"), []byte("[core]\n\taskPass = "+program+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, "HOME="+dir, "GIT_SSL_CAINFO="+ca, "GIT_ASKPASS="+program, "SSH_ASKPASS="+program)
	from := "git+" + server.URL + "/orders.git#main"
	_, err := share.Pull(t.Context(), cfg, estate(t, map[string]string{"orders": from}))
	wantCode(t, err, diag.ShareRefused)
	if _, err := os.Stat(proof); !errors.Is(err, os.ErrNotExist) || asked.Load() == 0 {
		t.Errorf("somebody was asked, or the server was not (%d requests): %v", asked.Load(), err)
	}
}

// Pipelines pass tokens as settings in variables.
func TestSettingsInVariablesReachGit(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	publish(t, service("orders"), repo+"main:orders")
	place := strings.TrimSuffix(repo, "estate.git#")
	cfg := config(t, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+place+".insteadOf", "GIT_CONFIG_VALUE_0=file:///elsewhere/")
	from := "file:///elsewhere/estate.git#main:orders"
	if _, err := share.Pull(t.Context(), cfg, estate(t, map[string]string{"orders": from})); err != nil {
		t.Error(err)
	}
}

func TestAPullEndsWithItsContext(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	publish(t, service("orders"), repo+"main:orders")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	_, err := share.Pull(ctx, config(t), estate(t, map[string]string{"orders": repo + "main:orders"}))
	if !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
}

func TestWithoutGitTheRestWorks(t *testing.T) { // not parallel: it changes PATH
	repo := repository(t)
	to := registry(t, &registrytest.Registry{})
	t.Setenv("PATH", t.TempDir())
	_, err := share.Publish(t.Context(), config(t), bundle(t, service("orders")), repo+"main")
	wantCode(t, err, diag.ShareGit)
	publish(t, service("orders"), to+"orders:main")
}

// writeProgram writes a script that is executed next. Nothing is forked
// meanwhile: a child would hold the file open for writing, and Linux refuses to
// execute such a file.
func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
