package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// linker drops symbols, debugging information and the build's own id, which
// nothing in production reads.
const linker = "-s -w -buildid="

// lean is the build tag by which grpc-go leaves out its pages for debugging in a
// browser. They bring html/template, which finds methods by name, and for its
// sake the linker would keep every exported method of every type: a service that
// exports by OTLP is 12% smaller without.
const lean = "grpcnotrace"

// maxSaid is how many lines of a compiler are kept.
const maxSaid = 40

// A Compiler compiles a service as an image wants it.
type Compiler struct {
	// Dir is the directory of the package main. Required.
	Dir string

	// Name is what the program is called in messages. Required.
	Name string

	// Environ is the environment to compile in, as os.Environ returns it. It
	// says where Go, its caches and the proxies of modules are. What would
	// change the program is set over it.
	Environ []string

	// Tags are build tags, beside one that keeps the program small.
	Tags []string

	// Version is given to the variable main.version, if the program has one, and
	// to the SDK, so that the service says it of itself.
	Version string
}

// Compile compiles the program for a platform.
func (c Compiler) Compile(ctx context.Context, p Platform) (Program, error) {
	dir, err := os.MkdirTemp("", "slipway-image-")
	if err != nil {
		return Program{}, fmt.Errorf("make a directory for the program: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "program")
	said, err := c.run(ctx, p, "CGO_ENABLED=0", "build", "-trimpath", "-buildvcs=auto", "-tags", c.tags(), "-ldflags", c.flags(), "-o", out, ".")
	if err != nil {
		return Program{}, c.fault(ctx, p, said, err)
	}
	binary, err := os.ReadFile(out)
	if err != nil {
		return Program{}, fmt.Errorf("read the program of %s: %w", c.Name, err)
	}
	return Program{Platform: p, Binary: binary}, nil
}

func (c Compiler) tags() string { return strings.Join(append([]string{lean}, c.Tags...), ",") }

// stamped is the variable of the SDK that holds the version; nothing happens in a
// program that does not link it.
const stamped = "github.com/slipway-go/slipway/telemetry.stamped"

func (c Compiler) flags() string {
	if c.Version == "" {
		return linker
	}
	return linker + " -X main.version=" + c.Version + " -X " + stamped + "=" + c.Version
}

// Zones are the time zones of the Go that compiles, a zip archive.
func (c Compiler) Zones(ctx context.Context) ([]byte, error) {
	said, err := c.run(ctx, Platform{"amd64"}, "CGO_ENABLED=0", "env", "GOROOT")
	if err != nil {
		return nil, c.fault(ctx, Platform{"amd64"}, said, err)
	}
	at := filepath.Join(said[len(said)-1], "lib", "time", "zoneinfo.zip")
	zones, err := os.ReadFile(at)
	if err != nil {
		return nil, diag.New(diag.ImageZones, "%s: %v", at, cause(err))
	}
	return zones, nil
}

// Foreign are the packages of the program that have code in C, apart from Go's
// own. The program is compiled without it.
func (c Compiler) Foreign(ctx context.Context, p Platform) ([]string, error) {
	const format = "{{if and .CgoFiles (not .Standard)}}{{.ImportPath}}{{end}}"
	said, err := c.run(ctx, p, "CGO_ENABLED=1", "list", "-e", "-deps", "-tags", c.tags(), "-f", format, ".")
	if err != nil {
		return nil, c.fault(ctx, p, said, err)
	}
	return slices.DeleteFunc(said, func(line string) bool { return line == "" || strings.HasPrefix(line, "go: downloading ") }), nil
}

// run runs the go command and returns what it said last.
func (c Compiler) run(ctx context.Context, p Platform, cgo string, args ...string) ([]string, error) {
	path, err := c.look("go")
	if err != nil {
		return nil, diag.New(diag.ImageNoGo, "find the go command: %v", err)
	}
	var said []string
	err = proc.Run(ctx, proc.Config{
		Path: path, Args: args, Dir: c.Dir,
		// GOFLAGS is not empty, because the go command would look for it in its
		// own file then. A go.work above would take the service out of its module.
		Env: append(slices.Clip(c.Environ), "GOFLAGS=-trimpath", "GOWORK=off", cgo, "GOOS=linux", "GOARCH="+p.Arch, baselines[p.Arch]),
		Output: func(line string) {
			if len(said) < maxSaid {
				said = append(said, strings.TrimSpace(line))
			}
		},
	}, 0)
	return said, err
}

// look finds a program where the environment has it.
func (c Compiler) look(name string) (string, error) {
	var path string
	for _, v := range c.Environ {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			path = value
		}
	}
	for _, dir := range filepath.SplitList(path) {
		if at := filepath.Join(dir, name); filepath.IsAbs(at) {
			if info, err := os.Stat(at); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return at, nil
			}
		}
	}
	return "", errors.New("it is not in PATH")
}

// fault tells what the go command said.
func (c Compiler) fault(ctx context.Context, p Platform, said []string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(diag.Of(err)) > 0 {
		return err
	}
	if _, ran := errors.AsType[*exec.ExitError](err); !ran {
		return diag.New(diag.ImageNoGo, "run the go command: %v", err)
	}
	d := diag.New(diag.ImageBuild, "%s does not compile for %s", c.Name, p)
	if strings.Contains(strings.Join(said, "\n"), "obtaining VCS status") {
		d = d.WithFix("git refuses to read the checkout, often because it belongs to another user: git config --global --add safe.directory DIR")
	}
	for _, line := range said {
		if line != "" && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "go: downloading ") {
			d = d.WithEvidence("%s", strings.ReplaceAll(line, "\t", " "))
		}
	}
	return d
}
