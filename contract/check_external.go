package contract

import (
	"maps"
	"slices"

	"github.com/slipway-go/slipway/diag"
)

// externalReaders judges that those who read without a contract read what there
// is, in its format: otherwise nothing would be checked for them.
func (v *validation) externalReaders() {
	external := v.estate.External
	for _, name := range slices.Sorted(maps.Keys(external.Readers)) {
		r := external.Readers[name]
		at := external.Position("readers", name)
		o, found := v.topic[r.Topic]
		if !found {
			if v.estate.partial || r.Topic == "" {
				continue
			}
			d := diag.New(diag.EstateUnownedTopic, "nobody owns %s, which %s reads", r.Topic, name).At(at)
			if near := nearest(r.Topic, slices.Sorted(maps.Keys(v.topic))); near != "" {
				d = d.WithFix("did you mean %s?", near)
			}
			v.add(d)
			continue
		}
		if theirs := o.schema(); theirs != nil && r.Schema.Format != "" && theirs.Format != "" && r.Schema.Format != theirs.Format {
			v.add(diag.New(diag.EstateSchemaFormat, "%s reads %s as %s, and its owner writes %s", name, r.Topic, r.Schema.Format, theirs.Format).
				At(at).WithEvidence("owned at %v", v.place(o)))
		}
	}
}
