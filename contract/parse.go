package contract

import (
	"cmp"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/slipway-go/slipway/diag"
)

// Parse reads one service's contract with the schema files it names, and
// judges it alone. The list holds everything that is wrong with it, sorted by
// place; the service is nil if the file could not be read as a contract at
// all. A service that comes with errors is good for judging the rest of the
// estate, and for nothing else.
//
// A Service is not changed after Parse and is safe for concurrent use.
func Parse(fsys fs.FS, file string) (*Service, diag.List) {
	root, data, list := readDocument(fsys, file)
	if root == nil || misnamed(file, root, serviceKind, &list) {
		return nil, list
	}
	s := &Service{source: source{file: file, root: root, tree: root, schemas: map[string]string{}}}
	list = append(list, s.decode()...)
	for element, schema := range s.schemas() {
		list = append(list, s.source.readSchema(fsys, schema, element)...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Connectors)) {
		list = append(list, s.source.refer(fsys, s.Connectors[name].File, "connectors/"+name)...)
	}
	s.source.sum(data)
	list = append(list, s.check()...)
	list.Sort()
	s.source.faults = list
	return s, list
}

// In lays an environment over the contract as written and judges the result.
// An environment that the contract has no block for changes nothing but names.
// The service is never nil; do not use it if the list has errors.
func (s *Service) In(env string) (*Service, diag.List) {
	out := *s
	out.Env = env
	if err := environmentNames.check(env); err != nil {
		return &out, diag.List{diag.New(diag.ContractName, "%v", err).WithFix("%s", environmentNames.remedy(env))}
	}
	tree := s.source.root
	if e := tree.get("environments"); e != nil && e.value.get(env) != nil {
		tree = tree.merged(e.value.get(env).value)
	}
	var list diag.List
	if tree != s.source.tree {
		out = Service{Env: env, source: s.source}
		out.source.tree = tree
		list = append(out.decode(), out.check()...)
	}
	list = append(list, out.checkEnvironment()...)
	out.deriveOutbox()
	list.Sort()
	return &out, list
}

// decode fills the service from its tree.
func (s *Service) decode() diag.List {
	d := &decoder{file: s.source.file, root: s.source.root}
	serviceType.read(d, s.source.tree, s)
	for name, c := range s.Consumes {
		if c.As == Share && !s.source.written("consumes", name, "order") {
			c.Order = Unordered
		}
		c.Exact = s.exact()
	}
	for name, p := range s.Produces {
		if !s.source.written("produces", name, "buffer") {
			p.settle()
		}
	}
	for name, setting := range s.Config {
		setting.Required = !s.source.written("config", name, "default")
	}
	for element, schema := range s.schemas() {
		d.list = append(d.list, schema.settle(s.source.position(element))...)
	}
	return d.list
}

// exact reports whether the service handles what it consumes in transactions.
func (s *Service) exact() bool {
	for _, p := range s.Produces {
		if p.Via == Transaction {
			return true
		}
	}
	return false
}

// schemas yields every schema the contract names, by element, in order.
func (s *Service) schemas() func(yield func(string, *Schema) bool) {
	return func(yield func(string, *Schema) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.Topics)) {
			if schema := s.Topics[name].Schema; schema != nil && !yield("topics/"+name+"/schema", schema) {
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
			if schema := s.Consumes[name].Schema; schema != nil && !yield("consumes/"+name+"/schema", schema) {
				return
			}
		}
	}
}

// formatOf is the format that a file's ending says.
var formatOf = map[string]Format{".avsc": Avro, ".json": JSON, ".proto": Protobuf}

// settle infers the format and reports what does not go with it.
func (s *Schema) settle(pos diag.Position) diag.List {
	s.Format = cmp.Or(s.Format, formatOf[path.Ext(s.File)])
	if s.Format != "" || s.File == "" {
		return s.checkReferences(pos)
	}
	return diag.List{diag.New(diag.ContractRequired, "the ending of %s does not tell the schema's format", s.File).At(pos).
		WithFix("add format: avro, json or protobuf")}
}

// misnamed reports a file that is of another kind or version. Its keys are
// then not worth telling about.
func misnamed(file string, root *node, kind string, list *diag.List) bool {
	for _, want := range []struct{ key, value string }{{"apiVersion", APIVersion}, {"kind", kind}} {
		e := root.get(want.key)
		if e == nil || e.value.kind != scalarNode || e.value.text == want.value {
			continue
		}
		pos := diag.Position{File: file, Line: e.value.at.line, Column: e.value.at.column}
		list.Add(diag.New(diag.ContractVersion, "%s is %s, want %s", want.key, quoteEmpty(e.value.text), want.value).At(pos).
			WithFix("write %s: %s; a newer version of the format needs a newer Slipway", want.key, want.value))
		return true
	}
	return false
}
