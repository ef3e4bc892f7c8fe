package asyncapi

import (
	"encoding/base64"
	"io/fs"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// A source is a file beside the contract, and where the document has it.
type source struct {
	at      *contract.Tree
	content string
}

// takeFiles collects the files that the document names: schemas, each below the
// component that holds it, and the rest, below x-slipway.
func (b *builder) takeFiles(m *model) {
	for _, part := range children(b.mapping(b.root, "components", "schemas")) {
		file := child(part, slipway, "file")
		if file == nil {
			continue
		}
		schema := child(part, "schema")
		if schema == nil {
			b.fault(part, diag.AsyncAPIElement, "the schema of %s is missing", file.Text)
			continue
		}
		_, content, _ := b.content(b.word(part, "schemaFormat"), schema, schemaPointer(part.Key))
		b.keep(file, file.Text, content)
	}
	for _, file := range children(b.mapping(m.said, "files")) {
		if encoded := child(file, "base64"); encoded != nil {
			content, err := base64.StdEncoding.DecodeString(encoded.Text)
			if err != nil {
				b.fault(encoded, diag.AsyncAPIElement, "the content of %s is not base64", file.Key)
			}
			b.keep(file, file.Key, string(content))
			continue
		}
		b.keep(file, file.Key, b.word(m.said, "files", file.Key))
	}
}

// keep adds a file. Its name may not lead elsewhere, nor be another's.
func (b *builder) keep(at *contract.Tree, name, content string) {
	switch {
	case !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, `\:`) || name == contract.ServiceFile:
		b.fault(at, diag.AsyncAPIElement, "%q is not the name of a file beside a contract", name)
	case b.files[name] != nil:
		b.fault(at, diag.AsyncAPIElement, "the file %s is there twice", name)
	default:
		b.files[name] = &source{at, content}
	}
}

// schema is the schema of an owned topic's values.
func (b *builder) schema(m *model, c *channel, element string) manifest.Map {
	if m.said == nil {
		return b.newSchema(c, c.messages)
	}
	for _, message := range c.messages {
		if said := child(message, slipway, "schema"); said != nil && !strings.HasPrefix(message.Key, readersMessage("")) {
			return manifest.Map{manifest.E("schema", b.copied(element+"\x00schema", said))}
		}
	}
	return nil
}

// readersSchema is what an entry needs of a topic's values. Of somebody else's
// document only topics that others own have one.
func (b *builder) readersSchema(m *model, op operation, owned map[*channel]bool, element string) manifest.Map {
	if m.said == nil {
		if owned[op.channel] {
			return nil
		}
		return b.newSchema(op.channel, op.messages)
	}
	for _, message := range op.messages {
		if said := child(message, slipway, "schema"); said != nil && strings.HasPrefix(message.Key, readersMessage("")) {
			return manifest.Map{manifest.E("schema", b.copied(element+"\x00schema", said))}
		}
	}
	return nil
}

// newSchema makes a file of the payload of somebody else's document.
func (b *builder) newSchema(c *channel, messages []*contract.Tree) manifest.Map {
	if len(messages) > 1 {
		b.decide("%s: the document has %d messages for it, and a topic has one schema; it was left out", c.topic, len(messages))
	}
	if len(messages) != 1 || child(messages[0], "payload") == nil {
		return nil
	}
	payload, at := child(messages[0], "payload"), ""
	for range maxHops {
		target, is := reference(payload)
		if !is {
			break
		}
		if payload, at = b.find(target), target; payload == nil {
			b.fault(child(messages[0], "payload"), diag.AsyncAPIReference, "%s", nowhere(target))
			return nil
		}
	}
	format := b.word(messages[0], "schemaFormat")
	if inner := child(payload, "schema"); inner != nil && child(payload, "schemaFormat") != nil {
		format, payload, at = b.word(payload, "schemaFormat"), inner, at+"/schema"
	}
	ending, content, ok := b.content(format, payload, at)
	if !ok {
		b.decide("%s: its schema is %s, which contracts do not have; it was left out", c.topic, format)
		return nil
	}
	name := "schemas/" + c.topic + ending
	if b.files[name] == nil {
		b.keep(payload, name, content)
	}
	return manifest.Map{manifest.E("schema", manifest.Map{manifest.E("file", text(name))})}
}

// content is a schema as a file of its own, and the ending of that file's name. The
// place is the pointer to it, to which its references within itself lead.
func (b *builder) content(format string, schema *contract.Tree, place string) (ending, content string, ok bool) {
	kind, _, _ := strings.Cut(strings.ToLower(format), ";")
	switch {
	case strings.Contains(kind, "protobuf"):
		return ".proto", schema.Text, schema.Kind == contract.TreeText
	case strings.Contains(kind, "avro"):
		if schema.Kind == contract.TreeText && strings.ContainsAny(schema.Text, "{[") {
			return ".avsc", schema.Text, true
		}
		return ".avsc", jsonText(schema) + "\n", true
	case kind == "", strings.Contains(kind, "aai.asyncapi"), strings.HasPrefix(kind, "application/schema"):
		return ".json", jsonText(b.bundle(schema, place)) + "\n", schema.Kind == contract.TreeMapping
	}
	return "", "", false
}
