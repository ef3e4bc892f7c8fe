package contract

import (
	"bytes"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// A Tree is a YAML file read as strictly as a contract, for packages that have
// keys of their own: one document, plain UTF-8, no anchors, tags and repeated
// keys. It is never changed once read.
type Tree struct {
	Key      string        // in the mapping around it; empty for the file and for items of a list
	KeyAt    diag.Position // where the key is
	At       diag.Position // where the value is
	Kind     TreeKind
	Text     string  // of a scalar
	Children []*Tree // of a mapping or a list, in the order of the file
}

// A TreeKind is what a value is, by the rules of YAML 1.2: yes and NO are text.
// It reads as the rest of a sentence: this is a list.
type TreeKind string

// The kinds.
const (
	TreeNothing TreeKind = TreeKind(nullScalar) // there is no value
	TreeBoolean TreeKind = TreeKind(boolScalar)
	TreeInteger TreeKind = TreeKind(integerScalar)
	TreeDecimal TreeKind = TreeKind(floatScalar)
	TreeText    TreeKind = TreeKind(textScalar)
	TreeList    TreeKind = "a list"
	TreeMapping TreeKind = "a mapping"
)

// ParseTree reads a file as a mapping of keys. The tree is nil if that is not
// what it is, or if there is nothing in it but comments. Unlike those of a
// contract, no fault quotes a value: it may be a secret.
func ParseTree(file string, data []byte) (*Tree, diag.List) {
	if len(data) > MaxFileSize {
		return nil, diag.List{diag.New(diag.ContractTooLarge, "%s: %v", file, errTooLarge).At(diag.Position{File: file}).
			WithFix("remove what does not belong there")}
	}
	if blank(data) {
		return nil, checkText(file, data)
	}
	root, list := parseDocument(file, data)
	for i := range list {
		unquote(&list[i])
	}
	if root == nil || root.kind != mappingNode {
		return nil, list
	}
	return treeOf(file, root), list
}

// Tree is the contract as written, with no environment laid over it, for packages
// that carry what it says elsewhere. It is nil for a service that was not parsed.
func (s *Service) Tree() *Tree {
	if s.source.root == nil {
		return nil
	}
	return treeOf(s.source.file, s.source.root)
}

// blank reports whether a file holds nothing but comments.
func blank(data []byte) bool {
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// unquote takes what a file says out of a fault, and the contract out of its fix.
func unquote(d *diag.Diagnostic) {
	switch {
	case d.Code == diag.ContractAnchor:
		d.Message = "an anchor, an alias or a merge key is here"
		d.Fix = "put a value that begins with & or * in quotes; write out what is used in several places"
	case d.Code == diag.ContractTag:
		d.Message = "a tag is here"
		d.Fix = "put a value that begins with ! in quotes"
	case d.Code == diag.ContractDocuments:
		d.Fix = "remove the line of three dashes and what follows"
	case d.Code == diag.ContractTooLarge:
		d.Fix = "remove what does not belong there"
	case strings.Contains(d.Fix, "apiVersion"):
		d.Fix = "write keys with their values, such as log: {level: debug}"
	}
}

func treeOf(file string, n *node) *Tree {
	at := func(p place) diag.Position { return diag.Position{File: file, Line: p.line, Column: p.column} }
	t := &Tree{At: at(n.at), Kind: TreeKind(n.describe()), Text: n.text}
	for _, e := range n.entries {
		child := treeOf(file, e.value)
		child.Key, child.KeyAt = e.key, at(e.at)
		t.Children = append(t.Children, child)
	}
	for _, item := range n.items {
		t.Children = append(t.Children, treeOf(file, item))
	}
	return t
}

// Nearest is the known word that a misspelt one most likely means, or nothing
// if none is close.
func Nearest(word string, known []string) string { return nearest(word, known) }
