package jsonvalue

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// location is where the compiler believes the schema to be.
const location = "schema:///schema.json"

// compile parses a JSON Schema. References lead nowhere but into the schema
// itself: no file and no address is read.
func compile(text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("parse json schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("parse json schema: %w", err)
	}
	s, err := c.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("parse json schema: %w", err)
	}
	return s, nil
}

type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to %s: a schema may refer only to itself", url)
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
