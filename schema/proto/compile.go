package proto

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// fileName is what the compiler calls the schema itself.
const fileName = "slipway.schema.proto"

// Parse returns the file that a schema is, with what it imports.
func Parse(source schema.Source) (protoreflect.FileDescriptor, error) {
	files := map[string]string{fileName: source.Schema}
	for _, i := range source.Imports {
		files[i.Name] = i.Schema
	}
	var faults []string
	compiler := protocompile.Compiler{
		MaxParallelism: 1,
		SourceInfoMode: protocompile.SourceInfoStandard, // comments are documentation in generated code and in diffs
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(files),
		}),
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			if len(faults) < maxFaults {
				faults = append(faults, strings.TrimPrefix(err.Error(), fileName+":"))
			}
			return nil
		}, nil),
	}
	compiled, err := compiler.Compile(context.Background(), fileName)
	if len(faults) > 0 {
		err = errors.New(strings.Join(faults, "; "))
	}
	if err != nil {
		return nil, fmt.Errorf("parse proto schema: %w", err)
	}
	return compiled[0], nil
}

// maxFaults is how many faults of a file are told at once.
const maxFaults = 5

// Message returns the message that the values of a schema are: the one it
// names, or the first.
func Message(source schema.Source) (protoreflect.MessageDescriptor, error) {
	file, err := Parse(source)
	if err != nil {
		return nil, diag.New(diag.SchemaInvalid, "%v", err)
	}
	if source.Message == "" {
		if file.Messages().Len() == 0 {
			return nil, diag.New(diag.SchemaMessage, "the schema has no message")
		}
		return file.Messages().Get(0), nil
	}
	found := find(file.Messages(), protoreflect.FullName(source.Message))
	if found == nil {
		return nil, diag.New(diag.SchemaMessage, "the schema has no message %s", source.Message).
			WithEvidence("it has %s", strings.Join(names(file.Messages()), ", "))
	}
	return found, nil
}

// Record is the full name of the message.
func Record(source schema.Source) (string, error) {
	m, err := Message(source)
	if err != nil {
		return "", err
	}
	return string(m.FullName()), nil
}

func find(in protoreflect.MessageDescriptors, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for i := range in.Len() {
		m := in.Get(i)
		if m.FullName() == name {
			return m
		}
		if inner := find(m.Messages(), name); inner != nil {
			return inner
		}
	}
	return nil
}

// names are those of all messages, but for the entries of maps.
func names(in protoreflect.MessageDescriptors) []string {
	var all []string
	for i := range in.Len() {
		if m := in.Get(i); !m.IsMapEntry() {
			all = append(append(all, string(m.FullName())), names(m.Messages())...)
		}
	}
	return all
}
