package share

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// maxOutput is more than git says about anything that is asked of it here.
const maxOutput = contract.MaxFileSize + 64<<10

// maxVariables is more settings than a pipeline passes.
const maxVariables = 100

// A git runs the git program in a bare repository of its own.
type git struct {
	dir    string
	env    []string
	commit string // what was fetched last
}

// passed are the variables that git is given of the environment: where things
// are, and who the user is to others. None that makes it ask, or work on
// another repository, as those of a hook would.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK",
	"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
	"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
}

// settings take effect whatever the user's configuration says.
var settings = []string{
	"-c", "core.askPass=", "-c", "core.hooksPath=" + os.DevNull, "-c", "gc.auto=0", "-c", "maintenance.auto=false",
	"-c", "fetch.recurseSubmodules=false", "-c", "push.recurseSubmodules=no", "-c", "push.followTags=false", "-c", "push.gpgSign=false",
}

// openGit makes an empty repository, which closing removes.
func (c Config) openGit(ctx context.Context, ref Reference) (g *git, closing func(), err error) {
	dir, err := os.MkdirTemp("", "slipway-git-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a directory for git: %w", err)
	}
	g = &git{dir: filepath.Join(dir, "repository"), env: c.gitEnvironment(ref.protocols())}
	closing = func() { os.RemoveAll(dir) }
	if _, err := g.run(ctx, nil, "init", "--quiet", "--bare", "--template=", "--", g.dir); err != nil {
		closing()
		return nil, nil, err
	}
	g.env = append(g.env, "GIT_DIR="+g.dir, "GIT_INDEX_FILE="+filepath.Join(dir, "index"))
	return g, closing, nil
}

func (c Config) gitEnvironment(protocols string) []string {
	env := []string{
		"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never", "SSH_ASKPASS_REQUIRE=never",
		"GIT_ALLOW_PROTOCOL=" + protocols, "GIT_LITERAL_PATHSPECS=1", "GIT_NO_REPLACE_OBJECTS=1",
	}
	for _, name := range passed {
		if value := c.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return append(env, c.gitVariables()...)
}

// gitVariables are the settings that pipelines pass as variables, such as the
// token of a job. They stand above files and below what is set here.
func (c Config) gitVariables() []string {
	n, err := strconv.Atoi(c.Getenv("GIT_CONFIG_COUNT"))
	if err != nil || n < 1 || n > maxVariables {
		return nil
	}
	env := []string{"GIT_CONFIG_COUNT=" + strconv.Itoa(n)}
	for i := range n {
		for _, part := range []string{"GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"} {
			name := part + strconv.Itoa(i)
			env = append(env, name+"="+c.Getenv(name))
		}
	}
	return env
}

// A gitError is a git that ended badly, with what it said.
type gitError struct {
	command string
	status  int // 0 if it did not run
	said    string
	err     error
}

func (e *gitError) Error() string { return fmt.Sprintf("git %s: %v", e.command, e.err) }

func (e *gitError) Unwrap() error { return e.err }

// run runs git without a terminal, in a session of its own: it and whatever it
// starts can ask nobody, and ends with the context.
func (g *git) run(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append(append([]string{}, settings...), args...)...)
	cmd.Env = g.env
	cmd.Stdin = bytes.NewReader(input)
	out, said := &bounded{limit: maxOutput}, &bounded{limit: 16 << 10, drops: true}
	cmd.Stdout, cmd.Stderr = out, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 3 * time.Second
	err := cmd.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	failure := &gitError{command: args[0], said: strings.TrimSpace(said.String()), err: err}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		failure.status = exit.ExitCode()
	}
	return nil, failure
}

// line runs git for an answer of one line.
func (g *git) line(ctx context.Context, input []byte, args ...string) (string, error) {
	out, err := g.run(ctx, input, args...)
	return strings.TrimSpace(string(out)), err
}

