package asyncapi

import (
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// produces are the topics that the service sends to.
func (b *builder) produces(m *model) (entries manifest.Map) {
	seen := make(map[string]bool)
	for _, op := range m.operations {
		if !op.send || seen[op.channel.topic] && m.said == nil {
			continue
		}
		if seen[op.channel.topic] {
			b.fault(op.at, diag.AsyncAPIElement, "two operations send to %s", op.channel.topic)
			continue
		}
		seen[op.channel.topic] = true
		element := "produces\x00" + op.channel.topic
		b.from[element] = op.at.At
		var entry any = manifest.Map{}
		if said := child(op.said, "produces"); said != nil {
			entry = b.copied(element, said)
		}
		entries = append(entries, manifest.E(op.channel.topic, entry))
	}
	return entries
}

// consumes are the entries by which the service receives.
func (b *builder) consumes(m *model, owned map[*channel]bool) (entries manifest.Map) {
	seen := make(map[string]bool)
	for _, op := range m.operations {
		if op.send {
			continue
		}
		name := op.channel.topic
		if own := b.word(op.said, "name"); own != "" {
			name = own
		}
		if seen[name] {
			if m.said != nil {
				b.fault(op.at, diag.AsyncAPIElement, "two operations are the entry %s of consumes", name)
			}
			continue
		}
		seen[name] = true
		element := "consumes\x00" + name
		b.from[element] = op.at.At
		entry := manifest.Map{}
		if name != op.channel.topic {
			entry = append(entry, manifest.E("topic", text(op.channel.topic)))
		}
		for _, t := range children(child(op.said, "consumes")) {
			entry = append(entry, manifest.E(t.Key, b.copied(element+"\x00"+t.Key, t)))
		}
		if m.said == nil {
			b.openEntry(op, owned)
		}
		entry = append(entry, b.readersSchema(m, op, owned, element)...)
		entries = append(entries, manifest.E(name, entry))
	}
	return entries
}

// openEntry notes what AsyncAPI does not say of reading.
func (b *builder) openEntry(op operation, owned map[*channel]bool) {
	topic := op.channel.topic
	if !owned[op.channel] {
		b.decide("consumes.%s: its owner has to have a contract with the topic, or external.yaml has to list it", topic)
	}
	b.decide("consumes.%s.retry: one attempt and then the dead letter topic, unless delays are written", topic)
}

// adopt keeps the names that somebody else's document says the service has.
func (b *builder) adopt(m *model) {
	names := manifest.Map{}
	for _, one := range []struct{ key, binding, noun string }{{"group", "groupId", "group"}, {"clientId", "clientId", "client id"}} {
		var found []string
		for _, op := range m.operations {
			if name, at := b.only(child(op.binding, one.binding)); name != "" && !slices.Contains(found, name) {
				found = append(found, name)
				b.from["adopt\x00"+one.key] = at.At
			}
		}
		switch {
		case len(found) == 1:
			names = append(names, manifest.E(one.key, text(found[0])))
		case len(found) > 1:
			b.decide("adopt.%s: the document has several (%v), and a contract keeps one", one.key, found)
		}
	}
	if len(names) > 0 {
		b.out = append(b.out, manifest.E("adopt", names))
	}
}

// only is the one text that a schema admits, and where it says so.
func (b *builder) only(schema *contract.Tree) (string, *contract.Tree) {
	if schema == nil {
		return "", nil
	}
	if schema.Kind == contract.TreeText {
		return schema.Text, schema
	}
	schema = b.resolve(schema)
	if t := child(schema, "const"); t != nil && t.Kind == contract.TreeText {
		return t.Text, t
	}
	if list := items(child(schema, "enum")); len(list) == 1 && list[0].Kind == contract.TreeText {
		return list[0].Text, list[0]
	}
	return "", nil
}
