package up

import (
	"context"
	"errors"
	"go/build"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// A program is a service's main package.
type program struct {
	service *contract.Service
	dir     string // its source
	config  bool   // it embeds the configuration beside the contract
	path    string // the executable, once it is built
}

// programs returns the services that have a program, and a warning for each
// that has none: a contract may stand for a service whose code is elsewhere. So
// is one warned of that has left its configuration out.
// A package that cannot be read is left to the compiler, which says it better.
func programs(root, bin string, services []*contract.Service) ([]program, diag.List) {
	var all []program
	var warnings diag.List
	for _, svc := range services {
		dir := filepath.Join(root, filepath.FromSlash(svc.Dir()))
		pkg, err := build.ImportDir(dir, 0)
		_, none := errors.AsType[*build.NoGoError](err)
		switch {
		case none:
			warnings.Add(diag.Warn(diag.UpNoProgram, "%s has a contract and no Go code beside it, so it is not started", svc.Name).
				At(diag.Position{File: svc.File()}))
		case err == nil && pkg.Name != "main":
			warnings.Add(diag.Warn(diag.UpNoProgram, "%s is not started: beside its contract is package %s, not main", svc.Name, pkg.Name).
				At(diag.Position{File: svc.File()}))
		default:
			p := program{service: svc, dir: dir, config: embedsConfig(pkg.EmbedPatterns), path: filepath.Join(bin, svc.Name)}
			files, _ := filepath.Glob(filepath.Join(dir, configDir, "*.yaml")) // fails for no directory
			if len(files) > 0 && len(pkg.EmbedPatterns) > 0 && !p.config {
				warnings.Add(diag.Warn(diag.UpConfigLost, "the program of %s does not embed %s/, so nothing there counts", svc.Name, configDir).
					At(diag.Position{File: svc.File()}))
			}
			all = append(all, p)
		}
	}
	return all, warnings
}

// embedsConfig reports whether one of the patterns is of the directory config.
func embedsConfig(patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		first, _, _ := strings.Cut(strings.TrimPrefix(p, "all:"), "/")
		matches, err := path.Match(first, configDir)
		return err == nil && matches
	})
}

// A builder compiles programs, as many at a time as there are cores.
type builder struct {
	environ []string
	observe func(Event)
}

// build compiles all programs and returns every one's faults.
func (b builder) build(ctx context.Context, all []program) error {
	if len(all) == 0 {
		return nil
	}
	compiler, err := lookPath("go", b.environ)
	if err != nil {
		return diag.New(diag.UpNoGo, "find the go command: %v", err)
	}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	faults := make([]error, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			faults[i] = b.one(ctx, compiler, p)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(faults...)
}

func (b builder) one(ctx context.Context, compiler string, p program) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	began := time.Now()
	var said tail
	err := proc.Run(ctx, proc.Config{
		Path: compiler,
		Args: []string{"build", "-buildvcs=false", "-o", p.path, "."}, // a run needs no commit in its programs
		Dir:  p.dir,
		// A go.work above the estate would take the service out of its module.
		Env:    append(slices.Clip(b.environ), "GOWORK=off"),
		Output: func(line string) { said.first(line) },
	}, 0)
	if err != nil {
		return compileFault(p.service, said.lines, err)
	}
	b.observe(Built{Service: p.service.Name, Took: time.Since(began)})
	return nil
}

// compileFault shows the compiler's words with paths that are relative to the
// estate, as the rest of Slipway's messages have them.
func compileFault(svc *contract.Service, lines []string, err error) error {
	d := diag.New(diag.UpBuild, "%s does not compile: %v", svc.Name, err).At(diag.Position{File: svc.File()})
	if _, ran := errors.AsType[*exec.ExitError](err); ran {
		d.Message = svc.Name + " does not compile"
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "go: downloading ") {
			continue
		}
		if rest, own := strings.CutPrefix(line, "./"); own {
			line = path.Join(svc.Dir(), rest)
		}
		d = d.WithEvidence("%s", spaced(line))
	}
	return d
}