// bounded keeps so many bytes of what is written to it. More is an error,
// unless it just drops them.
type bounded struct {
	bytes.Buffer
	limit int
	drops bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) <= b.limit {
		return b.Buffer.Write(p)
	}
	if !b.drops {
		return 0, fmt.Errorf("it wrote more than %d bytes", b.limit)
	}
	b.Buffer.Write(p[:b.limit-b.Len()])
	return len(p), nil
}

func (g *git) fetch(ctx context.Context, ref Reference, what string) (err error) {
	if _, err = g.run(ctx, nil, "fetch", "--quiet", "--depth=1", "--no-tags", "--", ref.remote, what); err != nil {
		return err
	}
	g.commit, err = g.line(ctx, nil, "rev-parse", "--verify", "FETCH_HEAD^{commit}")
	return err
}

// bundle reads the contract in the directory of what was fetched.
func (g *git) bundle(ctx context.Context, ref Reference) (fetched, error) {
	hash, err := g.directory(ctx, g.commit, ref.dir)
	if ctx.Err() != nil {
		return fetched{}, context.Cause(ctx)
	}
	if err != nil {
		return fetched{}, diag.New(diag.ShareMissing, "%s: commit %s has no directory %s", ref, g.commit, ref.dir)
	}
	b, list := Read(treeFS{&gitTree{ctx, g, hash}}, ".")
	switch {
	case ctx.Err() != nil:
		return fetched{}, context.Cause(ctx)
	case b == nil && errors.Is(list, diag.ContractMissing):
		return fetched{}, diag.New(diag.ShareMissing, "%s: commit %s has no %s there", ref, g.commit, contract.ServiceFile)
	case b == nil:
		return fetched{}, notBundle(ref, &invalidError{list})
	}
	return fetched{Bundle: b, digest: g.commit, tree: hash}, nil
}

// directory is the tree of a directory in a commit.
func (g *git) directory(ctx context.Context, commit, dir string) (string, error) {
	name := commit + "^{tree}"
	if dir != "." {
		name = commit + ":" + dir
	}
	hash, err := g.line(ctx, nil, "rev-parse", "--verify", "--quiet", name)
	if err != nil {
		return "", err
	}
	kind, err := g.line(ctx, nil, "cat-file", "-t", hash)
	if err == nil && kind != "tree" {
		err = fs.ErrNotExist
	}
	return hash, err
}

// gitTree is a tree of a git repository. It lives for one reading, and so does
// its context.
type gitTree struct {
	ctx  context.Context // io/fs has no place for one
	git  *git
	tree string
}

// lookup asks for one name: what else is in the tree does not matter, however
// much it is.
func (t *gitTree) lookup(name string) (entry, error) {
	e, _, err := t.find(name)
	return e, err
}

func (t *gitTree) find(name string) (entry, string, error) {
	if name == "." {
		return entry{mode: fs.ModeDir}, t.tree, nil
	}
	out, err := t.git.run(t.ctx, nil, "ls-tree", "-l", "-z", t.tree, "--", name)
	if err != nil {
		return entry{}, "", err
	}
	head, file, found := strings.Cut(strings.TrimSuffix(string(out), "\x00"), "\t")
	fields := strings.Fields(head)
	if !found || file != name || len(fields) != 4 {
		return entry{}, "", fs.ErrNotExist
	}
	size, _ := strconv.ParseInt(fields[3], 10, 64) // "-" for what is no file
	return entry{gitMode(fields[0]), size}, fields[2], nil
}

func gitMode(mode string) fs.FileMode {
	switch mode {
	case "100644", "100755", "100664":
		return 0
	case "040000":
		return fs.ModeDir
	case "120000":
		return fs.ModeSymlink
	}
	return fs.ModeIrregular // a submodule
}

func (t *gitTree) read(name string) ([]byte, error) {
	e, hash, err := t.find(name)
	if err != nil {
		return nil, err
	}
	if e.size > contract.MaxFileSize {
		return nil, fmt.Errorf("it is larger than %v", contract.Bytes(contract.MaxFileSize))
	}
	return t.git.run(t.ctx, nil, "cat-file", "blob", hash)
}
