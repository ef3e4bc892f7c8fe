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

func (s Subject) text() schema.Text { return schema.Text{Format: string(s.Format), Schema: s.Schema} }
