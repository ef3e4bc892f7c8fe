package plan

import (
	"cmp"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/jsonvalue"
	"github.com/slipway-go/slipway/schema/proto"
)

// records tell what a schema's record is called, by format.
var records = map[contract.Format]func(schema.Source) (string, error){
	contract.Avro:     avro.Record,
	contract.JSON:     jsonvalue.Record,
	contract.Protobuf: proto.Record,
}

// prefix is what an environment puts before the topics of a cluster, and before
// the subjects that its own schemas are registered under.
func (d *derivation) prefix(alias string) string { return d.estate.PhysicalTopic(alias, "") }

// SubjectName is where a topic's schema is registered. The schema is looked
// into only where it matters for the name.
func SubjectName(format contract.Format, strategy contract.SubjectStrategy, prefix, topic string, source schema.Source) (string, error) {
	var record string
	if strategy == contract.SubjectRecord || strategy == contract.SubjectTopicRecord {
		if !complete(source.Imports) && format == contract.Avro {
			return "", diag.New(diag.SchemaReference, "the schema of %s is registered by the name of its record, and builds on what only the registry has", topic).
				WithFix("give the reference a file as well, or use subject: topic")
		}
		var err error
		if record, err = records[format](source); err != nil {
			return "", err
		}
		if record == "" {
			return "", diag.New(diag.SchemaSubject, "the schema of %s is registered by the name of its record, and has none", topic).
				WithFix("give the JSON Schema a title, or use subject: topic")
		}
	}
	return schema.Subject(strategy, prefix, topic, record), nil
}

// complete reports whether the text of everything is there.
func complete(imports []schema.Import) bool {
	return !slices.ContainsFunc(imports, func(i schema.Import) bool { return i.Schema == "" })
}

// imported are the subjects of the files that a schema builds on. What has a
// version is somebody else's to register.
func (d *derivation) imported(of Subject, topic string) {
	for _, i := range of.Imports {
		if i.Version != 0 {
			continue
		}
		one := of
		one.Name, one.Schema, one.Readers = i.Subject, i.Schema, nil
		one.Reasons = slices.Clone(of.Reasons)
		one.Reasons[0].Text = "refers to it as " + i.Name + " in the schema of " + topic
		d.out.Subjects = append(d.out.Subjects, one)
	}
}

// keySubject is the subject of keys that have a schema.
func (d *derivation) keySubject(of Subject, source schema.Source, topic string, t *contract.Topic) {
	if t.Key.Format != contract.KeyAvro {
		return
	}
	pos := of.Reasons[0].Position
	if of.Format != contract.Avro || !complete(of.Imports) {
		d.faults.Add(diag.New(diag.SchemaKey, "the key of %s is in Avro, so its values must be too, with all that they build on in files", topic).At(pos))
		return
	}
	text, err := avro.KeySchema(source, t.Key.Field)
	if err != nil {
		d.faults = append(d.faults, faultsOf(err, topic, pos)...)
		return
	}
	d.out.Subjects = append(d.out.Subjects, Subject{
		Name:    schema.KeySubject(d.estate.PhysicalTopic(t.Cluster, topic)),
		Service: of.Service,
		Format:  contract.Avro,
		Schema:  text,
		Level:   contract.FullTransitive, // equal keys are to be equal bytes for ever
		Reasons: []Reason{{Service: of.Service, Text: "owns " + topic + " with this key", Position: pos}},
	})
}

// faultsOf is an error about a topic's schema as diagnostics with a place.
func faultsOf(err error, topic string, pos diag.Position) diag.List {
	list := diag.Of(err)
	if len(list) == 0 {
		return diag.List{diag.New(diag.SchemaInvalid, "the schema of %s: %v", topic, err).At(pos)}
	}
	for i := range list {
		list[i] = list[i].At(pos)
	}
	return list
}

// unshared reports subjects that two contracts want to hold different schemas:
// each would undo the other's.
func (d *derivation) unshared() {
	slices.SortFunc(d.out.Subjects, func(a, b Subject) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.Reasons[0].Compare(b.Reasons[0]))
	})
	first := make(map[string]*Subject)
	for i := range d.out.Subjects {
		s := &d.out.Subjects[i]
		other := first[s.Name]
		switch {
		case other == nil:
			first[s.Name] = s
		case other.Schema != s.Schema || other.Format != s.Format:
			d.faults.Add(diag.New(diag.SchemaSubject, "subject %s is to hold two schemas, one of %s and one of %s", s.Name, other.Service, s.Service).
				At(s.Reasons[0].Position).WithEvidence("the other is at %v", other.Reasons[0].Position))
		default:
			s.Readers = append(s.Readers, other.Readers...)
			other.Readers = s.Readers
		}
	}
}

// waves puts the indexes of new schemas in an order in which each comes after
// all that it builds on.
func waves(batch []Change) [][]int {
	pending := make(map[string]bool)
	for _, c := range batch {
		pending[c.Name] = true
	}
	left := make([]int, len(batch))
	for i := range left {
		left[i] = i
	}
	var all [][]int
	for len(left) > 0 {
		var wave, rest []int
		for _, at := range left {
			if waits(batch[at].item.subject, pending) {
				rest = append(rest, at)
				continue
			}
			wave = append(wave, at)
		}
		if len(wave) == 0 {
			return append(all, rest) // a circle, which pinning reports
		}
		for _, at := range wave {
			delete(pending, batch[at].Name)
		}
		all, left = append(all, wave), rest
	}
	return all
}

func waits(s Subject, pending map[string]bool) bool {
	return slices.ContainsFunc(s.source().Direct(s.Schema), func(i schema.Import) bool { return i.Version == 0 && pending[i.Subject] })
}
