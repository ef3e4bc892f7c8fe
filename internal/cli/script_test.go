package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/cli"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"slipway": func() {
		os.Exit(cli.Run(cli.Process{
			Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Environ: os.Environ(), Exit: os.Exit,
		}))
	}})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode": exitCode,
			"cluster":  startCluster,
			"mode":     mode,
			"same":     same,
			"canary":   canary,
			"hold":     hold,
			"letters":  writeLetters,
			"acls":     makeACLs,
			"registry": startRegistry,
			"workers":  startWorkers,
			"sagas":    writeSagas,
		},
		Setup: func(e *testscript.Env) error {
			checkout, err := filepath.Abs(filepath.Join("..", ".."))
			e.Setenv("CHECKOUT", checkout)
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, ".cache"))
			e.Setenv("PORT", freePort())
			e.Setenv("BIN", filepath.Dir(lookPath(e, "slipway"))) // without Java, Go and the rest
			for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
				e.Setenv(name, goenv(name))
			}
			return err
		},
	})
}

// lookPath finds a program where the script would.
func lookPath(e *testscript.Env, name string) string {
	for _, dir := range filepath.SplitList(e.Getenv("PATH")) {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
	}
	panic(name + " is not in the script's PATH")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// freePort is a port that nobody listens on at the moment.
func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

func goenv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
}

// exitCode runs a command that must end with a status: exitcode N CMD ARGS…
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// startCluster runs a secured cluster for as long as the script, and makes it
// the cluster kafka-test of the environment prod: cluster DIR [ID]. The ID
// takes the place of the pinned one.
func startCluster(ts *testscript.TestScript, _ bool, args []string) {
	c, err := embedded.Start(context.Background(), embedded.Config{})
	ts.Check(err)
	ts.Defer(func() { _ = c.Close() })
	id := clusterID(ts, c)
	ts.Setenv("CLUSTER_ID", id)
	if len(args) > 1 {
		id = args[1]
	}
	dir := ts.MkAbs(args[0])
	write := func(file, text string) string {
		ts.Check(os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	write(filepath.Join(dir, "ca.crt"), string(c.CA()))
	write(filepath.Join(dir, contract.ClustersFile), fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka-test:
    id: %s
    bootstrap: {scram: "%s"}
    ca: {file: ca.crt}
    registry: {url: "%s", auth: basic}
    defaults: {replicas: 3, min.insync.replicas: 2}
environments:
  prod: {default: kafka-test}
`, id, strings.Join(c.Bootstrap(), ","), c.Registry().URL))
	ts.Setenv("SLIPWAY_SASL_USER", c.Admin().User)
	ts.Setenv("SLIPWAY_SASL_PASSWORD_FILE", write(ts.MkAbs("admin.password"), c.Admin().Password+"\n"))
	ts.Setenv("SLIPWAY_REGISTRY_AUTH_FILE", write(ts.MkAbs("registry.auth"), c.Registry().Admin+"\n"))
	ts.Setenv("ADMIN_PASSWORD", c.Admin().Password)
	_, registryPassword, _ := strings.Cut(c.Registry().Admin, ":")
	ts.Setenv("REGISTRY_PASSWORD", registryPassword)
}

func clusterID(ts *testscript.TestScript, c *embedded.Cluster) string {
	login := c.Admin()
	k, err := kafka.Connect(context.Background(), kafka.Config{
		Bootstrap: strings.Join(c.Bootstrap(), ","), Auth: contract.SCRAMSHA512, TLS: c.TLS(),
		User: login.User, Password: auth.Static(secret.New(login.Password)),
	})
	ts.Check(err)
	defer k.Close()
	return k.ID()
}

// canary requires that what a file holds was not printed by the last command:
// canary FILE
func canary(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.TrimSpace(ts.ReadFile(args[0]))
	if text == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(stream), text) {
			ts.Fatalf("%s shows what is in %s", stream, args[0])
		}
	}
}

// hold takes the lock of an instance of dev as a process that runs it would,
// until that process is told to end: hold NAME
func hold(ts *testscript.TestScript, _ bool, args []string) {
	dir := filepath.Join(ts.Getenv("XDG_CACHE_HOME"), "slipway", "dev", args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	lock, err := os.Create(filepath.Join(dir, "lock"))
	ts.Check(err)
	ts.Check(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	supervisor := exec.Command("sleep", "600")
	ts.Check(supervisor.Start())
	ended := make(chan struct{})
	go func() {
		_ = supervisor.Wait() // a signal ends it
		_ = lock.Close()
		close(ended)
	}()
	ts.Defer(func() {
		_ = supervisor.Process.Kill()
		<-ended
	})
	_, err = fmt.Fprintln(lock, supervisor.Process.Pid)
	ts.Check(err)
}

// mode requires permissions: mode 0600 FILE
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("mode of %s is %s, want %s", args[1], got, args[0])
	}
}

// same runs a command twice and requires the same bytes: same CMD ARGS…
func same(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec(args[0], args[1:]...))
	first := ts.ReadFile("stdout")
	ts.Check(ts.Exec(args[0], args[1:]...))
	if second := ts.ReadFile("stdout"); first != second {
		ts.Fatalf("%s gave other bytes the second time:\n%s\n%s", args[0], first, second)
	}
}
