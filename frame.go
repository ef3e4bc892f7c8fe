package slipway

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
)

// A frame is how the records of a producer name their schemas.
type frame struct {
	prefix []byte // in front of every value
	header []byte // the header's value, where the schema is named there
	skip   int    // bytes that the codec puts in front of a value and the header has
	key    []byte // in front of every key that has a schema

	size atomic.Int64 // of the largest value so far, to make room at once
}

// maxRoom bounds the room that is made for a value before it is encoded.
const maxRoom = 64 << 10

// value encodes a value in its frame.
func (f *frame) value(b schema.Binding, v any) ([]byte, error) {
	room := f.size.Load()
	dst := append(make([]byte, 0, room), f.prefix...)
	dst, err := b.Append(dst, v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if n := int64(len(dst)); n > room && n <= maxRoom {
		f.size.Store(n)
	}
	return dst[f.skip:], nil
}

// encodeKey returns the key of a value, nil for a topic without keys.
func (p *producer) encodeKey(v any) ([]byte, error) {
	if p.key.Field == "" {
		return nil, nil
	}
	if p.key.Format == contract.KeyAvro {
		keyer, err := p.keyer()
		if err != nil {
			return nil, err
		}
		return keyer.AppendKey(append([]byte(nil), p.frame.key...), v, p.key.Field)
	}
	text, err := p.binding.Key(v, p.key.Field)
	if err != nil {
		return nil, fmt.Errorf("%w: read key: %w", ErrUnfit, err)
	}
	return formatKey(text, p.key.Format)
}

func (p *producer) keyer() (schema.Keyer, error) {
	keyer, ok := p.binding.(schema.Keyer)
	if !ok {
		return nil, diag.New(diag.SchemaKey, "topics/%s: the key is in Avro and the values are not", p.topic).
			At(p.app.contract.Position("topics/" + p.topic + "/key"))
	}
	return keyer, nil
}

// markProducer asks the registry what the producer's schemas are called.
func (l *link) markProducer(ctx context.Context, p *producer, declared *contract.Schema, source schema.Source) error {
	subject := l.subject(declared, p.topic, p.binding)
	text, err := source.Pin(ctx, l.registry, string(declared.Format))
	if err != nil {
		return l.unmarked(p, declared.File, subject, err)
	}
	held, err := l.registry.Find(ctx, subject, text)
	if err != nil {
		return l.unmarked(p, declared.File, subject, err)
	}
	if err := l.placeMark(p, declared, held); err != nil {
		return err
	}
	return l.markKeys(ctx, p, declared.File)
}

// placeMark decides where the mark of values goes.
func (a *App) placeMark(p *producer, declared *contract.Schema, held schema.Version) error {
	if declared.ID != contract.IDHeader {
		p.frame.prefix = schema.Mark{ID: held.ID}.Append(nil)
		return nil
	}
	if held.GUID == (schema.GUID{}) {
		return diag.New(diag.SchemaNoGUID, "topics/%s: the schema's id is to be in a header, and the registry gave no GUID for it", p.topic).
			At(a.contract.Position("topics/" + p.topic + "/schema")).WithFix("write id: prefix")
	}
	p.frame.header = schema.Mark{GUID: held.GUID}.Append(nil)
	if indexed, ok := p.binding.(schema.Indexed); ok {
		p.frame.header = append(p.frame.header, indexed.Indexes()...)
		p.frame.skip = len(indexed.Indexes())
	}
	return nil
}

// markKeys asks for the id of the keys' schema, where they have one.
func (l *link) markKeys(ctx context.Context, p *producer, file string) error {
	if p.key.Format != contract.KeyAvro || p.key.Field == "" {
		return nil
	}
	keyer, err := p.keyer()
	if err != nil {
		return err
	}
	text, err := keyer.KeySchema(p.key.Field)
	if err != nil {
		return err
	}
	subject := schema.KeySubject(p.physical)
	id, err := l.registry.Lookup(ctx, subject, schema.Text{Format: string(contract.Avro), Schema: text})
	if err != nil {
		return l.unmarked(p, "the key's part of "+file, subject, err)
	}
	p.frame.key = schema.Mark{ID: id}.Append(nil)
	return nil
}

// unmarked says why a producer does not know what its schema is called.
func (l *link) unmarked(p *producer, what, subject string, err error) error {
	if errors.Is(err, schema.ErrNotFound) {
		return diag.New(diag.RuntimeSchemaUnknown, "the registry does not hold %s under %s", what, subject).
			WithFix("run slipway apply -e %s", l.env.Name)
	}
	if len(diag.Of(err)) > 0 && !errors.Is(err, schema.ErrUnavailable) && !errors.Is(err, schema.ErrUnauthorized) {
		return err
	}
	return diag.New(diag.RuntimeRegistryDown, "ask the registry for the schema of %s: %v", p.topic, err)
}

// subject is where the registry has the schema of a topic that the contract owns.
func (l *link) subject(declared *contract.Schema, topic string, b schema.Binding) string {
	return schema.Subject(declared.Subject, l.env.TopicPrefix, topic, b.Record())
}

// source reads a schema of the contract with what it builds on.
func (l *link) source(ctx context.Context, declared *contract.Schema) (schema.Source, error) {
	s, err := schema.SourceOf(l.contract, declared, l.env.TopicPrefix)
	if err != nil {
		return schema.Source{}, err
	}
	return s.Complete(ctx, l.registry)
}

// unframe finds the mark of a record's value: in its header, or in front of the
// value. What a header says behind its mark belongs in front of the value.
func unframe(rec *kgo.Record) (schema.Mark, []byte, error) {
	if header, ok := record.Get(rec.Headers, schema.ValueIDHeader); ok {
		if mark, rest, err := schema.SplitMark([]byte(header)); err == nil {
			return mark, append(rest, rec.Value...), nil
		}
	}
	return schema.SplitMark(rec.Value)
}
