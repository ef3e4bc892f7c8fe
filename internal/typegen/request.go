package typegen

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	gogo "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/schema/proto"
)

// Request is what to ask protoc-gen-go for, in the form that it reads from its
// standard input: the types of all Protobuf schemas of a contract. It is nil if
// there are none.
//
// The files are named as the contract names them, because a program that links
// two files of one name does not start.
func Request(pkg string, c Contract) ([]byte, error) {
	r := request{pkg: pkg, seen: map[string]bool{}}
	for _, e := range slices.Concat(c.Consumes, c.Produces) {
		if e.Schema == nil || e.Schema.Format != contract.Protobuf {
			continue
		}
		file, err := proto.Parse(e.Schema.Source)
		if err != nil {
			return nil, fmt.Errorf("parse the schema of %s: %w", e.Topic, err)
		}
		if err := r.add(file, e.Schema.File); err != nil {
			return nil, fmt.Errorf("the schema of %s: %w", e.Topic, err)
		}
	}
	if len(r.out.FileToGenerate) == 0 {
		return nil, nil
	}
	r.out.Parameter = new(strings.Join(append([]string{"paths=source_relative"}, r.mapped...), ","))
	return gogo.MarshalOptions{Deterministic: true}.Marshal(&r.out)
}

type request struct {
	pkg    string
	out    pluginpb.CodeGeneratorRequest
	mapped []string
	seen   map[string]bool
}

// add puts a file behind all that it imports. Protobuf's own files have Go
// packages; all others become part of this one.
func (r *request) add(file protoreflect.FileDescriptor, name string) error {
	if name == "" {
		name = file.Path()
	}
	if r.seen[name] {
		return nil
	}
	r.seen[name] = true
	for i := range file.Imports().Len() {
		if err := r.add(file.Imports().Get(i).FileDescriptor, ""); err != nil {
			return err
		}
	}
	p := protodesc.ToFileDescriptorProto(file)
	p.Name = new(name)
	r.out.ProtoFile = append(r.out.ProtoFile, p)
	if strings.HasPrefix(name, "google/protobuf/") {
		return nil
	}
	if strings.ContainsAny(name, ",=;") {
		return fmt.Errorf("%s is no name that protoc-gen-go takes", name)
	}
	r.out.FileToGenerate = append(r.out.FileToGenerate, name)
	r.mapped = append(r.mapped, fmt.Sprintf("M%s=example.com/%s;%s", name, r.pkg, r.pkg))
	return nil
}

// Response reads what protoc-gen-go answered: files by name, without the
// directories that their schemas are in.
func Response(data []byte) (map[string][]byte, error) {
	var got pluginpb.CodeGeneratorResponse
	if err := gogo.Unmarshal(data, &got); err != nil {
		return nil, fmt.Errorf("read the answer of protoc-gen-go: %w", err)
	}
	if got.Error != nil {
		return nil, errors.New(got.GetError())
	}
	files := map[string][]byte{}
	for _, f := range got.File {
		name := path.Base(f.GetName())
		if files[name] != nil {
			return nil, fmt.Errorf("two schemas would both be written to %s", name)
		}
		files[name] = []byte(f.GetContent())
	}
	return files, nil
}
