package importer

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/diag"
)

// value follows keys from a mapping; nil if one of them is not there.
func value(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		at := -1
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				at = i + 1
			}
		}
		if at < 0 {
			return nil
		}
		n = n.Content[at]
	}
	return n
}

// word is the text of a scalar, empty if it is anything else.
func word(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || null(n) {
		return ""
	}
	return n.Value
}

func null(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style == 0 && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.Value)
}

// words are the scalars of a list, or the one that stands in its place.
func words(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []string{word(n)}
	}
	var all []string
	for _, c := range n.Content {
		all = append(all, word(c))
	}
	return all
}

// known refuses keys of a mapping that are not among the known ones: what they
// mean would be lost.
func (r *reader) known(n *yaml.Node, what string, keys ...string) bool {
	ok := true
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if !slices.Contains(keys, n.Content[i].Value) {
			r.fault(diag.ImportFormat, n.Content[i], "%s has no %q", what, n.Content[i].Value)
			ok = false
		}
	}
	return ok
}

// mapping requires a mapping.
func (r *reader) mapping(n, within *yaml.Node, what string) bool {
	if n == nil || n.Kind != yaml.MappingNode {
		at := n
		if at == nil {
			at = within
		}
		r.fault(diag.ImportFormat, at, "%s is missing or no mapping", what)
		return false
	}
	return true
}
