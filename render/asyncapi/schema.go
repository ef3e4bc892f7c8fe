package asyncapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// components are the schemas of the document: those of the service's own files,
// each once, and those of others whose topics it reads.
type components struct {
	schemas manifest.Map
	ids     map[string]string // by file; the ones that are not here are kept as text
	taken   map[string]bool
}

// collect takes the files of the service that stand for themselves. What builds on
// other files does not, and nor does what would not come back as it is.
func (p *components) collect(svc *contract.Service) {
	byFile := make(map[string]*contract.Schema)
	for _, name := range slices.Sorted(maps.Keys(svc.Topics)) {
		if s := svc.Topics[name].Schema; s != nil {
			byFile[s.File] = s
		}
	}
	for _, name := range slices.Sorted(maps.Keys(svc.Consumes)) {
		if s := svc.Consumes[name].Schema; s != nil && byFile[s.File] == nil {
			byFile[s.File] = s
		}
	}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		s := byFile[file]
		content, err := svc.SchemaText(s)
		if err != nil || len(s.References) > 0 {
			continue
		}
		if id := p.add(file, s.Format, content, manifest.E(slipway, manifest.Map{manifest.E("file", text(file))})); id != "" {
			p.ids[file] = id
		}
	}
}

// foreign is the schema of somebody else's topic; empty if it cannot stand for
// itself.
func (p *components) foreign(topic string, s *contract.Schema, content string) string {
	if len(s.References) > 0 {
		return ""
	}
	return p.add(topic, s.Format, content, manifest.Entry{})
}

func (p *components) add(name string, format contract.Format, content string, more manifest.Entry) string {
	id := p.name(name)
	mime, schema := inlined(id, format, content)
	if schema == nil {
		return ""
	}
	p.taken[id] = true
	p.schemas = append(p.schemas, manifest.E(id, manifest.Map{manifest.E("schemaFormat", mime), manifest.E("schema", schema), more}))
	return id
}

// name is a free name that a component may have.
func (p *components) name(like string) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, like)
	for p.taken[id] {
		id += "_"
	}
	return id
}

// inlined is a schema as a part of the document with its format, or nil where it
// would not come back as it is.
func inlined(id string, format contract.Format, content string) (mime string, schema any) {
	if format == contract.Protobuf {
		if _, as := kept(content).(*yaml.Node); !as {
			return "", nil
		}
		mime = "application/vnd.google.protobuf;version=3"
		if !strings.Contains(content, `"proto3"`) {
			mime = "application/vnd.google.protobuf;version=2"
		}
		return mime, text(content)
	}
	var indented bytes.Buffer // JSON is YAML, but for tabs
	if json.Indent(&indented, []byte(content), "", "  ") != nil {
		return "", nil
	}
	t, problems := contract.ParseTree(id, indented.Bytes())
	if problems.Failed() || t == nil {
		return "", nil
	}
	if format == contract.Avro {
		return "application/vnd.apache.avro;version=1.9.0", written(t)
	}
	mime = "application/schema+json;version=draft-07"
	if dialect := child(t, "$schema"); dialect != nil && !strings.Contains(dialect.Text, "draft-07") {
		mime = "application/schema+json;version=" + lastStep(dialect.Text)
	}
	return mime, written(relink(t, "#", schemaPointer(id)))
}

// lastStep is what names a dialect in its address: 2020-12 in
// https://json-schema.org/draft/2020-12/schema.
func lastStep(dialect string) string {
	steps := strings.Split(strings.TrimSuffix(strings.TrimSuffix(dialect, "#"), "/schema"), "/")
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && r != ';' && r != ',' {
			return r
		}
		return '-'
	}, steps[len(steps)-1])
}

// schemaPointer is where the schema of a component begins.
func schemaPointer(id string) string { return pointer("components", "schemas", id, "schema") }

// relink returns a JSON Schema whose references within itself begin elsewhere: in a
// document it is a part of a larger whole.
func relink(t *contract.Tree, from, to string) *contract.Tree {
	out := *t
	out.Children = make([]*contract.Tree, len(t.Children))
	for i, c := range t.Children {
		out.Children[i] = relink(c, from, to)
		if rest, found := strings.CutPrefix(c.Text, from); c.Key == "$ref" && c.Kind == contract.TreeText && found && (rest == "" || rest[0] == '/') {
			out.Children[i].Text = to + rest
		}
	}
	return &out
}
