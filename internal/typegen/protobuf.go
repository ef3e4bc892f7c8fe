package typegen

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema/proto"
)

// protobuf is the type that protoc-gen-go declares for the message of an
// entry's schema.
func (u *universe) protobuf(e Entry) expr {
	m, err := proto.Message(e.Schema.Source)
	if err != nil {
		for _, d := range diag.Of(err) {
			u.faults.Add(d.At(e.Position).WithEvidence("it is the schema of %s", e.Topic))
		}
		return plain("any")
	}
	return plain(goMessage(m))
}

// goMessage is a message's name in Go: capitals where words begin, and the
// messages around it in front.
func goMessage(m protoreflect.MessageDescriptor) string {
	name := camel(string(m.Name()))
	if outer, ok := m.Parent().(protoreflect.MessageDescriptor); ok {
		return goMessage(outer) + "_" + name
	}
	return name
}

// camel is protoc-gen-go's spelling of a name.
func camel(name string) string {
	small := func(i int) bool { return i < len(name) && name[i] >= 'a' && name[i] <= 'z' }
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '_' && i == 0:
			b.WriteByte('X')
		case c == '_' && small(i+1): // the letter behind it is a capital
		case c >= '0' && c <= '9':
			b.WriteByte(c)
		default:
			if small(i) {
				c -= 'a' - 'A'
			}
			b.WriteByte(c)
			for ; small(i + 1); i++ {
				b.WriteByte(name[i+1])
			}
		}
	}
	return b.String()
}
