//go:build kafka

package dev_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
)

// asSupervisor makes the test binary run the instance of a cache in a directory
// until SIGTERM, as slipway dev up does.
const asSupervisor = "DEV_TEST_SUPERVISE"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == asSupervisor {
		if err := supervise(dev.Config{Cache: os.Args[2], Dir: os.Args[3]}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	devtest.Main(m)
}

func supervise(cfg dev.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c, err := dev.Up(ctx, cfg)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return c.Close()
}

func TestInstanceOutlivesItsSupervisors(t *testing.T) {
	devtest.Require(t, requirements(t))
	cfg := dev.Config{Cache: freshCache(t), Dir: filepath.Join(t.TempDir(), "instance"), Report: func(line string) { t.Log(line) }}
	const topic = "dev.kept.v1"

	// A supervisor in the background, and nobody beside it.
	command := []string{os.Args[0], asSupervisor, cfg.Cache, cfg.Dir}
	first, err := dev.Detach(t.Context(), cfg, command)
	devtest.Require(t, err)
	t.Cleanup(func() { syscall.Kill(first.PID, syscall.SIGKILL) })
	if !first.Running || !first.Ready || !first.Registry.Answers {
		t.Errorf("Detach returned %+v, want an instance that is ready", first)
	}
	for _, n := range first.Nodes {
		if !n.MTLS.Answers || n.PID == 0 {
			t.Errorf("node %+v does not answer", n)
		}
	}
	_, err = dev.Up(t.Context(), cfg)
	check(t, err, diag.DevRunning, fmt.Sprintf("process %d", first.PID))
	register(t, first.Registry.Address)

	// kill -9 takes every process along and leaves no lock behind.
	syscall.Kill(first.PID, syscall.SIGKILL)
	awaitGone(t, first)
	in, err := dev.Status(t.Context(), cfg)
	for tries := 0; err == nil && in.Running && tries < 100; tries++ { // the lock goes with the last process that had it
		<-time.After(100 * time.Millisecond)
		in, err = dev.Status(t.Context(), cfg)
	}
	if err != nil || in.Running {
		t.Errorf("Status() = %+v, %v after kill -9, want it not to run", in, err)
	}

	// The next run has the same id, the same addresses and the same data.
	c, err := dev.Up(t.Context(), cfg)
	devtest.Require(t, err)
	t.Cleanup(func() { c.Close() })
	if c.ID() != first.ClusterID || c.MTLS() != first.MTLS || c.Registry() != first.Registry.Address {
		t.Errorf("after the restart %s at %s and %s, before %+v", c.ID(), c.MTLS(), c.Registry(), first)
	}
	if got := subjects(t, c.Registry()); !strings.Contains(got, "kept-value") {
		t.Errorf("subjects = %s, want the one registered before the kill", got)
	}
	createTopic(t, c, topic)
	if err := produce(t, client(t, c.Admin()), topic, "kept"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("closed in %.1f s", time.Since(began).Seconds())
	kept, _ := filepath.Glob(filepath.Join(cfg.Cache, "*.jsa"))
	if len(kept) != 2 {
		t.Fatalf("after an end in order the cache has the classes %q, want those of Kafka and of the registry", kept)
	}

	// Down ends what Detach began; what was written in between is there.
	second, err := dev.Detach(t.Context(), cfg, command)
	devtest.Require(t, err)
	t.Cleanup(func() { syscall.Kill(second.PID, syscall.SIGKILL) })
	if second.ClusterID != first.ClusterID {
		t.Errorf("cluster id = %s, want %s", second.ClusterID, first.ClusterID)
	}
	for _, n := range second.Nodes {
		if !slices.ContainsFunc(kept, func(file string) bool { return usesClasses(n.PID, file) }) {
			t.Errorf("node %d has loaded its classes itself", n.ID)
		}
	}
	if got := readAll(t, c, topic, 1); !got["kept"] {
		t.Error("the record written before the restart is gone")
	}
	if err := dev.Down(t.Context(), cfg); err != nil {
		t.Error(err)
	}
	awaitGone(t, second)
	check(t, dev.Down(t.Context(), cfg), diag.DevNotRunning)
}

// freshCache has what was fetched, and none of the classes that were kept.
func freshCache(t *testing.T) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	for _, pattern := range []string{"kafka-*", "apicurio-*"} {
		found, _ := filepath.Glob(filepath.Join(base, "slipway", pattern))
		for _, dir := range found {
			if filepath.Ext(dir) == ".jsa" {
				continue
			}
			if err := os.Symlink(dir, filepath.Join(cache, filepath.Base(dir))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cache
}

// usesClasses reports whether a process has a file of classes in memory, which
// Linux tells.
func usesClasses(pid int, file string) bool {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	return strings.Contains(string(maps), file) || errors.Is(err, os.ErrNotExist)
}

// requirements fetches Kafka, or tells what is missing, by a start that cannot
// succeed: its time is over before it begins.
func requirements(t *testing.T) error {
	t.Helper()
	_, err := dev.Up(t.Context(), dev.Config{Dir: filepath.Join(t.TempDir(), "none"), StartTimeout: 1})
	if errors.Is(err, diag.DevJava) || errors.Is(err, diag.DevJavaOld) || errors.Is(err, diag.DevMaven) {
		return err
	}
	return nil
}

// awaitGone fails if a process of the instance still lives after a while. A
// zombie, which nobody has waited for, is dead.
func awaitGone(t *testing.T, in dev.Instance) {
	t.Helper()
	pids := []int{in.PID}
	for _, n := range in.Nodes {
		pids = append(pids, n.PID)
	}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range pids {
		for alive(pid) {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("process %d still lives", pid)
			}
		}
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
