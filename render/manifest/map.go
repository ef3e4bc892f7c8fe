package manifest

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/render"
)

// A Map is a mapping in the order in which it is written.
type Map []Entry

// An Entry is a key with its value and a comment. A value is a string, a bool, an
// int of any size, a float64, a Map, a list of those ([]any, []string, []int or
// []Map), or nil for an entry that is left out.
type Entry struct {
	Key     string
	Value   any
	Comment string // the line's; where it came from and why
}

// E is an entry.
func E(key string, value any) Entry { return Entry{Key: key, Value: value} }

// From says where the value came from, or why it is there: a line, without #.
func (e Entry) From(format string, args ...any) Entry {
	e.Comment = fmt.Sprintf(format, args...)
	return e
}

// If is an entry that is left out unless the condition holds.
func If(condition bool, e Entry) Entry {
	if !condition {
		return Entry{}
	}
	return e
}

// Get is the value at a path of keys, or nil.
func (m Map) Get(path ...string) any {
	for _, e := range m {
		if e.Key != path[0] {
			continue
		}
		if len(path) == 1 {
			return e.Value
		}
		if below, ok := e.Value.(Map); ok {
			return below.Get(path[1:]...)
		}
	}
	return nil
}

// File is an object as a file. The head is a comment above it, of any number of
// lines.
func File(path, head string, objects ...Map) render.File {
	return render.File{Path: path, Content: YAML(head, objects...)}
}

// YAML is a head and objects as one stream of YAML documents.
func YAML(head string, objects ...Map) []byte {
	var b strings.Builder
	for line := range strings.Lines(head) {
		b.WriteString(strings.TrimRight("# "+strings.TrimSuffix(line, "\n"), " ") + "\n")
	}
	for i, o := range objects {
		if i > 0 {
			b.WriteString("---\n")
		}
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(2)
		enc.CompactSeqIndent()
		if err := enc.Encode(node(o)); err != nil {
			panic(fmt.Sprintf("manifest: %v", err)) // a value of a type that no caller may use
		}
		_ = enc.Close()
	}
	return []byte(b.String())
}

func node(v any) *yaml.Node {
	switch v := v.(type) {
	case Map:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, e := range v {
			if e.Key == "" || e.Value == nil {
				continue
			}
			key, value := node(e.Key), node(e.Value)
			if value.Kind == yaml.ScalarNode || len(value.Content) == 0 {
				value.LineComment = comment(e.Comment)
			} else {
				key.HeadComment = comment(e.Comment)
			}
			n.Content = append(n.Content, key, value)
		}
		if len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n
	case []Map:
		return list(v)
	case []any:
		return list(v)
	case []string:
		return list(v)
	case []int:
		return list(v)
	default:
		n := new(yaml.Node)
		if err := n.Encode(v); err != nil {
			panic(fmt.Sprintf("manifest: %v", err))
		}
		return n
	}
}

func list[T any](items []T) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range items {
		n.Content = append(n.Content, node(item))
	}
	if len(items) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

func comment(text string) string {
	if text == "" {
		return ""
	}
	return "# " + strings.Join(slices.Collect(strings.Lines(text)), " ")
}
