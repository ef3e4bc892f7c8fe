package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/slipway-go/slipway/diag"
)

//go:embed files
var templates embed.FS

const (
	modulePath = "github.com/slipway-go/slipway"
	suffix     = ".tmpl"
	goMod      = "go.mod"

	// placeholder is the version of a module that is replaced anyway.
	placeholder = "v0.0.0-00010101000000-000000000000"
)

// A Config says what to write, and where.
type Config struct {
	// Dir is where the service goes. It is made if it does not exist.
	Dir string

	// Name is the service's name.
	//
	// Defaults to the last part of Dir.
	Name string

	// Port is where the service listens.
	//
	// Defaults to 8080.
	Port int

	// Replace is a checkout of Slipway to build against. A go.mod that is
	// written says so; for one that is there a step does.
	Replace string

	// Version is the version of Slipway that a go.mod requires. Empty, or a
	// version that cannot be fetched, leaves it to go get.
	Version string
}

// A Result is what was written and what is left to do.
type Result struct {
	Service string
	Dir     string
	Files   []string // relative to Dir, sorted
	Steps   []string // commands to run next
	Note    string   // what to know before running them; mostly empty
}

// values is what templates know.
type values struct {
	Name, Topic, Namespace string
	Port                   int
	Require, Replace       string
}

// names are those of services: DNS labels of at most 40 characters.
var names = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)

// Write writes a service.
func Write(cfg Config) (Result, error) {
	abs, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return Result{}, directory(cfg.Dir, err)
	}
	if cfg.Name == "" {
		cfg.Name = filepath.Base(abs)
	}
	if !names.MatchString(cfg.Name) {
		return Result{}, diag.New(diag.ContractName, "a service cannot be called %s", cfg.Name).
			WithFix("choose a name of at most 40 lower-case letters, digits and hyphens, with a letter in front: slipway init hello")
	}
	v, err := cfg.values()
	if err != nil {
		return Result{}, err
	}
	module := moduleAbove(abs)
	files, err := render(v, module != nil)
	if err != nil {
		return Result{}, err
	}
	if err := put(cfg.Dir, files); err != nil {
		return Result{}, err
	}
	get, note := obtain(cfg.Version, v, module)
	return Result{Service: cfg.Name, Dir: cfg.Dir, Files: paths(files), Steps: steps(cfg.Dir, get), Note: note}, nil
}

func (c Config) values() (values, error) {
	v := values{Name: c.Name, Topic: c.Name + ".greeted.v1", Namespace: strings.ReplaceAll(c.Name, "-", "_"), Port: c.Port}
	if v.Port == 0 {
		v.Port = 8080
	}
	if c.Replace != "" {
		checkout, err := filepath.Abs(c.Replace)
		if err != nil {
			return values{}, directory(c.Replace, err)
		}
		text, err := os.ReadFile(filepath.Join(checkout, goMod))
		if err != nil || !bytes.HasPrefix(text, []byte("module "+modulePath+"\n")) {
			return values{}, diag.New(diag.CommandDirectory, "%s is no checkout of Slipway", c.Replace).
				WithFix("name the directory of %s, the one with its go.mod, or leave --replace out", modulePath)
		}
		v.Require, v.Replace = placeholder, filepath.ToSlash(checkout)
		return v, nil
	}
	if published(c.Version) {
		v.Require = c.Version
	}
	return v, nil
}

// published reports whether a version can be fetched: not one that was built
// from a checkout, whether or not that had changes.
func published(version string) bool {
	return strings.HasPrefix(version, "v") && !strings.Contains(version, "+") && !strings.HasPrefix(version, "v0.0.0-")
}

// moduleAbove returns the go.mod of the Go module that a directory, which need
// not exist, is inside of; nil if there is none.
func moduleAbove(dir string) []byte {
	for {
		file := filepath.Join(dir, goMod)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			text, _ := os.ReadFile(file) // one that cannot be read says nothing
			return append([]byte{}, text...)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		dir = parent
	}
}

// A file is one to be written.
type file struct {
	path string
	text []byte
}

func render(v values, insideModule bool) ([]file, error) {
	var files []file
	err := fs.WalkDir(templates, "files", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		target := strings.TrimSuffix(strings.TrimPrefix(name, "files/"), suffix)
		if target == goMod && insideModule {
			return nil
		}
		t, err := template.ParseFS(templates, name)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, v); err != nil {
			return err
		}
		files = append(files, file{target, b.Bytes()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("render service: %w", err)
	}
	return files, nil
}

func paths(files []file) []string {
	var all []string
	for _, f := range files {
		all = append(all, f.path)
	}
	slices.Sort(all)
	return all
}

// put writes all files or none.
func put(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // source code, readable as the umask has it
		return directory(dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return directory(dir, err)
	}
	defer root.Close()
	var taken diag.List
	for _, f := range files {
		if _, err := root.Lstat(f.path); !errors.Is(err, fs.ErrNotExist) {
			taken.Add(diag.New(diag.CommandOverwrite, "%s exists already", path.Join(filepath.ToSlash(dir), f.path)))
		}
	}
	if err := taken.Err(); err != nil {
		return err
	}
	for i, f := range files {
		if err := write(root, f); err != nil {
			for _, done := range files[:i] {
				_ = root.Remove(done.path)
			}
			return directory(dir, err)
		}
	}
	return nil
}

func write(root *os.Root, f file) error {
	if err := root.MkdirAll(path.Dir(f.path), 0o755); err != nil {
		return err
	}
	w, err := root.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = w.Write(f.text)
	if err = errors.Join(err, w.Close()); err != nil {
		_ = root.Remove(f.path)
	}
	return err
}

func directory(dir string, err error) error {
	cause := err
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		cause = p.Err
	}
	return diag.New(diag.CommandDirectory, "write to %s: %v", dir, cause)
}

// unreleased is said where go get would not find Slipway.
const unreleased = "This build of slipway is unreleased: go get does not find it. Name a checkout of it for PATH-OF-CHECKOUT; init --replace PATH-OF-CHECKOUT does so at once."

// obtain is the command that makes Slipway known to the module, and what to
// know about it; nothing if the module knows it.
func obtain(version string, v values, module []byte) (command, note string) {
	const replace = "go mod edit -replace=" + modulePath + "="
	switch {
	case module == nil && v.Require != "":
		return "", ""
	case v.Replace != "":
		return replace + quoted(v.Replace), ""
	case published(version):
		return "go get " + modulePath, ""
	case bytes.Contains(module, []byte(modulePath)):
		return "", ""
	}
	return replace + "PATH-OF-CHECKOUT", unreleased
}

// quoted is an argument as a shell takes it whole.
func quoted(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// steps is what the user runs next, from where slipway was run.
func steps(dir, get string) []string {
	var all []string
	if dir = filepath.Clean(dir); dir != "." {
		all = append(all, "cd "+quoted(dir))
	}
	if get != "" {
		all = append(all, get)
	}
	return append(all, "go mod tidy", "go test ./...", "slipway up")
}
