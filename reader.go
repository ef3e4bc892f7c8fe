package slipway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// A reader decodes the values of one consumed topic: it strips the wire
// format, asks once what a schema id means, and resolves the writer's schema
// to the reader's.
type reader struct {
	registry schema.Registry
	binding  schema.Binding // nil for opaque bytes
	format   string

	mu      sync.RWMutex
	decodes map[int]schema.Decode
}

// newReader binds the handler's type to what the entry reads: its own schema,
// the owner's where the service is the owner, or else the registry's latest.
func (a *App) newReader(ctx context.Context, name string, c *contract.Consume, typ reflect.Type) (*reader, error) {
	what := "handler of " + name
	text, err := a.readerSchema(ctx, c)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return &reader{}, a.wantBytes(typ, what)
	}
	if typ == reflect.TypeFor[[]byte]() {
		return &reader{}, nil // the handler wants the bytes as they are
	}
	binding, err := a.bind(what, contract.Format(text.Format), text.Schema, typ)
	if err != nil {
		return nil, err
	}
	if _, none := a.registry.(noRegistry); none {
		return nil, diag.New(diag.RuntimeVariableMissing, "SCHEMA_REGISTRY_URL is not set, and consumes/%s needs the registry to read its values", name).
			WithFix("set SCHEMA_REGISTRY_URL to the schema registry's address")
	}
	return &reader{registry: a.registry, binding: binding, format: text.Format, decodes: make(map[int]schema.Decode)}, nil
}

// readerSchema returns the schema an entry reads with, nil for none.
func (a *App) readerSchema(ctx context.Context, c *contract.Consume) (*schema.Text, error) {
	declared := c.Schema
	if own := a.contract.Topics[c.Topic]; declared == nil && own != nil {
		if own.Schema == nil {
			return nil, nil
		}
		declared = own.Schema
	}
	if declared == nil {
		latest, err := a.registry.Latest(ctx, contract.Subject(a.physical(c.Topic)))
		switch {
		case errors.Is(err, schema.ErrNotFound), errors.Is(err, errNoRegistry):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return &latest.Text, nil
	}
	text, err := a.contract.SchemaText(declared)
	if err != nil {
		return nil, err
	}
	return &schema.Text{Format: string(declared.Format), Schema: text}, nil
}

// decode decodes one value into v, a pointer. Errors are undecodable values,
// but for those that wrap [schema.ErrUnavailable].
func (r *reader) decode(ctx context.Context, data []byte, v any) error {
	if r.binding == nil {
		*v.(*[]byte) = data
		return nil
	}
	id, payload, err := schema.SplitHeader(data)
	if err != nil {
		return err
	}
	decode, err := r.writer(ctx, id)
	if err != nil {
		return err
	}
	return decode(payload, v)
}

// writer returns the decoder for what was written under a schema id.
func (r *reader) writer(ctx context.Context, id int) (schema.Decode, error) {
	r.mu.RLock()
	decode := r.decodes[id]
	r.mu.RUnlock()
	if decode != nil {
		return decode, nil
	}
	text, err := r.registry.Text(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look up schema %d: %w", id, err)
	}
	if text.Format != r.format {
		return nil, fmt.Errorf("schema %d is %s, want %s", id, text.Format, r.format)
	}
	decode, err = r.binding.Reader(text.Schema)
	if err != nil {
		return nil, fmt.Errorf("read schema %d: %w", id, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decodes[id] = decode
	return decode, nil
}
