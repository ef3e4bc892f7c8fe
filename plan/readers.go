package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/jsonvalue"
	"github.com/slipway-go/slipway/schema/proto"
)

// A Reader reads the topic of a subject with a schema of its own. The registry
// knows nothing of it: it compares versions of the subject, and a reader's
// schema is none.
type Reader struct {
	Service  string // or its name in external.yaml
	Schema   string
	Position diag.Position   // where the schema is named
	Imports  []schema.Import `json:",omitempty"`
	Message  string          `json:",omitempty"` // of Protobuf
}

// judges tell whether what is written with one schema can be read with another,
// by format. Formats without a judge are left to the registry.
var judges = map[contract.Format]func(writer, reader schema.Source) error{
	contract.Avro:     avro.Readable,
	contract.JSON:     jsonvalue.Readable,
	contract.Protobuf: proto.Readable,
}

// readers are those who bring a schema of their own for a topic, in the estate
// and in external.yaml. A schema of another format, and a reader on another
// cluster, are told by the estate's validation.
func (d *derivation) readers(topic string, format contract.Format) []Reader {
	var all []Reader
	for _, svc := range d.estate.Services {
		for _, entry := range slices.Sorted(maps.Keys(svc.Consumes)) {
			c := svc.Consumes[entry]
			if c.Topic != topic || c.Schema == nil || c.Schema.Format != format {
				continue
			}
			source, err := schema.SourceOf(svc, c.Schema, d.prefix(c.Cluster))
			pos := svc.Position("consumes", entry, "schema")
			d.reader(&all, Reader{svc.Name, source.Schema, pos, source.Imports, source.Message}, err)
		}
	}
	external := d.estate.External
	if external == nil {
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(external.Readers)) {
		r := external.Readers[name]
		if r.Topic != topic || r.Schema.Format != format {
			continue
		}
		source, err := schema.SourceOf(external, &r.Schema, d.prefix(""))
		d.reader(&all, Reader{name, source.Schema, external.Position("readers", name), source.Imports, source.Message}, err)
	}
	return all
}

func (d *derivation) reader(all *[]Reader, r Reader, err error) {
	if err != nil {
		d.faults.Add(diag.New(diag.PlanSchemaMissing, "the schema that %s reads with is not there: %v", r.Service, err).At(r.Position))
		return
	}
	*all = append(*all, r)
}

// unreadable tells who of a subject's readers could not read what is written
// with its schema, and why. It is asked of a schema that is to be registered,
// before anything is changed: afterwards the records are there.
func unreadable(want Subject) string {
	judge := judges[cmp.Or(want.Format, contract.Avro)]
	if judge == nil {
		return ""
	}
	var told []string
	for _, r := range want.Readers {
		if !complete(want.Imports) || !complete(r.Imports) {
			continue // what only the registry has is for it to judge
		}
		if err := judge(want.source(), schema.Source{Schema: r.Schema, Imports: r.Imports, Message: r.Message}); err != nil {
			told = append(told, fmt.Sprintf("%s (%s) could not read it: %v", r.Service, r.Position, err))
		}
	}
	if len(told) == 0 {
		return ""
	}
	return strings.Join(told, "; ") + "; change what they read with first, or make the change one that they can read"
}
