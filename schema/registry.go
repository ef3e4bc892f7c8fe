package schema

import (
	"context"
	"errors"
	"slices"
)

// Text is a schema as its author wrote it.
type Text struct {
	Format     string // the contract's name of the format: "avro", "json", "protobuf"
	Schema     string
	References []Reference
}

// A Reference is a registered schema that another one builds on.
type Reference struct {
	Name    string `json:"name"` // as the schema spells it: an import, a type's full name, a $ref
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Equal reports whether two texts are the same to the byte.
func (t Text) Equal(o Text) bool {
	return t.Format == o.Format && t.Schema == o.Schema && slices.Equal(t.References, o.References)
}

// A Version is one schema registered under a subject.
type Version struct {
	Text
	ID      int  // names the schema in the wire format
	Version int  // counts within the subject, from 1
	GUID    GUID // names the schema in headers; zero where the registry has none
}

// Equal reports whether two versions are the same.
func (v Version) Equal(o Version) bool {
	return v.ID == o.ID && v.Version == o.Version && v.GUID == o.GUID && v.Text.Equal(o.Text)
}

// A Registry answers what schema ids and subjects mean. Errors wrap
// [ErrNotFound], [ErrUnauthorized] or [ErrUnavailable].
type Registry interface {
	// Text returns the schema with an id. What an id means never changes.
	Text(ctx context.Context, id int) (Text, error)

	// TextOf returns the schema with a GUID. What a GUID means never changes.
	TextOf(ctx context.Context, guid GUID) (Text, error)

	// Lookup returns the id that a schema has under a subject. It registers
	// nothing: a schema the subject does not hold is ErrNotFound.
	Lookup(ctx context.Context, subject string, text Text) (id int, err error)

	// Find returns the version of a subject that holds a schema, like Lookup.
	// Its text may be empty: the caller has it.
	Find(ctx context.Context, subject string, text Text) (Version, error)

	// Version returns one version of a subject.
	Version(ctx context.Context, subject string, number int) (Version, error)

	// Latest returns the newest version of a subject.
	Latest(ctx context.Context, subject string) (Version, error)
}

// ErrNotFound reports an id, subject or version that the registry does not
// know. For a producer it means that the contract was not applied.
var ErrNotFound = errors.New("not in the schema registry")

// ErrUnauthorized reports that the registry refused the credential, or that
// the credential may not do what was asked.
var ErrUnauthorized = errors.New("schema registry refused the credential")

// ErrUnavailable reports that the registry gave no usable answer: it is down,
// slow, overloaded, or something else answers at its address. It says nothing
// about the record at hand; wait and ask again.
var ErrUnavailable = errors.New("schema registry is unavailable")

// ErrIncompatible reports a schema that breaks the subject's compatibility
// level. The error's text holds the registry's reasons.
var ErrIncompatible = errors.New("schema is incompatible")

// ErrInvalid reports a schema or request that the registry cannot parse.
var ErrInvalid = errors.New("schema registry refused the request as invalid")

// ValueSubject is the subject of a topic's values.
func ValueSubject(topic string) string { return topic + "-value" }

// KeySubject is the subject of a topic's keys, where keys have a schema.
func KeySubject(topic string) string { return topic + "-key" }
