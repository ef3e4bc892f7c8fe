package share

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// What a bundle may be at most. A contract names far fewer files, each of at
// most [contract.MaxFileSize].
const (
	maxFiles  = 1000
	maxBundle = 32 << 20 // bytes of all files
)

// A Bundle is a valid contract with the files it names: what is published.
type Bundle struct {
	Service *contract.Service

	files map[string][]byte // by name, relative to the contract's directory
}

// Read reads the bundle of the contract in a directory. The list says what is
// wrong with the contract, alone and in each of its environments; with an error
// there is no bundle.
func Read(fsys fs.FS, dir string) (*Bundle, diag.List) {
	file := path.Join(dir, contract.ServiceFile)
	s, list := contract.Parse(fsys, file)
	if s == nil || list.Failed() {
		return nil, list
	}
	list = append(list, overlays(s)...)
	if list.Failed() {
		return nil, list
	}
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		list.Add(diag.New(diag.ContractUnreadable, "read %s: %v", file, err).At(diag.Position{File: file}))
		return nil, list
	}
	files := map[string][]byte{contract.ServiceFile: text}
	for name, content := range s.Files() {
		files[name] = []byte(content)
	}
	b, err := newBundle(files)
	if err != nil { // it changed meanwhile
		list.Add(diag.New(diag.ContractUnreadable, "read %s: %v", file, err).At(diag.Position{File: file}))
	}
	return b, list
}

func overlays(s *contract.Service) diag.List {
	var list diag.List
	for _, env := range s.Environments {
		_, faults := s.In(env)
		list = append(list, faults...)
	}
	return list
}

// newBundle makes a bundle of files from anywhere. They are one only if their
// contract is valid and names exactly the others.
func newBundle(files map[string][]byte) (*Bundle, error) {
	if err := checkFiles(files); err != nil {
		return nil, err
	}
	s, list := contract.Parse(treeFS{memory(files)}, contract.ServiceFile)
	if s != nil && !list.Failed() {
		list = append(list, overlays(s)...)
	}
	if s == nil || list.Failed() {
		return nil, &invalidError{list}
	}
	named := map[string]bool{contract.ServiceFile: true}
	for name := range s.Files() {
		named[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !named[name] {
			return nil, fmt.Errorf("the contract does not name the file %.100q", name)
		}
	}
	return &Bundle{Service: s, files: files}, nil
}

// checkFiles refuses what is not a set of files that a directory can hold.
func checkFiles(files map[string][]byte) error {
	if files[contract.ServiceFile] == nil {
		return errors.New("there is no " + contract.ServiceFile + " in it")
	}
	folded := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := checkName(name); err != nil {
			return fmt.Errorf("the file name %.100q %w", name, err)
		}
		if other, twice := folded[strings.ToLower(name)]; twice {
			return fmt.Errorf("some systems cannot tell %.100q from %.100q", name, other)
		}
		folded[strings.ToLower(name)] = name
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, file := files[dir]; file {
				return fmt.Errorf("%.100q is a file and a directory", dir)
			}
		}
	}
	return nil
}

// names are the bundle's files, sorted.
func (b *Bundle) names() []string { return slices.Sorted(maps.Keys(b.files)) }

// An invalidError is a contract from elsewhere with what is wrong with it. The
// places are those of a file that nobody here can open, so they are evidence.
type invalidError struct{ list diag.List }

func (e *invalidError) Error() string { return "its contract is not valid" }

// evidence adds what is wrong with the contract inside to a diagnostic.
func evidence(d diag.Diagnostic, err error) diag.Diagnostic {
	var invalid *invalidError
	if !errors.As(err, &invalid) {
		return d
	}
	for _, fault := range invalid.list {
		if fault.Severity == diag.Error && len(d.Evidence) < 5 {
			d = d.WithEvidence("%s", fault.Error())
		}
	}
	return d
}

// memory is a tree of files that are here already.
type memory map[string][]byte

func (m memory) lookup(name string) (entry, error) {
	if data, ok := m[name]; ok {
		return entry{size: int64(len(data))}, nil
	}
	for file := range m {
		if name == "." || strings.HasPrefix(file, name+"/") {
			return entry{mode: fs.ModeDir}, nil
		}
	}
	return entry{}, fs.ErrNotExist
}

func (m memory) read(name string) ([]byte, error) { return bytes.Clone(m[name]), nil }
