package proto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxNesting bounds the path to a message.
const maxNesting = 100

var errIndexes = errors.New("value does not begin with the indexes of its message")

// indexes is the path to a message as the wire format has it.
func indexes(m protoreflect.MessageDescriptor) []byte {
	var path []int
	for d := protoreflect.Descriptor(m); ; d = d.Parent() {
		if _, file := d.(protoreflect.FileDescriptor); file {
			break
		}
		path = append(path, d.Index())
	}
	slices.Reverse(path)
	if len(path) == 1 && path[0] == 0 {
		return []byte{0} // what is most frequent has a form of its own
	}
	b := binary.AppendVarint(nil, int64(len(path)))
	for _, i := range path {
		b = binary.AppendVarint(b, int64(i))
	}
	return b
}

// split reads the path that a value begins with, and finds its message.
func split(file protoreflect.FileDescriptor, data []byte) (protoreflect.MessageDescriptor, []byte, error) {
	count, data, err := varint(data)
	if err != nil || count < 0 || count > maxNesting {
		return nil, nil, errIndexes
	}
	if count == 0 {
		return first(file, data)
	}
	inner := file.Messages()
	var m protoreflect.MessageDescriptor
	for range count {
		var i int64
		if i, data, err = varint(data); err != nil || i < 0 {
			return nil, nil, errIndexes
		}
		if i >= int64(inner.Len()) {
			return nil, nil, fmt.Errorf("value names message %d, and the writer's schema has %d there", i, inner.Len())
		}
		m = inner.Get(int(i))
		inner = m.Messages()
	}
	return m, data, nil
}

func first(file protoreflect.FileDescriptor, data []byte) (protoreflect.MessageDescriptor, []byte, error) {
	if file.Messages().Len() == 0 {
		return nil, nil, errors.New("the writer's schema has no message")
	}
	return file.Messages().Get(0), data, nil
}

func varint(data []byte) (int64, []byte, error) {
	v, n := binary.Varint(data)
	if n <= 0 {
		return 0, nil, errIndexes
	}
	return v, data[n:], nil
}
