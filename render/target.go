package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A File is one that a target makes.
type File struct {
	Path    string // relative to the directory it is written to, with slashes
	Content []byte
}

// A Target is one kind of files that follow from contracts.
type Target struct {
	Name    string // what the command line calls it
	Summary string // what it makes, in a line

	// Render makes the files. It is a pure function of its input: it reads
	// neither clock nor network nor disk.
	Render func(Input) ([]File, error)
}

// Input is what a target may know.
type Input struct {
	Estate      *contract.Estate // valid
	Environment string           // one of clusters.yaml

	// Runbooks is the address that runbooks are below, without a slash at its
	// end.
	//
	// Defaults to [DefaultRunbooks].
	Runbooks string
}

// DefaultRunbooks is where the runbooks of this project are to be read.
const DefaultRunbooks = "https://github.com/slipway-go/slipway/blob/main/docs/runbooks"

// Resolve returns the estate in the input's environment.
func (in Input) Resolve() (*contract.Resolved, error) {
	resolved, problems := in.Estate.In(in.Environment)
	return resolved, problems.Err()
}

// Runbook is the address of a runbook.
func (in Input) Runbook(name string) string {
	return strings.TrimSuffix(cmp.Or(in.Runbooks, DefaultRunbooks), "/") + "/" + name + ".md"
}

// Files runs the target and returns its files in order of their paths.
func (t Target) Files(in Input) ([]File, error) {
	files, err := t.Render(in)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i := 1; i < len(files); i++ {
		if files[i].Path == files[i-1].Path {
			panic(fmt.Sprintf("render: target %s makes %s twice", t.Name, files[i].Path))
		}
	}
	return files, nil
}

// Find returns the target of a name.
func Find(targets []Target, name string) (Target, error) {
	for _, t := range targets {
		if t.Name == name {
			return t, nil
		}
	}
	var known []string
	for _, t := range targets {
		known = append(known, t.Name)
	}
	return Target{}, diag.New(diag.RenderTarget, "nothing is rendered for %q", name).
		WithFix("name one of: %s", strings.Join(known, ", "))
}
