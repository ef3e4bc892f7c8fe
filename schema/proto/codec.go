package proto

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// Codec returns the codec for Protobuf values, for serve.Main and slipway.New.
func Codec() schema.Codec { return codec{} }

type codec struct{}

// Format returns "protobuf".
func (codec) Format() string { return "protobuf" }

// Bind checks that the generated type t is the schema's message. The error
// holds one diagnostic for each difference.
func (codec) Bind(source schema.Source, t reflect.Type) (schema.Binding, error) {
	bound, err := Message(source)
	if err != nil {
		return nil, err
	}
	generated, ok := reflect.TypeAssert[proto.Message](reflect.Zero(reflect.PointerTo(t)))
	if !ok {
		return nil, diag.New(diag.SchemaTypeMismatch, "message %s is bound to %v, want the struct that protoc-gen-go wrote for it", bound.FullName(), t)
	}
	if err := differences(bound, generated.ProtoReflect().Descriptor()); err != nil {
		return nil, err
	}
	return &binding{Target: schema.Target{Type: t}, message: bound, indexes: indexes(bound)}, nil
}

// binding is one generated type under one schema.
type binding struct {
	schema.Target
	message protoreflect.MessageDescriptor // of the schema
	indexes []byte
}

var _ schema.Indexed = (*binding)(nil)

// maxDepth bounds how deep messages lie within each other when they are read.
const maxDepth = 100

// Record is the message's full name.
func (b *binding) Record() string { return string(b.message.FullName()) }

// Indexes are what every value begins with.
func (b *binding) Indexes() []byte { return b.indexes }

// Append encodes v behind dst.
func (b *binding) Append(dst []byte, v any) ([]byte, error) {
	if err := b.Check(v); err != nil {
		return nil, fmt.Errorf("encode protobuf: %w", err)
	}
	dst = append(dst, b.indexes...)
	out, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, v.(proto.Message))
	if err != nil {
		return nil, fmt.Errorf("encode protobuf: %w", err)
	}
	return out, nil
}

// Reader returns a decoder for values written under another schema. It fails
// if a number means something else there.
func (b *binding) Reader(writer schema.Source) (schema.Decode, error) {
	file, err := Parse(writer)
	if err != nil {
		return nil, err
	}
	var expected []byte // what values of the bound message begin with
	if written := find(file.Messages(), b.message.FullName()); written != nil {
		expected = indexes(written)
		if faults := unreadable(written, b.message); len(faults) > 0 {
			return nil, fmt.Errorf("read the writer's schema as %v: %s", b.Type, faults[0])
		}
	}
	return func(data []byte, v any) error {
		if err := b.decode(file, expected, data, v); err != nil {
			return fmt.Errorf("decode protobuf: %w", err)
		}
		return nil
	}, nil
}

func (b *binding) decode(file protoreflect.FileDescriptor, expected, data []byte, v any) error {
	if err := b.Check(v); err != nil {
		return err
	}
	payload, found := bytes.CutPrefix(data, expected)
	if !found || expected == nil {
		written, rest, err := split(file, data)
		if err != nil {
			return err
		}
		if written.FullName() != b.message.FullName() {
			return fmt.Errorf("value is a %s, want a %s", written.FullName(), b.message.FullName())
		}
		payload = rest
	}
	return proto.UnmarshalOptions{RecursionLimit: maxDepth}.Unmarshal(payload, v.(proto.Message))
}

// Key returns a top-level field of v as a record key.
func (b *binding) Key(v any, field string) ([]byte, error) {
	key, err := b.key(v, field)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", field, err)
	}
	return key, nil
}

func (b *binding) key(v any, field string) ([]byte, error) {
	if err := b.Check(v); err != nil {
		return nil, err
	}
	m := v.(proto.Message).ProtoReflect()
	f := m.Descriptor().Fields().ByName(protoreflect.Name(field))
	switch {
	case f == nil:
		return nil, errors.New("message has no such field at its top level")
	case f.Cardinality() == protoreflect.Repeated:
		return nil, errors.New("a repeated field cannot be a key")
	case f.HasPresence() && !m.Has(f):
		return nil, schema.ErrNilKey
	}
	value := m.Get(f)
	switch got := value.Interface().(type) {
	case string:
		return []byte(got), nil
	case []byte:
		return bytes.Clone(got), nil
	case int32, int64:
		return strconv.AppendInt(nil, value.Int(), 10), nil
	case uint32, uint64:
		return strconv.AppendUint(nil, value.Uint(), 10), nil
	}
	return nil, fmt.Errorf("a %s cannot be a key: want a string, an integer or bytes", f.Kind())
}
