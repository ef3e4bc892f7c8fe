package schema

import (
	"context"
	"errors"
)

// Text is a schema as its author wrote it.
type Text struct {
	Format string // the contract's name of the format: "avro", "json"
	Schema string
}

// A Version is one schema registered under a subject.
type Version struct {
	Text
	ID      int // names the schema in the wire format
	Version int // counts within the subject, from 1
}

// A Registry answers what schema ids and subjects mean. Errors wrap
// [ErrNotFound], [ErrUnauthorized] or [ErrUnavailable].
type Registry interface {
	// Text returns the schema with an id. What an id means never changes.
	Text(ctx context.Context, id int) (Text, error)

	// Lookup returns the id that a schema has under a subject. It registers
	// nothing: a schema the subject does not hold is ErrNotFound.
	Lookup(ctx context.Context, subject string, text Text) (id int, err error)

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
