package share_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/share"
	"github.com/slipway-go/slipway/internal/share/registrytest"
)

const event = `{"type":"record","name":"Event","fields":[{"name":"id","type":"string"}]}`

// service is the contract of a service that owns one topic, with its schema.
func service(name string) fstest.MapFS {
	topic := name + ".created.v1"
	return fstest.MapFS{
		"slipway.yaml": {Data: fmt.Appendf(nil, `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %s, owner: team-a}
topics:
  %s: {key: id, schema: {file: schemas/event.avsc}}
produces:
  %s: {}
`, name, topic, topic)},
		"schemas/event.avsc": {Data: []byte(event)},
		"main.go":            {Data: []byte("package main\n")}, // is not named, so does not travel
	}
}

// edited is a copy of files in which text of the contract is another one.
func edited(t *testing.T, files fstest.MapFS, old, replacement string) fstest.MapFS {
	t.Helper()
	out := maps.Clone(files)
	text := string(files["slipway.yaml"].Data)
	if !strings.Contains(text, old) {
		t.Fatalf("the contract has no %q", old)
	}
	out["slipway.yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, old, replacement))}
	return out
}

func bundle(t *testing.T, fsys fs.FS) *share.Bundle {
	t.Helper()
	b, list := share.Read(fsys, ".")
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}

// config knows the variables given as NAME=value, and a home without anything
// in it.
func config(t *testing.T, variables ...string) share.Config {
	t.Helper()
	env := map[string]string{"HOME": t.TempDir(), "PATH": os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM": "1"}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return share.Config{Getenv: func(name string) string { return env[name] }}
}

// registry starts one and returns the beginning of references to it.
func registry(t *testing.T, r *registrytest.Registry) string {
	t.Helper()
	server, address := registrytest.Start(r)
	t.Cleanup(server.Close)
	return "oci://" + address + "/contracts/"
}

// repository makes a bare git repository and returns the beginning of
// references to it.
func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "estate.git")
	git(t, ".", "init", "--quiet", "--bare", "--", dir)
	return "file://" + dir + "#"
}

// git runs the git program as somebody else would.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files in a new commit of the branch main.
func commit(t *testing.T, repository string, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "--quiet", "--initial-branch=main")
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, link := strings.CutPrefix(text, "-> "); link {
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message=x")
	git(t, dir, "push", "--quiet", "--force", strings.TrimSuffix(repository, "#"), "HEAD:refs/heads/main")
}

func publish(t *testing.T, fsys fs.FS, to string) share.Published {
	t.Helper()
	got, err := share.Publish(t.Context(), config(t), bundle(t, fsys), to)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// estate is a directory with an estate.yaml of these services.
func estate(t *testing.T, sources map[string]string) *os.Root {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	list(t, root, sources)
	return root
}

// list writes the estate.yaml.
func list(t *testing.T, root *os.Root, sources map[string]string) {
	t.Helper()
	text := "apiVersion: slipway.dev/v1\nkind: Estate\nservices:\n"
	for name, from := range sources {
		text += fmt.Sprintf("  %s: %q\n", name, from)
	}
	if len(sources) == 0 {
		text = strings.Replace(text, "services:\n", "services: {}\n", 1)
	}
	if err := root.WriteFile("estate.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pull pulls and keeps what was found.
func pull(t *testing.T, root *os.Root) *share.Update {
	t.Helper()
	u, err := share.Pull(t.Context(), config(t), root)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Write(); err != nil {
		t.Fatal(err)
	}
	return u
}

func wantCode(t *testing.T, err error, code diag.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code)
	}
}
