package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// encode writes doc as JSON, or as the YAML that says the same in the same
// order.
func encode(w io.Writer, format Format, doc any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("encode %T: %w", doc, err)
	}
	text := visible(b.Bytes())
	if format == YAML {
		var err error
		if text, err = toYAML(text); err != nil {
			return fmt.Errorf("encode %T: %w", doc, err)
		}
		text = visible(text)
	}
	_, err := w.Write(text)
	return err
}

// toYAML turns a JSON document, which is YAML too, into block style.
func toYAML(text []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	plain(&root)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&root); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// plain drops JSON's braces and quotes. Text with characters that will be
// escaped keeps its quotes, because YAML knows escapes only between them.
func plain(n *yaml.Node) {
	empty := len(n.Content) == 0 && (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode)
	quoted := n.Kind == yaml.ScalarNode && strings.ContainsFunc(n.Value, hidden)
	if !empty && !quoted {
		n.Style = 0
	}
	for _, c := range n.Content {
		plain(c)
	}
}

// visible writes what a terminal would act on, or not show, as \u escapes.
// Such characters can stand only within quotes, where both formats have them.
func visible(text []byte) []byte {
	if !bytes.ContainsFunc(text, hidden) {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.Bytes()
}

// hidden takes what neither encoder escapes by itself: what a terminal acts on,
// and what YAML has only as an escape.
func hidden(r rune) bool {
	switch r {
	case '\n', '\t':
		return false
	case '\uFFFE', '\uFFFF':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}
