package plan

import (
	"context"

	"github.com/slipway-go/slipway/schema"
)

// A Registry is what planning and applying need of a schema registry.
// [schema.Admin] is one. Errors are those of package schema.
type Registry interface {
	// Lookup returns the id that a schema has under a subject, or
	// [schema.ErrNotFound].
	Lookup(ctx context.Context, subject string, text schema.Text) (id int, err error)

	// Find returns the version of a subject that holds a schema, or
	// [schema.ErrNotFound].
	Find(ctx context.Context, subject string, text schema.Text) (schema.Version, error)

	// Check returns why a schema could not be registered under the subject's
	// level; nothing if it could.
	Check(ctx context.Context, subject string, text schema.Text) (reasons []string, err error)

	// Compatibility returns the subject's own level in the contract's
	// spelling, "" if it has none.
	Compatibility(ctx context.Context, subject string) (level string, err error)

	// SetCompatibility gives the subject a level of its own.
	SetCompatibility(ctx context.Context, subject, level string) error

	// Register adds a schema to a subject; one that it holds is done.
	Register(ctx context.Context, subject string, text schema.Text) (id int, err error)
}

var _ Registry = (*schema.Admin)(nil)

func (s Subject) source() schema.Source { return schema.Source{Schema: s.Schema, Imports: s.Imports} }

// text is the schema as the registry knows it, with the versions of what it
// builds on.
func (s Subject) text(ctx context.Context, r Registry) (schema.Text, error) {
	return s.source().Pin(ctx, r, string(s.Format))
}
