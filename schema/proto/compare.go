package proto

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/slipway-go/slipway/diag"
)

// pair is a message of the schema met with one of the generated code: checked
// once, which also ends the walk of a recursive message.
type pair struct{ schema, goes protoreflect.FullName }

// comparison holds a schema against generated code.
type comparison struct {
	faults diag.List
	seen   map[pair]bool
}

// differences reports everything in which a schema's message and that of the
// generated code differ.
func differences(schema, goes protoreflect.MessageDescriptor) error {
	c := comparison{seen: make(map[pair]bool)}
	if schema.FullName() != goes.FullName() {
		c.fault("the schema's message is %s and the Go type is of message %s: name the message in the contract, or use its type", schema.FullName(), goes.FullName())
		return c.faults.Err()
	}
	c.message(schema, goes, "")
	return c.faults.Err()
}

func (c *comparison) fault(format string, args ...any) {
	c.faults.Add(diag.New(diag.SchemaTypeMismatch, format, args...))
}

func (c *comparison) message(schema, goes protoreflect.MessageDescriptor, path string) {
	key := pair{schema.FullName(), goes.FullName()}
	if c.seen[key] || schema.ParentFile().Package() == "google.protobuf" {
		return
	}
	c.seen[key] = true
	fields, others := schema.Fields(), goes.Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		o := others.ByNumber(f.Number())
		if o == nil {
			c.fault("field %s has number %d in the schema and the Go type has no such number%s: generate the code again", path+string(f.Name()), f.Number(), elsewhere(others, f))
			continue
		}
		c.field(f, o, path)
	}
	for i := range others.Len() {
		o := others.Get(i)
		if fields.ByNumber(o.Number()) == nil {
			c.fault("field %s of the Go type has number %d, which the schema does not have%s: its value would be lost to readers; add it to the schema, or generate the code again", path+string(o.Name()), o.Number(), elsewhere(fields, o))
		}
	}
}

// elsewhere tells of a field that has the name and another number.
func elsewhere(fields protoreflect.FieldDescriptors, f protoreflect.FieldDescriptor) string {
	if o := fields.ByName(f.Name()); o != nil {
		return fmt.Sprintf(", but %s with number %d", o.Name(), o.Number())
	}
	return ""
}

// field compares two fields of one number.
func (c *comparison) field(f, o protoreflect.FieldDescriptor, path string) {
	path += string(f.Name())
	differ := func(what string, schema, goes any) {
		c.fault("field %s (number %d): %s is %v in the schema and %v in the Go type: generate the code again", path, f.Number(), what, schema, goes)
	}
	if f.Name() != o.Name() {
		differ("the name", f.Name(), o.Name())
	}
	if label(f) != label(o) {
		differ("the label", label(f), label(o))
	}
	if oneof(f) != oneof(o) {
		differ("the oneof", named(oneof(f)), named(oneof(o)))
	}
	if spell(f) != spell(o) {
		differ("the type", spell(f), spell(o))
		return
	}
	switch {
	case f.Message() != nil:
		c.message(f.Message(), o.Message(), path+".")
	case f.Enum() != nil:
		c.enum(f.Enum(), o.Enum(), path)
	}
}

func (c *comparison) enum(schema, goes protoreflect.EnumDescriptor, path string) {
	key := pair{schema.FullName(), goes.FullName()}
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	values, others := schema.Values(), goes.Values()
	for i := range values.Len() {
		v := values.Get(i)
		if o := others.ByName(v.Name()); o == nil || o.Number() != v.Number() {
			c.fault("field %s: value %s = %d of enum %s is not in the Go type: generate the code again", path, v.Name(), v.Number(), schema.FullName())
		}
	}
	for i := range others.Len() {
		o := others.Get(i)
		if values.ByName(o.Name()) == nil {
			c.fault("field %s: value %s = %d of enum %s is not in the schema: add it, or generate the code again", path, o.Name(), o.Number(), schema.FullName())
		}
	}
}

// label is repeated, required, optional or none.
func label(f protoreflect.FieldDescriptor) string {
	switch {
	case f.Cardinality() != protoreflect.Optional:
		return f.Cardinality().String()
	case f.HasOptionalKeyword():
		return "optional"
	default:
		return "none"
	}
}

// oneof is the group that a field is in; those made up for optional do not
// count.
func oneof(f protoreflect.FieldDescriptor) protoreflect.Name {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o.Name()
	}
	return ""
}

func named(name protoreflect.Name) string {
	if name == "" {
		return "none"
	}
	return string(name)
}

// spell is a field's type as a .proto file has it.
func spell(f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsMap():
		return "map<" + spell(f.MapKey()) + ", " + spell(f.MapValue()) + ">"
	case f.Message() != nil:
		return string(f.Message().FullName())
	case f.Enum() != nil:
		return string(f.Enum().FullName())
	default:
		return f.Kind().String()
	}
}
