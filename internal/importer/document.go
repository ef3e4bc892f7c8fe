package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/diag"
)

// What a file may be at most.
const (
	MaxDocument = 1 << 20  // bytes of one document
	MaxFile     = 64 << 20 // bytes of a file with many of them
	MaxDepth    = 64       // mappings and lists within each other
	maxMarks    = 200_000  // what keys and values of a document cost memory by
	maxFaults   = 50       // problems told of one file
)

var errDeep = fmt.Errorf("it is nested deeper than %d levels", MaxDepth)

// depthLimit stops the parser before deep nesting costs anything.
type depthLimit struct{}

func (depthLimit) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > MaxDepth {
		return errDeep
	}
	return nil
}

func (depthLimit) CheckAlias(int, int) error { return nil }

// A reader reads the documents of a file and collects what is wrong with them.
type reader struct {
	file string
	line int // before the document in hand
	list diag.List
}

func (r *reader) fault(code diag.Code, at *yaml.Node, format string, args ...any) {
	if len(r.list) >= maxFaults {
		return
	}
	pos := diag.Position{File: r.file, Line: r.line + 1}
	if at != nil && at.Line > 0 {
		pos.Line, pos.Column = r.line+at.Line, at.Column
	}
	r.list.Add(diag.New(code, format, args...).At(pos))
}

// documents yields the file's documents as far as they can be read. What
// cannot be is told, and the next one is looked at.
func (r *reader) documents(data []byte) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if len(data) > MaxFile {
			r.fault(diag.ImportTooLarge, nil, "the file is larger than %d MiB", MaxFile>>20)
			return
		}
		for line, part := range split(data) {
			r.line = line
			if root := r.document(part); root != nil && !yield(root) {
				return
			}
		}
	}
}

// split cuts a stream at the lines that begin a document. In YAML three dashes
// at the start of a line are such a mark wherever they stand.
func split(data []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		begin, from, line := 0, 0, 0
		for at := 0; at < len(data); {
			end := len(data)
			if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
				end = at + n + 1
			}
			if at > begin && mark(data[at:end]) {
				if !yield(from, data[begin:at]) {
					return
				}
				begin, from = at, line
			}
			at, line = end, line+1
		}
		yield(from, data[begin:])
	}
}

func mark(line []byte) bool {
	rest, dashes := bytes.CutPrefix(line, []byte("---"))
	return dashes && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// document reads one document; nil if there is none, or none that is sound.
func (r *reader) document(data []byte) *yaml.Node {
	switch {
	case len(data) > MaxDocument:
		r.fault(diag.ImportTooLarge, nil, "the document is larger than %d KiB", MaxDocument>>10)
		return nil
	case marks(data) > maxMarks:
		r.fault(diag.ImportTooLarge, nil, "the document has more than %d marks such as line ends, colons and commas", maxMarks)
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(depthLimit{}))
	if err != nil {
		r.fault(diag.ImportSyntax, nil, "%v", err)
		return nil
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil // nothing but comments
	case err != nil:
		r.syntax(err)
		return nil
	}
	if err := loader.Load(&second); err == nil {
		r.fault(diag.ImportSyntax, &second, "another document begins without three dashes")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	if len(doc.Content) != 1 || empty(doc.Content[0]) {
		return nil
	}
	if before := len(r.list); !r.sound(doc.Content[0]) || len(r.list) > before {
		return nil
	}
	return doc.Content[0]
}

func (r *reader) syntax(err error) {
	at, message := &yaml.Node{}, err.Error()
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		at.Line, at.Column, message = le.Mark.Line, le.Mark.Column, le.Message
	}
	if errors.Is(err, errDeep) || bytes.Contains([]byte(err.Error()), []byte(errDeep.Error())) {
		r.fault(diag.ImportTooLarge, at, "%v", errDeep)
		return
	}
	r.fault(diag.ImportSyntax, at, "%s", message)
}

// marks counts what may begin or end a key or a value.
func marks(data []byte) int {
	var n int
	for _, c := range data {
		switch c {
		case '\n', '\r', ',', ':', '[', ']', '{', '}', '"', '\'':
			n++
		}
	}
	return n
}

func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0
}

// sound refuses what resources have no use for and attackers have.
func (r *reader) sound(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		r.fault(diag.ImportSyntax, n, "*%s is an alias; write the value itself", n.Value)
		return false
	case n.Anchor != "":
		r.fault(diag.ImportSyntax, n, "&%s is an anchor; write the value where it is used", n.Anchor)
		return false
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(diag.ImportSyntax, n, "%s is a tag; remove it", n.Tag)
		return false
	}
	if n.Kind == yaml.MappingNode && !r.keys(n) {
		return false
	}
	for _, c := range n.Content {
		if !r.sound(c) {
			return false
		}
	}
	return true
}

func (r *reader) keys(n *yaml.Node) bool {
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode:
			r.fault(diag.ImportSyntax, k, "a key is one word")
			return false
		case k.Value == "<<" && k.Style == 0:
			r.fault(diag.ImportSyntax, k, "<< is a merge key; write the values where they are used")
			return false
		case seen[k.Value]:
			r.fault(diag.ImportSyntax, k, "%s is here twice", k.Value)
			return false
		}
		seen[k.Value] = true
	}
	return true
}
