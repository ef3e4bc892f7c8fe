package asyncapi

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
)

// child is the value of a key, or nil.
func child(t *contract.Tree, path ...string) *contract.Tree {
	for _, key := range path {
		if t == nil || t.Kind != contract.TreeMapping {
			return nil
		}
		i := slices.IndexFunc(t.Children, func(c *contract.Tree) bool { return c.Key == key })
		if i < 0 {
			return nil
		}
		t = t.Children[i]
	}
	return t
}

// children are those of a mapping, or of nothing.
func children(t *contract.Tree) []*contract.Tree {
	if t == nil || t.Kind != contract.TreeMapping {
		return nil
	}
	return t.Children
}

// items are those of a list, or of nothing.
func items(t *contract.Tree) []*contract.Tree {
	if t == nil || t.Kind != contract.TreeList {
		return nil
	}
	return t.Children
}

// without is a mapping with keys left out; nil if none remain.
func without(t *contract.Tree, keys ...string) *contract.Tree {
	if t == nil {
		return nil
	}
	out := *t
	out.Children = slices.DeleteFunc(slices.Clone(t.Children), func(c *contract.Tree) bool { return slices.Contains(keys, c.Key) })
	if len(out.Children) == 0 {
		return nil
	}
	return &out
}

// scalarTags are those by which a value is written as it was read.
var scalarTags = map[contract.TreeKind]string{
	contract.TreeNothing: "!!null", contract.TreeBoolean: "!!bool", contract.TreeInteger: "!!int", contract.TreeDecimal: "!!float",
}

// written is a value as YAML: the same keys in the same order, numbers as they
// were spelt.
func written(t *contract.Tree) *yaml.Node {
	switch t.Kind {
	case contract.TreeMapping:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, c := range t.Children {
			n.Content = append(n.Content, text(c.Key), written(c))
		}
		return flow(n)
	case contract.TreeList:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, c := range t.Children {
			n.Content = append(n.Content, written(c))
		}
		return flow(n)
	case contract.TreeText:
		return text(t.Text)
	case contract.TreeNothing:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: scalarTags[t.Kind], Value: t.Text}
	}
}

// flow writes what is small on one line, as contracts do.
func flow(n *yaml.Node) *yaml.Node {
	width := 0
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode || strings.Contains(c.Value, "\n") {
			width = 100
		}
		width += len(c.Value) + 2
	}
	if width < 80 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// text is a text that no reader takes for something else.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case strings.Contains(s, "\n") && !strings.Contains(s, "\t") && s == strings.TrimLeft(s, " \n"):
		n.Style = yaml.LiteralStyle
	case !plain(s):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// plain reports whether a text is text to every reader of YAML, old ones too,
// without quotes.
func plain(s string) bool {
	if quantity.MatchString(s) && strings.Trim(s, "0123456789") != "" {
		return true
	}
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") != "" {
		return false
	}
	c := s[0] | 0x20
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return c >= 'a' && c <= 'z'
}

// quantity is a number with a unit, which is nothing else to anybody.
var quantity = regexp.MustCompile(`^([0-9]+(ms|s|m|h|d))+$|^[0-9]+(\.[0-9]+)?%$|^[0-9]+(k|M|[KMGT]i|[KMGT]iB)?(/s)?$`)

// jsonText is a value as JSON: the same keys in the same order.
func jsonText(t *contract.Tree) string {
	var b strings.Builder
	writeJSON(&b, t, "\n")
	return b.String()
}

func writeJSON(b *strings.Builder, t *contract.Tree, indent string) {
	open, end := "{", "}"
	switch t.Kind {
	case contract.TreeMapping:
	case contract.TreeList:
		open, end = "[", "]"
	default:
		b.WriteString(jsonScalar(t))
		return
	}
	b.WriteString(open)
	for i, c := range t.Children {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(indent + "  ")
		if t.Kind == contract.TreeMapping {
			b.WriteString(quoted(c.Key) + ": ")
		}
		writeJSON(b, c, indent+"  ")
	}
	if len(t.Children) > 0 {
		b.WriteString(indent)
	}
	b.WriteString(end)
}

func jsonScalar(t *contract.Tree) string {
	switch t.Kind {
	case contract.TreeNothing:
		return "null"
	case contract.TreeBoolean:
		return strings.ToLower(t.Text)
	case contract.TreeInteger, contract.TreeDecimal:
		if json.Valid([]byte(t.Text)) {
			return t.Text
		}
		if n, err := strconv.ParseInt(t.Text, 0, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	}
	return quoted(t.Text)
}

// quoted is a text as JSON has it, with < and > to be read.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
