package jsonvalue

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/slipway-go/slipway/schema"
)

// location is where the compiler believes the schema to be.
const (
	root     = "schema:///"
	location = root + "schema.json"
)

// compile parses a JSON Schema. References lead into the schema itself and to
// its imports: no file and no address is read.
func compile(source schema.Source) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(source.Schema))
	if err != nil {
		return nil, fmt.Errorf("parse json schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(imports(source.Imports))
	if err := c.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("parse json schema: %w", err)
	}
	s, err := c.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("parse json schema: %w", err)
	}
	return s, nil
}

// imports are the only schemas that references lead to. A relative reference
// is asked for behind the location of the schema itself, or of its $id.
type imports []schema.Import

func (all imports) Load(url string) (any, error) {
	for _, i := range all {
		if url == i.Name || strings.HasSuffix(url, "/"+strings.TrimPrefix(i.Name, "./")) {
			return jsonschema.UnmarshalJSON(strings.NewReader(i.Schema))
		}
	}
	return nil, fmt.Errorf("reference to %s: a schema may refer only to itself and to what the contract lists under references", strings.TrimPrefix(url, root))
}

// validate reports the first place that breaks the schema, on one line and
// without the value, which may be private.
func validate(s *jsonschema.Schema, tree any) error {
	err := s.Validate(tree)
	v, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err
	}
	for len(v.Causes) > 0 {
		v = v.Causes[0]
	}
	keyword := strings.Join(v.ErrorKind.KeywordPath(), "/")
	return fmt.Errorf("value at /%s does not keep the schema's %s", strings.Join(v.InstanceLocation, "/"), keyword)
}
