package dev

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// What is run. Connect and the tools of 4.4.0 are not published, and the three
// must be of one version; Apicurio 3 needs Java 21.
const (
	kafkaVersion    = "4.3.1"
	registryVersion = "2.6.13"

	registryJar  = "apicurio-registry-app-" + registryVersion + ".Final-runner.jar"
	mavenPlugin  = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0"
	fetchTimeout = 10 * time.Minute
)

//go:embed files
var files embed.FS

// An artifact is something that Maven fetches into the cache: once, and whole
// or not at all.
type artifact struct {
	name string   // of its directory in the cache
	pom  string   // in files
	goal []string // Maven's arguments; DIR stands for the directory to fill
	main string   // a file that must be there in the end
}

var (
	kafkaArtifact = artifact{
		name: "kafka-" + kafkaVersion,
		pom:  "kafka.xml",
		goal: []string{mavenPlugin + ":copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=DIR"},
		main: "kafka_2.13-" + kafkaVersion + ".jar",
	}
	registryArtifact = artifact{
		name: "apicurio-" + registryVersion,
		pom:  "registry.xml",
		goal: []string{mavenPlugin + ":unpack", "-Dartifact=io.apicurio:apicurio-registry-app:" + registryVersion + ".Final:tar.gz:all", "-DoutputDirectory=DIR"},
		main: registryJar,
	}
)

func (a artifact) dir(cache string) string { return filepath.Join(cache, a.name) }

func (a artifact) cached(cache string) bool {
	info, err := os.Stat(a.dir(cache))
	return err == nil && info.IsDir()
}

// ensure fetches what is not in the cache yet.
func ensure(ctx context.Context, cfg Config, artifacts ...artifact) error {
	for _, a := range artifacts {
		if a.cached(cfg.Cache) {
			continue
		}
		if err := a.fetch(ctx, cfg); err != nil {
			return err
		}
	}
	return nil
}

func (a artifact) fetch(ctx context.Context, cfg Config) error {
	mvn, err := findMaven(cfg.Getenv)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Cache, 0o700); err != nil {
		return diag.New(diag.DevState, "make the cache: %v", err)
	}
	held, err := acquireInTime(ctx, filepath.Join(cfg.Cache, "fetch.lock"))
	if err != nil {
		return diag.New(diag.DevFetch, "wait for another process that fetches: %v", err)
	}
	defer held.release()
	if a.cached(cfg.Cache) { // the other process was fetching this
		return nil
	}
	cfg.Report(fmt.Sprintf("fetching %s with Maven, once", a.name))
	began := time.Now()
	tmp := filepath.Join(cfg.Cache, ".fetching") // one at a time, under the lock
	if err := errors.Join(os.RemoveAll(tmp), os.Mkdir(tmp, 0o700)); err != nil {
		return diag.New(diag.DevState, "make room in the cache: %v", err)
	}
	defer os.RemoveAll(tmp)
	if err := a.fill(ctx, mvn, tmp); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(tmp, "out"), a.dir(cfg.Cache)); err != nil {
		return diag.New(diag.DevState, "put %s into the cache: %v", a.name, err)
	}
	cfg.Report(fmt.Sprintf("fetched %s in %.1f s", a.name, time.Since(began).Seconds()))
	return nil
}

// fill runs Maven with the checksums of what it downloads enforced.
func (a artifact) fill(ctx context.Context, mvn, tmp string) error {
	pom, err := files.ReadFile("files/" + a.pom)
	if err != nil {
		return err
	}
	pomFile, out := filepath.Join(tmp, "pom.xml"), filepath.Join(tmp, "out")
	if err := os.WriteFile(pomFile, pom, 0o600); err != nil {
		return diag.New(diag.DevState, "write %s: %v", pomFile, err)
	}
	args := []string{"-B", "-q", "--strict-checksums", "-f", pomFile}
	for _, arg := range a.goal {
		args = append(args, strings.ReplaceAll(arg, "DIR", out))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTimeout, fmt.Errorf("no answer within %v", fetchTimeout))
	defer cancel()
	var log strings.Builder
	err = proc.Run(ctx, proc.Config{Path: mvn, Args: args, Dir: tmp, Output: func(line string) {
		if log.Len() < 1<<20 {
			log.WriteString(line + "\n")
		}
	}}, time.Second)
	if err == nil {
		_, err = os.Stat(filepath.Join(out, a.main))
	}
	if err != nil {
		d := diag.New(diag.DevFetch, "fetch %s: %v", a.name, err).WithEvidence("%s %s", mvn, strings.Join(args, " "))
		return withLines(d, log.String())
	}
	return nil
}

// acquireInTime waits for a lock that others hold for a while.
func acquireInTime(ctx context.Context, path string) (*lock, error) {
	for {
		l, err := acquire(path)
		if !errors.Is(err, errLocked) {
			return l, err
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// wait lets d pass, unless ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
