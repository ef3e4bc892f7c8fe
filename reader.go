package slipway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

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
	decodes map[schema.Mark]schema.Decode
}

// newReader binds the handler's type to what the entry reads: its own schema,
// the owner's where the service is the owner, or else the registry's latest.
func (l *link) newReader(ctx context.Context, name string, c *contract.Consume, typ reflect.Type) (*reader, error) {
	what := "handler of " + name
	format, source, err := l.readerSchema(ctx, c)
	if err != nil {
		return nil, err
	}
	if format == "" {
		return &reader{}, l.wantBytes(typ, what)
	}
	if typ == reflect.TypeFor[[]byte]() {
		return &reader{}, nil // the handler wants the bytes as they are
	}
	binding, err := l.bind(what, format, source, typ)
	if err != nil {
		return nil, err
	}
	if _, none := l.registry.(noRegistry); none {
		return nil, diag.New(diag.RuntimeVariableMissing, "SCHEMA_REGISTRY_URL is not set, and consumes/%s needs the registry to read its values", name).
			WithFix("set SCHEMA_REGISTRY_URL to the schema registry's address")
	}
	return &reader{registry: l.registry, binding: binding, format: string(format), decodes: make(map[schema.Mark]schema.Decode)}, nil
}

// readerSchema returns the schema an entry reads with, and no format for none.
func (l *link) readerSchema(ctx context.Context, c *contract.Consume) (contract.Format, schema.Source, error) {
	var none schema.Source
	declared := c.Schema
	if own := l.own(c.Topic); declared == nil && own != nil {
		if own.Schema == nil {
			return "", none, nil
		}
		declared = own.Schema
	}
	if declared == nil {
		latest, err := l.registry.Latest(ctx, contract.Subject(l.physical(c.Topic)))
		switch {
		case errors.Is(err, schema.ErrNotFound), errors.Is(err, errNoRegistry):
			return "", none, nil
		case err != nil:
			return "", none, err
		}
		source, err := schema.Resolve(ctx, l.registry, latest.Text)
		return contract.Format(latest.Format), source, err
	}
	source, err := l.source(ctx, declared)
	return declared.Format, source, err
}

// decode decodes one value into v, a pointer. Errors are undecodable values,
// but for those that wrap [schema.ErrUnavailable].
func (r *reader) decode(ctx context.Context, rec *kgo.Record, v any) error {
	if r.binding == nil {
		*v.(*[]byte) = rec.Value
		return nil
	}
	mark, payload, err := unframe(rec)
	if err != nil {
		return err
	}
	decode, err := r.writer(ctx, mark)
	if err != nil {
		return err
	}
	return decode(payload, v)
}

// writer returns the decoder for what was written under a schema.
func (r *reader) writer(ctx context.Context, mark schema.Mark) (schema.Decode, error) {
	r.mu.RLock()
	decode := r.decodes[mark]
	r.mu.RUnlock()
	if decode != nil {
		return decode, nil
	}
	text, err := r.text(ctx, mark)
	if err != nil {
		return nil, fmt.Errorf("look up schema %v: %w", mark, err)
	}
	if text.Format != r.format {
		return nil, fmt.Errorf("schema %v is %s, want %s", mark, text.Format, r.format)
	}
	source, err := schema.Resolve(ctx, r.registry, text)
	if err != nil {
		return nil, fmt.Errorf("look up what schema %v builds on: %w", mark, err)
	}
	decode, err = r.binding.Reader(source)
	if err != nil {
		return nil, fmt.Errorf("read schema %v: %w", mark, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decodes[mark] = decode
	return decode, nil
}

func (r *reader) text(ctx context.Context, mark schema.Mark) (schema.Text, error) {
	if mark.GUID != (schema.GUID{}) {
		return r.registry.TextOf(ctx, mark.GUID)
	}
	return r.registry.Text(ctx, mark.ID)
}
