package asyncapi

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
)

// A Draft is a contract that was made from a document, with the files it names.
type Draft struct {
	Service string
	Files   []render.File // slipway.yaml first, then the others by name

	// Open are the things that the document does not say and that its owner has
	// to decide, as the head of slipway.yaml lists them. A document of this
	// package's leaves nothing open.
	Open []string
}

// Parse makes a contract from an AsyncAPI document, in YAML or JSON. The list holds
// everything that is wrong with the document; the draft is nil if that has errors.
// Nothing but the document is read: references lead within it.
func Parse(file string, data []byte) (*Draft, diag.List) {
	root, list := contract.ParseTree(file, data)
	r := &reader{root: root, list: list}
	switch {
	case list.Failed():
		return nil, list
	case root == nil:
		r.fault(&contract.Tree{At: diag.Position{File: file}}, diag.AsyncAPIVersion, "the file is not an AsyncAPI document: it is no mapping of keys")
		return nil, r.list
	}
	b := &builder{reader: r, from: map[string]diag.Position{}, files: map[string]*source{}}
	if m := r.model(); m != nil && !r.list.Failed() {
		b.build(m)
	}
	if r.list.Failed() {
		r.list.Sort()
		return nil, r.list
	}
	draft, list := b.draft()
	return draft, append(r.list, list...)
}

// reader walks a document, and collects what is wrong with it.
type reader struct {
	root *contract.Tree
	list diag.List
}

// maxFaults are the problems that are told of one document.
const maxFaults = 100

func (r *reader) fault(at *contract.Tree, code diag.Code, format string, args ...any) {
	if len(r.list) < maxFaults {
		r.list.Add(diag.New(code, format, args...).At(at.At))
	}
}

// mapping is a value that has to be a mapping; nil if there is none, or if it is
// something else, which is a fault.
func (r *reader) mapping(parent *contract.Tree, path ...string) *contract.Tree {
	t := r.resolve(child(parent, path...))
	if t != nil && t.Kind != contract.TreeMapping {
		r.fault(t, diag.AsyncAPIElement, "%s is %s, want a mapping", strings.Join(path, "."), t.Kind)
		return nil
	}
	return t
}

// word is a value that has to be text, or a number or boolean that is taken as
// text; empty if there is none.
func (r *reader) word(parent *contract.Tree, path ...string) string {
	t := r.resolve(child(parent, path...))
	switch {
	case t == nil, t.Kind == contract.TreeNothing:
		return ""
	case t.Kind == contract.TreeMapping, t.Kind == contract.TreeList:
		r.fault(t, diag.AsyncAPIElement, "%s is %s, want text", strings.Join(path, "."), t.Kind)
		return ""
	}
	return t.Text
}

// maxHops are the references that lead to each other.
const maxHops = 32

// resolve follows references to what they lead to; nil, and a fault, if that is
// nowhere.
func (r *reader) resolve(t *contract.Tree) *contract.Tree {
	for range maxHops {
		target, is := reference(t)
		if !is {
			return t
		}
		next := r.find(target)
		if next == nil {
			r.fault(t, diag.AsyncAPIReference, "%s", nowhere(target))
			return nil
		}
		t = next
	}
	r.fault(t, diag.AsyncAPIReference, "the reference leads in a circle")
	return nil
}

func nowhere(target string) string {
	if strings.HasPrefix(target, "#") {
		return target + " is not in the document"
	}
	return target + " is outside of the document"
}

// reference is where a Reference Object leads.
func reference(t *contract.Tree) (target string, is bool) {
	link := child(t, "$ref")
	if link == nil || link.Kind != contract.TreeText {
		return "", false
	}
	return link.Text, true
}

// find is the element at a pointer into the document, or nil.
func (r *reader) find(target string) *contract.Tree {
	if target == "#" {
		return r.root
	}
	rest, within := strings.CutPrefix(target, "#/")
	if !within {
		return nil
	}
	t := r.root
	for step := range strings.SplitSeq(rest, "/") {
		if plain, err := url.PathUnescape(step); err == nil {
			step = plain
		}
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		if list := items(t); list != nil {
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(list) {
				return nil
			}
			t = list[i]
			continue
		}
		if t = child(t, step); t == nil {
			return nil
		}
	}
	return t
}
