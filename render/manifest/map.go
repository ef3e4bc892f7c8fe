package manifest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/render"
)

// A Map is a mapping in the order in which it is written.
type Map []Entry

// An Entry is a key with its value and a comment. A value is a string, a bool, an
// int of any size, a float64, a Map, a list of those ([]any, []string, []int or
// []Map), [Null], or nil for an entry that is left out.
type Entry struct {
	Key     string
	Value   any
	Comment string // the line's; where it came from and why
}

// Null is the value null, by which a patch takes a key away.
type Null struct{}

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
	var value any = m
	for _, key := range path {
		below, _ := value.(Map)
		i := slices.IndexFunc(below, func(e Entry) bool { return e.Key == key })
		if i < 0 {
			return nil
		}
		value = below[i].Value
	}
	return value
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
	case Null:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case string:
		return text(v)
	default:
		n := new(yaml.Node)
		if err := n.Encode(v); err != nil {
			panic(fmt.Sprintf("manifest: %v", err))
		}
		return n
	}
}

// text is a string, quoted also where only YAML 1.1 takes it for something else:
// that is what Kubernetes and its tools read.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.Contains(s, "\n") || !utf8.ValidString(s) {
		if err := n.Encode(s); err != nil { // which knows how to write several lines
			panic(fmt.Sprintf("manifest: %v", err))
		}
	}
	if n.Style == 0 && otherwise.MatchString(s) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// otherwise are the words and numbers of YAML 1.1 that are text in 1.2: truth by
// other names, octal and binary numbers, numbers with underscores, and times of day
// in base 60.
var otherwise = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null|~|=|<<|[-+]?\.?[0-9][0-9_,:.]*([eE][-+]?[0-9_]+)?|[-+]?0[box][0-9a-f_]+|[-+]?\.(inf|nan))$`)

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

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
