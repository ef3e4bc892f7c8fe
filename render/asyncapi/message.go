package asyncapi

import (
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// messages are what a channel carries: what its owner writes, and what each reader
// with a schema of its own makes of it.
func (w *writer) messages(t topic, own *contract.Topic, owner *contract.Service) manifest.Map {
	all := manifest.Map{manifest.E(t.name, w.ownersMessage(t, own, owner))}
	for _, name := range slices.Sorted(maps.Keys(w.svc.Consumes)) {
		c := w.svc.Consumes[name]
		if c.Schema == nil || channelID(c.Topic, c.Cluster) != t.id {
			continue
		}
		m := w.message(c.Schema, own)
		m = append(m, manifest.E(slipway, manifest.Map{manifest.E("schema", written(child(w.tree, "consumes", name, "schema")))}))
		all = append(all, manifest.E(readersMessage(name), m).From("%s", manifest.At(w.svc, "consumes/"+name+"/schema")))
	}
	return all
}

// readersMessage is the message of an entry that has a schema of its own. No topic's
// name has a colon, so it is never the owner's.
func readersMessage(entry string) string { return "reader:" + entry }

func (w *writer) ownersMessage(t topic, own *contract.Topic, owner *contract.Service) manifest.Map {
	if own == nil {
		m := manifest.Map{manifest.E("name", text(t.name))}
		if external := w.estate.External.Topics[t.name]; external != nil && external.Schema != nil {
			if content, err := w.estate.External.SchemaText(external.Schema); err == nil {
				m = append(m, manifest.E("contentType", contentTypes[external.Schema.Format]))
				m = append(m, payload(w.parts.foreign(t.name, external.Schema, content)))
			}
		}
		return m
	}
	if own.Schema == nil {
		return append(manifest.Map{manifest.E("name", text(t.name)), manifest.E("contentType", "application/octet-stream")}, keyBinding(own, nil))
	}
	if w.owned(t) != nil {
		m := w.message(own.Schema, own)
		return append(m, manifest.E(slipway, manifest.Map{manifest.E("schema", written(child(w.tree, "topics", t.name, "schema")))}))
	}
	m := manifest.Map{manifest.E("name", text(t.name)), manifest.E("contentType", contentTypes[own.Schema.Format])}
	if content, err := owner.SchemaText(own.Schema); err == nil {
		m = append(m, payload(w.parts.foreign(t.name, own.Schema, content)))
	}
	return append(m, keyBinding(own, own.Schema))
}

// message is one with a schema of the service's own files.
func (w *writer) message(s *contract.Schema, own *contract.Topic) manifest.Map {
	m := manifest.Map{manifest.E("contentType", contentTypes[s.Format]), payload(w.parts.ids[s.File])}
	if own == nil {
		return m
	}
	return append(m, keyBinding(own, own.Schema))
}

var contentTypes = map[contract.Format]string{
	contract.Avro: "application/vnd.apache.avro", contract.JSON: "application/json", contract.Protobuf: "application/vnd.google.protobuf",
}

// payload refers to a schema of the document; it is left out where there is none.
func payload(id string) manifest.Entry {
	return manifest.If(id != "", manifest.E("payload", ref("components", "schemas", id)))
}

// keySchemas are what the key of a record is.
var keySchemas = map[contract.KeyFormat]manifest.Map{
	contract.KeyString: {manifest.E("type", "string")},
	contract.KeyInt64:  {manifest.E("type", "integer"), manifest.E("format", "int64")},
	contract.KeyBytes:  {manifest.E("type", "string"), manifest.E("format", "binary")},
	contract.KeyAvro:   {manifest.E("type", "string"), manifest.E("format", "binary")},
}

// strategies are the names of Confluent's serializers for subjects.
var strategies = map[contract.SubjectStrategy]string{
	contract.SubjectTopic: "TopicNameStrategy", contract.SubjectRecord: "RecordNameStrategy", contract.SubjectTopicRecord: "TopicRecordNameStrategy",
}

// keyBinding is what Kafka's binding says of a record: its key, and where it names
// its schema.
func keyBinding(own *contract.Topic, s *contract.Schema) manifest.Entry {
	var entries manifest.Map
	if own.Key.Field != "" {
		key := append(slices.Clone(keySchemas[own.Key.Format]), manifest.E("description", text("the field "+own.Key.Field+" of the value")))
		entries = append(entries, manifest.E("key", key))
	}
	if s != nil {
		where := "payload"
		if s.ID == contract.IDHeader {
			where = "header"
		}
		entries = append(entries, manifest.E("schemaIdLocation", where), manifest.If(where == "payload", manifest.E("schemaIdPayloadEncoding", "confluent")),
			manifest.If(strategies[s.Subject] != "", manifest.E("schemaLookupStrategy", strategies[s.Subject])))
	}
	return manifest.If(len(entries) > 0, kafka(entries...))
}
