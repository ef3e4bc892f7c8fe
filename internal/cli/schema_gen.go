package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/typegen"
)

type schemaGenArgs struct {
	dir, service string
	out, pkg     string
	check        bool
	timeout      time.Duration
}

func newSchemaGenCommand(a *app) *cobra.Command {
	var args schemaGenArgs
	c := &cobra.Command{
		Use:   "gen [DIR]",
		Short: "Write the Go types and handles of a contract",
		Long: `Writes a Go package for one contract of DIR: a type for each record, object and
enum of its schemas, an interface with a method for each entry it consumes, Mount
to register them, and a struct with a producer for each topic it produces. The
same contract gives the same bytes. An entry that has no schema of its own is read
with the owner's, so DIR is the estate and not the service alone.

A union with null and a property that may be missing become pointers, timestamps
time.Time, decimals *big.Rat, a choice between types any. Types for Protobuf are
written by protoc-gen-go, which is run with "go run" in the version of
google.golang.org/protobuf that the module around --out requires.

The package is written to gen/SERVICE beside the contract unless --out names
another directory. A file that was not generated is never overwritten. --check
writes nothing and exits 2 if a file is not what the contract leads to.

To have it follow the contract, put this into a Go file of the service:

  //go:generate slipway schema gen .. --service inventory --out gen/inventory`,
		Example: `  slipway schema gen --service inventory
  slipway schema gen estate --service inventory --out internal/event --package event
  slipway schema gen --service inventory --check      in a pipeline`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runSchemaGen(ctx, a, args) })
		},
	}
	c.Flags().StringVar(&args.service, "service", "", "the service; may be left out if there is only one")
	c.Flags().StringVar(&args.out, "out", "", "the directory to write to")
	c.Flags().StringVar(&args.pkg, "package", "", "the name of the package; that of the directory if left out")
	c.Flags().BoolVar(&args.check, "check", false, "write nothing; exit 2 if a file is not what it would be")
	timeoutFlag(c, &args.timeout, planTimeout)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runSchemaGen(ctx context.Context, a *app, args schemaGenArgs) error {
	w, err := a.open(args.dir)
	if err != nil {
		return err
	}
	estate, err := a.valid(w)
	if err != nil {
		return err
	}
	svc, err := generated(estate, args.service)
	if err != nil {
		return err
	}
	if args.out == "" {
		args.out = filepath.Join(args.dir, filepath.FromSlash(svc.Dir()), "gen", packageName(svc.Name))
	}
	if args.pkg == "" {
		args.pkg = packageName(filepath.Base(absolute(args.out)))
	}
	files, err := generate(ctx, estate, svc, args)
	if err != nil {
		return err
	}
	got := view.Generation{Service: svc.Name, Dir: filepath.ToSlash(args.out), Package: args.pkg, Check: args.check}
	if args.check {
		return a.compare(got, files)
	}
	if got.Files, err = writeGenerated(args.out, files); err != nil {
		return err
	}
	return a.view.Generation(got)
}

// absolute is a directory's whole name, so that "." has one.
func absolute(dir string) string {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	return whole
}

// generated is the service that is meant.
func generated(e *contract.Estate, name string) (*contract.Service, error) {
	var names []string
	for _, s := range e.Services {
		if s.Name == name || name == "" && len(e.Services) == 1 {
			return s, nil
		}
		names = append(names, s.Name)
	}
	d := diag.New(diag.GenerateNoService, "which service is meant is not clear").WithEvidence("services: %s", strings.Join(names, ", "))
	if name != "" {
		d.Message = fmt.Sprintf("there is no service %q", name)
		if near := nearest(name, names); near != "" {
			d = d.WithFix("did you mean %s?", near)
		}
	}
	return nil, d
}

// packageName makes a package's name of a service's or a directory's.
func packageName(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(name))
}

