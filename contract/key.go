package contract

import (
	"cmp"
	"strings"
)

// A KeyDoc is one key of a file's format, as documentation shows it.
type KeyDoc struct {
	Kind     string // of the file: Service, Clusters, External, Estate
	Path     string // "topics.<topic>.partitions"
	Type     string
	Bounds   string // empty if there are none
	Default  string // as one writes it; empty if there is none
	Required bool
	Fixed    bool // the same in every environment
	Doc      string
	Since    string // the first version that knows it
}

// A document is a format.
type document struct {
	kind  string
	shape *shape
}

// documents are the formats.
func documents() []document {
	return []document{
		{serviceKind, serviceType.shape},
		{clustersKind, clustersType().shape},
		{externalKind, externalType().shape},
		{estateKind, sourcesType().shape},
	}
}

// Keys lists every key of slipway.yaml, clusters.yaml, external.yaml and
// estate.yaml in the order in which the formats declare them. It is made from the same tables
// that read the files.
func Keys() []KeyDoc {
	var all []KeyDoc
	for _, d := range documents() {
		d.shape.walk("", false, func(path string, fixed bool, k *key) {
			all = append(all, KeyDoc{
				Kind:     d.kind,
				Path:     path,
				Type:     k.shape.name,
				Bounds:   k.shape.limits(),
				Default:  k.defaultText(),
				Required: k.required,
				Fixed:    fixed && d.kind == serviceKind,
				Doc:      k.doc,
				Since:    k.since,
			})
		})
	}
	return all
}

// walk visits the keys below a shape. An environment's block has the keys of
// the document again and is not walked.
func (s *shape) walk(prefix string, fixed bool, visit func(path string, fixed bool, k *key)) {
	for _, k := range s.keys {
		path := prefix + k.name
		visit(path, fixed || k.fixed, k)
		below, step := k.shape, path+"."
		for ; below.item != nil && below.names != nil && !below.patch; below = below.item {
			step += "<" + below.names.noun + ">."
		}
		if !below.patch {
			below.walk(step, fixed || k.fixed, visit)
		}
	}
}

// limits are the bounds of a value, or of the items of a list.
func (s *shape) limits() string {
	if s.names == nil && s.item != nil {
		return cmp.Or(s.bounds, s.item.limits())
	}
	return s.bounds
}

func (k *key) defaultText() string {
	text := strings.Join(k.def, ", ")
	if k.shape.item != nil && k.def != nil {
		return "[" + text + "]"
	}
	return text
}
