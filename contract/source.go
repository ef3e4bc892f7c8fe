package contract

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// source is where a file came from: what positions, referenced files and the
// hash are told from. Its zero value belongs to values that were not parsed.
type source struct {
	file    string            // path of the file within its fs.FS
	root    *node             // the document as written
	tree    *node             // the document with an environment laid over
	schemas map[string]string // referenced files, by the path in the contract
	config  map[string]string // configuration files beside the contract, by name
	hash    string
	faults  diag.List // what Parse reported
}

// File is the contract's path within the fs.FS it was parsed from.
func (s *Service) File() string { return s.source.file }

// Dir is the directory that the contract's referenced files are relative to,
// within the fs.FS it was parsed from.
func (s *Service) Dir() string { return path.Dir(s.source.file) }

// Hash identifies the contract as written together with the schema files it
// names: the SHA-256 of their bytes, in hex. It is the same whether the
// contract is embedded in a binary or read from the estate, and the same in
// every environment.
func (s *Service) Hash() string { return s.source.hash }

// Position is the place of an element in the contract, such as
// "topics/orders.created.v1/partitions"; the steps may also be given one by
// one, and an index names the item of a list.
// For what an environment changes it is the place in that environment's block,
// for what is absent the place of the nearest element around it.
func (s *Service) Position(element ...string) diag.Position {
	return s.source.position(element...)
}

// SchemaText is the content of a schema file that the contract names, as it
// was when the contract was parsed.
func (s *Service) SchemaText(schema *Schema) (string, error) { return s.source.schemaText(schema) }

// Position is the place of an element in clusters.yaml, such as
// "clusters/kafka-prod/id".
func (c *Clusters) Position(element ...string) diag.Position {
	return c.source.position(element...)
}

// Written reports whether clusters.yaml states an element, given as for
// [Clusters.Position], rather than leaving it to its default.
func (c *Clusters) Written(element ...string) bool { return c.source.written(element...) }

// Position is the place of an element in external.yaml, such as
// "topics/audit.v1".
func (e *External) Position(element ...string) diag.Position {
	return e.source.position(element...)
}

// SchemaText is the content of a schema file that external.yaml names, as it
// was when external.yaml was parsed.
func (e *External) SchemaText(schema *Schema) (string, error) { return e.source.schemaText(schema) }

// Files yields the files that the contract names, with their content as it was
// when the contract was parsed, in order of their names. Names are relative to
// the contract's directory.
func (s *Service) Files() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.source.schemas)) {
			if !yield(name, s.source.schemas[name]) {
				return
			}
		}
	}
}

func (s *source) position(element ...string) diag.Position {
	pos := diag.Position{File: s.file}
	if s.tree == nil {
		return pos
	}
	_, at, _ := s.tree.find(steps(element))
	pos.Line, pos.Column = at.line, at.column
	return pos
}

// written reports whether the file states the element, rather than leaving it
// to its default.
func (s *source) written(element ...string) bool {
	if s.tree == nil {
		return false
	}
	_, _, found := s.tree.find(steps(element))
	return found
}

func steps(element []string) []string { return strings.Split(strings.Join(element, "/"), "/") }

func (s *source) schemaText(schema *Schema) (string, error) {
	text, found := s.schemas[schema.File]
	if !found {
		return "", fmt.Errorf("read schema %s: %w", schema.File, fs.ErrNotExist)
	}
	return text, nil
}

// readSchema keeps a schema file's text and reports why it cannot be read.
func (s *source) readSchema(fsys fs.FS, schema *Schema, element string) diag.List {
	if schema == nil {
		return nil
	}
	list := s.refer(fsys, schema.File, element)
	for _, name := range slices.Sorted(maps.Keys(schema.References)) {
		list = append(list, s.refer(fsys, schema.References[name].File, element+"/references/"+name)...)
	}
	return list
}

// refer keeps the text of a file that an element names.
func (s *source) refer(fsys fs.FS, file, element string) diag.List {
	if file == "" || s.schemas[file] != "" {
		return nil
	}
	data, err := readReferenced(fsys, path.Dir(s.file), file)
	code := diag.ContractFile
	switch {
	case err == nil:
		s.schemas[file] = string(data)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		code = diag.ContractFileMissing
		err = errors.New("it does not exist")
	}
	return diag.List{diag.New(code, "%s: %s cannot be used: %v", element, file, err).At(s.position(element + "/file"))}
}

// readReferenced reads a file that a contract names. Every directory on the
// way is looked at, so that no link leads elsewhere.
func readReferenced(fsys fs.FS, dir, name string) ([]byte, error) {
	if path.IsAbs(name) || strings.Contains(name, `\`) || strings.Contains(name, ":") || !fs.ValidPath(name) || name == "." {
		return nil, errors.New("it is not a relative path without . and .. in it")
	}
	steps := strings.Split(name, "/")
	for i := range steps[:len(steps)-1] {
		info, err := fs.Lstat(fsys, path.Join(dir, path.Join(steps[:i+1]...)))
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("%s is not a directory", path.Join(steps[:i+1]...))
		}
	}
	return readFile(fsys, path.Join(dir, name))
}

// sum hashes the file and what it references. Names and lengths are part of
// it, so that moving text from one file to another shows.
func (s *source) sum(data []byte) {
	h := sha256.New()
	add := func(name string, content []byte) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(name))))
		h.Write([]byte(name))
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(content))))
		h.Write(content)
	}
	add("", data)
	for _, name := range slices.Sorted(maps.Keys(s.schemas)) {
		add(name, []byte(s.schemas[name]))
	}
	s.hash = hex.EncodeToString(h.Sum(nil))
}