func generate(ctx context.Context, e *contract.Estate, svc *contract.Service, args schemaGenArgs) (map[string][]byte, error) {
	c, err := typegen.From(e, svc)
	if err != nil {
		return nil, err
	}
	files, err := typegen.Generate(args.pkg, c)
	if err != nil {
		return nil, err
	}
	request, err := typegen.Request(args.pkg, c)
	if err != nil || request == nil {
		return files, err
	}
	messages, err := protocGenGo(ctx, existing(args.out), request)
	if err != nil {
		return nil, err
	}
	maps.Copy(files, messages)
	return files, nil
}

// existing is a directory, or the nearest one around it that is there.
func existing(dir string) string {
	dir = absolute(dir)
	for !isDirectory(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	return dir
}

// protocGenGo runs Go's generator for Protobuf in the version of the module
// around a directory.
func protocGenGo(ctx context.Context, dir string, request []byte) (map[string][]byte, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "run", "google.golang.org/protobuf/cmd/protoc-gen-go")
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, bytes.NewReader(request), &out, &errs
	if err := cmd.Run(); err != nil {
		d := diag.New(diag.GenerateTool, "run protoc-gen-go in %s: %v", dir, err)
		for line := range strings.Lines(errs.String()) {
			d = d.WithEvidence("%s", strings.TrimSpace(line))
		}
		return nil, d
	}
	files, err := typegen.Response(out.Bytes())
	if err != nil {
		return nil, diag.New(diag.GenerateTool, "%v", err)
	}
	return files, nil
}

// states compares files with what a directory holds. What was generated and is
// called for no more is surplus.
func states(dir string, files map[string][]byte) ([]view.GeneratedFile, error) {
	var all []view.GeneratedFile
	names := slices.Sorted(maps.Keys(files))
	if files[typegen.TypesFile] == nil {
		names = append(names, typegen.TypesFile)
	}
	for _, name := range names {
		file := view.GeneratedFile{Name: filepath.ToSlash(filepath.Join(dir, name)), State: "stale"}
		is, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist) && files[name] == nil:
			continue
		case errors.Is(err, fs.ErrNotExist):
			file.State = "missing"
		case err != nil:
			return nil, diag.New(diag.CommandFailed, "read %s: %v", file.Name, err)
		case files[name] == nil:
			file.State = "surplus"
		case bytes.Equal(is, files[name]):
			file.State = "unchanged"
		}
		if err == nil && !isGenerated(is) {
			return nil, diag.New(diag.GenerateForeign, "%s is there and was not generated", file.Name)
		}
		all = append(all, file)
	}
	return all, nil
}

// isGenerated reports whether a file begins as generated ones do.
func isGenerated(text []byte) bool {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.HasPrefix(first, []byte("// Code generated ")) && bytes.HasSuffix(bytes.TrimSpace(first), []byte("DO NOT EDIT."))
}

// compare tells which files are not what they would be.
func (a *app) compare(got view.Generation, files map[string][]byte) error {
	var err error
	if got.Files, err = states(got.Dir, files); err != nil {
		return err
	}
	if err := a.view.Generation(got); err != nil {
		return err
	}
	var stale diag.List
	for _, f := range got.Files {
		if f.State != "unchanged" {
			stale.Add(diag.New(diag.GenerateStale, "%s is %s", f.Name, f.State))
		}
	}
	if len(stale) == 0 {
		return nil
	}
	a.view.Problems(stale)
	return errFindings
}

// writeGenerated writes what is not as it should be, all or, if a file is in the
// way, nothing.
func writeGenerated(dir string, files map[string][]byte) ([]view.GeneratedFile, error) {
	all, err := states(dir, files)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // source code, readable as the umask has it
		return nil, diag.New(diag.CommandFailed, "make directory %s: %v", dir, err)
	}
	for i, f := range all {
		name := filepath.Base(f.Name)
		switch f.State {
		case "unchanged":
			continue
		case "surplus":
			all[i].State, err = "removed", os.Remove(filepath.Join(dir, name))
		default:
			all[i].State, err = "written", os.WriteFile(filepath.Join(dir, name), files[name], 0o644) //nolint:gosec // the same
		}
		if err != nil {
			return nil, diag.New(diag.CommandFailed, "write %s: %v", f.Name, err)
		}
	}
	return all, nil
}
