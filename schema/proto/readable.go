package proto

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/slipway-go/slipway/schema"
)

// A Fault is one reason why what is written cannot be read.
type Fault struct {
	Path string // the field, such as lines.price; empty for the message as a whole
	Text string
}

// String is the fault on one line.
func (f Fault) String() string {
	if f.Path == "" {
		return "the message: " + f.Text
	}
	return "field " + f.Path + ": " + f.Text
}

// Readable returns nil if every value written under one schema can be read
// under another, and else an error that names the fields at fault: a number
// whose type has changed, a list that is read as one value, a field that is required and may be missing, one that
// has moved into or out of a oneof with others, a message that is not there. A
// field that came or went, or has another name, is no fault.
func Readable(writer, reader schema.Source) error {
	faults, err := Unreadable(writer, reader)
	if err != nil || len(faults) == 0 {
		return err
	}
	told := make([]string, min(len(faults), maxFaults))
	for i := range told {
		told[i] = faults[i].String()
	}
	return errors.New(strings.Join(told, "; "))
}

// Unreadable returns what [Readable] tells, fault by fault. The error says
// which of the schemas cannot be parsed.
//
// Where the reader names no message all that the writer's file has are compared,
// for any of them may come.
func Unreadable(writer, reader schema.Source) ([]Fault, error) {
	w, err := Parse(writer)
	if err != nil {
		return nil, fmt.Errorf("the writer's schema: %w", err)
	}
	r, err := Parse(reader)
	if err != nil {
		return nil, fmt.Errorf("the reader's schema: %w", err)
	}
	if reader.Message != "" {
		written, read := find(w.Messages(), protoreflect.FullName(reader.Message)), find(r.Messages(), protoreflect.FullName(reader.Message))
		if written == nil || read == nil {
			return []Fault{{Text: reader.Message + " is not in both schemas"}}, nil
		}
		return unreadable(written, read), nil
	}
	c := reading{seen: make(map[pair]bool)}
	c.all(w.Messages(), r.Messages())
	return c.faults, nil
}

// unreadable compares two messages.
func unreadable(written, read protoreflect.MessageDescriptor) []Fault {
	c := reading{seen: make(map[pair]bool)}
	c.message(written, read, "")
	return c.faults
}

// reading holds what is written against what is read, by number.
type reading struct {
	faults []Fault
	seen   map[pair]bool
}

func (c *reading) fault(path, format string, args ...any) {
	c.faults = append(c.faults, Fault{strings.TrimSuffix(path, "."), fmt.Sprintf(format, args...)})
}

func (c *reading) all(w, r protoreflect.MessageDescriptors) {
	for i := range w.Len() {
		written := w.Get(i)
		if written.IsMapEntry() {
			continue
		}
		read := r.ByName(written.Name())
		if read == nil {
			c.fault("", "%s is not in the reader's schema", written.FullName())
			continue
		}
		c.message(written, read, "")
		c.all(written.Messages(), read.Messages())
	}
}

func (c *reading) message(w, r protoreflect.MessageDescriptor, path string) {
	key := pair{w.FullName(), r.FullName()}
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	for i := range w.Fields().Len() {
		written := w.Fields().Get(i)
		if read := r.Fields().ByNumber(written.Number()); read != nil {
			c.field(written, read, path)
		}
	}
	for i := range r.Fields().Len() {
		read := r.Fields().Get(i)
		if written := w.Fields().ByNumber(read.Number()); read.Cardinality() == protoreflect.Required &&
			(written == nil || written.Cardinality() != protoreflect.Required) {
			c.fault(path+string(read.Name()), "it is required and may be missing")
		}
	}
	c.oneofs(w, r, path)
}

func (c *reading) field(w, r protoreflect.FieldDescriptor, path string) {
	path += string(r.Name())
	switch {
	case w.IsMap() != r.IsMap(), w.IsList() && !r.IsList():
		c.fault(path, "number %d is written as %s %s and read as %s %s", w.Number(), label(w), spell(w), label(r), spell(r))
	case w.IsMap():
		c.field(w.MapKey(), r.MapKey(), path+".")
		c.field(w.MapValue(), r.MapValue(), path+".")
	case family(w) != family(r):
		c.fault(path, "number %d is written as %s and read as %s", w.Number(), spell(w), spell(r))
	case w.Message() != nil && r.Message() != nil:
		if w.Message().Name() != r.Message().Name() {
			c.fault(path, "number %d is written as %s and read as %s", w.Number(), spell(w), spell(r))
			return
		}
		c.message(w.Message(), r.Message(), path+".")
	}
}

// family is what types can be read as each other, by Protobuf's rules.
func family(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.Int32Kind, protoreflect.Uint32Kind, protoreflect.Int64Kind, protoreflect.Uint64Kind, protoreflect.BoolKind, protoreflect.EnumKind:
		return "varint"
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return "zigzag"
	case protoreflect.StringKind, protoreflect.BytesKind:
		return "bytes"
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return "fixed32"
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return "fixed64"
	case protoreflect.MessageKind:
		return "message"
	default:
		return f.Kind().String() // float, double, group
	}
}

// oneofs reports fields that were beside each other and are now in one oneof:
// all but the last of them would be lost.
func (c *reading) oneofs(w, r protoreflect.MessageDescriptor, path string) {
	for i := range r.Oneofs().Len() {
		read := r.Oneofs().Get(i)
		if read.IsSynthetic() {
			continue
		}
		homes := make(map[protoreflect.Name]bool)
		count := 0
		for j := range read.Fields().Len() {
			written := w.Fields().ByNumber(read.Fields().Get(j).Number())
			if written == nil {
				continue
			}
			count++
			homes[oneof(written)] = true
		}
		if count > 1 && (len(homes) > 1 || homes[""]) {
			c.fault(path+string(read.Name()), "fields that were written beside each other are read as one oneof")
		}
	}
}
