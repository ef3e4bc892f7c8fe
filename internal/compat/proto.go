package compat

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/proto"
)

func unreadableProto(writer, reader schema.Source) ([]Fault, error) {
	found, err := proto.Unreadable(writer, reader)
	if err != nil {
		return nil, err
	}
	faults := make([]Fault, len(found))
	for i, f := range found {
		kind := Number
		if strings.HasPrefix(f.Text, "it is required") {
			kind = Missing
		}
		faults[i] = Fault{Kind: kind, Path: f.Path, Text: f.Text}
	}
	return faults, nil
}

// protoFields lists what each message of a file has; of the message that is
// named, if one is.
func protoFields(source schema.Source) ([]Field, error) {
	file, err := proto.Parse(source)
	if err != nil {
		return nil, err
	}
	l := protoLister{message: source.Message}
	l.messages(file.Messages())
	return l.fields, nil
}

type protoLister struct {
	message string // empty means all
	fields  []Field
}

func (l *protoLister) messages(all protoreflect.MessageDescriptors) {
	for i := range all.Len() {
		m := all.Get(i)
		if m.IsMapEntry() {
			continue
		}
		if l.message == "" || strings.HasPrefix(string(m.FullName())+".", l.message+".") {
			for j := range m.Fields().Len() {
				l.fields = append(l.fields, protoField(m, m.Fields().Get(j)))
			}
		}
		l.messages(m.Messages())
	}
}

func protoField(m protoreflect.MessageDescriptor, f protoreflect.FieldDescriptor) Field {
	path := strings.TrimPrefix(strings.TrimPrefix(string(m.FullName()), string(m.ParentFile().Package())), ".")
	one := Field{Path: path + "." + string(f.Name()), Type: protoType(f), Rules: fmt.Sprintf("= %d", f.Number())}
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		one.Rules += ", in oneof " + string(o.Name())
	}
	if f.HasDefault() {
		one.Default = fmt.Sprint(f.Default().Interface())
	}
	one.Doc = strings.TrimSpace(m.ParentFile().SourceLocations().ByDescriptor(f).LeadingComments)
	one.floating = f.Kind() == protoreflect.DoubleKind || f.Kind() == protoreflect.FloatKind
	return one
}

func protoType(f protoreflect.FieldDescriptor) string {
	name := func(f protoreflect.FieldDescriptor) string {
		switch {
		case f.Message() != nil:
			return string(f.Message().FullName())
		case f.Enum() != nil:
			return string(f.Enum().FullName())
		}
		return f.Kind().String()
	}
	switch {
	case f.IsMap():
		return fmt.Sprintf("map of %s to %s", name(f.MapKey()), name(f.MapValue()))
	case f.IsList():
		return "repeated " + name(f)
	case f.HasOptionalKeyword():
		return "optional " + name(f)
	case f.Cardinality() == protoreflect.Required:
		return "required " + name(f)
	}
	return name(f)
}
