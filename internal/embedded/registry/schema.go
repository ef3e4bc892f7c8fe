package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/avro"
)

// The schema types, as the API spells them.
const (
	typeAvro = "AVRO"
	typeJSON = "JSON"
)

// errType reports a schema type that this registry cannot check.
var errType = errors.New("schema type is not supported by the embedded registry: want AVRO or JSON")

// parsed is a schema that is valid.
type parsed struct {
	kind     string
	text     string // as it was registered
	identity string // equal for schemas that differ in white space or key order only
	avro     *avro.Schema
	json     any
}

// parse checks a schema. No type means Avro.
func parse(kind, text string) (parsed, error) {
	p := parsed{kind: cmp.Or(kind, typeAvro), text: text}
	var err error
	switch p.kind {
	case typeAvro:
		p.avro, err = avro.Parse(text)
		p.identity = "AVRO " + avroIdentity(text)
	case typeJSON:
		p.json, err = parseJSONSchema(text)
		p.identity = "JSON " + canonical(p.json)
	default:
		err = errType
	}
	return p, err
}

// avroIdentity differs from Avro's own canonical form in that it keeps
// defaults, aliases and documentation: they are part of a version.
func avroIdentity(text string) string {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return text
	}
	return canonical(v)
}

func parseJSONSchema(text string) (any, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	if _, err := c.Compile(schemaURL); err != nil {
		return nil, err
	}
	return doc, nil
}

// schemaURL is where the compiler believes a schema to be.
const schemaURL = "schema:///schema.json"

// noLoader keeps the compiler from reading files or the network for a $ref.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to %s: a schema may refer only to itself", url)
}

// canonical is JSON with sorted keys and no white space. Numbers keep their
// spelling.
func canonical(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("registry: parsed JSON does not encode: " + err.Error())
	}
	return strings.TrimSpace(b.String())
}
