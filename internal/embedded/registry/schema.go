package registry

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/schema"
	codec "github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/proto"
)

// The schema types, as the API spells them.
const (
	typeAvro  = "AVRO"
	typeJSON  = "JSON"
	typeProto = "PROTOBUF"
)

// errType reports a schema type that this registry cannot check.
var errType = errors.New("schema type is not supported by the embedded registry: want AVRO, JSON or PROTOBUF")

// parsed is a schema that is valid.
type parsed struct {
	kind       string
	text       string // as it was registered
	identity   string // equal for schemas that differ in white space or key order only
	references []schema.Reference
	source     schema.Source // with the texts of what it builds on
	avro       *avro.Schema
	json       any
}

// parse checks a schema. No type means Avro.
func parse(kind string, source schema.Source, references []schema.Reference) (parsed, error) {
	p := parsed{kind: cmp.Or(kind, typeAvro), text: source.Schema, references: references, source: source}
	var err error
	switch p.kind {
	case typeAvro:
		p.avro, err = parseAvro(source)
		p.identity = "AVRO " + avroIdentity(p.text)
	case typeJSON:
		p.json, err = parseJSONSchema(source)
		p.identity = "JSON " + canonical(p.json)
	case typeProto:
		_, err = proto.Parse(source)
		p.identity = "PROTOBUF " + strings.TrimSpace(p.text)
	default:
		err = errType
	}
	for _, r := range references {
		p.identity += fmt.Sprintf(" %q %q %d", r.Name, r.Subject, r.Version)
	}
	return p, err
}

// guid is the same for the same schema in every registry of this make.
func (p parsed) guid() schema.GUID {
	sum := sha256.Sum256([]byte(p.identity))
	g := schema.GUID(sum[:16])
	g[6], g[8] = g[6]&0x0f|0x80, g[8]&0x3f|0x80 // version 8, of one's own making
	return g
}

func parseAvro(source schema.Source) (*avro.Schema, error) {
	whole, err := codec.Whole(source)
	if err != nil {
		return nil, err
	}
	return avro.Parse(whole)
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

func parseJSONSchema(source schema.Source) (any, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(source.Schema))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(loader(source.Imports))
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

// loader finds references by name, and keeps the compiler from reading files or
// the network for any other $ref.
type loader []schema.Import

func (l loader) Load(url string) (any, error) {
	at := slices.IndexFunc(l, func(i schema.Import) bool {
		return url == i.Name || strings.HasSuffix(url, "/"+strings.TrimPrefix(i.Name, "./"))
	})
	if at < 0 {
		return nil, fmt.Errorf("reference to %s: it is not among the references of the schema", url)
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(l[at].Schema))
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
