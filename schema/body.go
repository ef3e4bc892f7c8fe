package schema

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
)

// schemaBody is a schema as the registry's API spells it, in requests and
// answers. An absent type means Avro.
type schemaBody struct {
	Schema     string      `json:"schema"`
	Type       string      `json:"schemaType,omitempty"`
	References []Reference `json:"references,omitempty"`
	ID         int         `json:"id,omitempty"`
	Version    int         `json:"version,omitempty"`
	GUID       GUID        `json:"guid,omitzero"`
}

func body(t Text) schemaBody {
	return schemaBody{Schema: compact(t.Schema), Type: strings.ToUpper(t.Format), References: t.References}
}

func (b schemaBody) text() Text {
	references := b.References
	if len(references) == 0 {
		references = nil
	}
	return Text{Format: strings.ToLower(cmp.Or(b.Type, "AVRO")), Schema: b.Schema, References: references}
}

func (b schemaBody) version() Version {
	return Version{Text: b.text(), ID: b.ID, Version: b.Version, GUID: b.GUID}
}

// The parts of an answer that a call cannot do without.
func holdsText(b schemaBody) bool { return b.Schema != "" }
func holdsID(b schemaBody) bool   { return b.ID > 0 && b.ID <= math.MaxInt32 }
func holdsBoth(b schemaBody) bool { return holdsText(b) && holdsID(b) }

// ask sends a call whose answer is a schema. One that lacks what it must hold
// would be kept for ever, so it counts as no answer.
func (c *Client) ask(ctx context.Context, complete func(schemaBody) bool, call call) (schemaBody, error) {
	var got schemaBody
	call.out = &got
	if err := c.do(ctx, call); err != nil {
		return schemaBody{}, err
	}
	if !complete(got) {
		return schemaBody{}, c.unreachable(call.op, errors.New("answer is not a registry's: it lacks the schema or its id"))
	}
	return got, nil
}

// compact takes the white space out of a schema that is JSON. Some registries
// compare texts byte by byte: without this, reformatting a file would make a
// new version, and services would not find theirs.
func compact(schema string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(schema)); err != nil {
		return schema
	}
	return b.String()
}
