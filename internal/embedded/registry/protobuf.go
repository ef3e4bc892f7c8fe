package registry

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/slipway-go/slipway/schema/proto"
)

// unreadableProto returns what would be read wrong.
func unreadableProto(writer, reader parsed) []string {
	faults, err := proto.Unreadable(writer.source, reader.source)
	if err != nil {
		return []string{err.Error()}
	}
	var reasons []string
	for _, f := range faults {
		reasons = append(reasons, f.String())
	}
	return reasons
}

// reusable returns what in a new file lets a number mean something else than it
// did, whatever the level: a field that goes without its number being reserved,
// a number that gets another name, a reservation that goes. Apicurio refuses
// these, and more that is harmless; Confluent's registry is content with what
// can be read.
func reusable(old, new parsed) []string {
	before, err := proto.Parse(old.source)
	if err != nil {
		return []string{err.Error()}
	}
	after, err := proto.Parse(new.source)
	if err != nil {
		return []string{err.Error()}
	}
	return reused(before.Messages(), after.Messages())
}

func reused(before, after protoreflect.MessageDescriptors) []string {
	var reasons []string
	for i := range before.Len() {
		old := before.Get(i)
		now := after.ByName(old.Name())
		if now == nil || old.IsMapEntry() {
			continue // a message that went is told of already
		}
		refuse := func(format string, args ...any) {
			reasons = append(reasons, string(old.FullName())+": "+fmt.Sprintf(format, args...))
		}
		for j := range old.Fields().Len() {
			f := old.Fields().Get(j)
			g := now.Fields().ByNumber(f.Number())
			switch {
			case g != nil && g.Name() != f.Name():
				refuse("number %d was %s and is %s", f.Number(), f.Name(), g.Name())
			case g == nil && !now.ReservedRanges().Has(f.Number()):
				refuse("field %s is gone and its number %d is not reserved", f.Name(), f.Number())
			}
		}
		for j := range old.ReservedRanges().Len() {
			r := old.ReservedRanges().Get(j)
			for n := r[0]; n < r[1] && n-r[0] < 1000; n++ {
				if !now.ReservedRanges().Has(n) {
					refuse("number %d is reserved no more", n)
					break
				}
			}
		}
		for j := range old.ReservedNames().Len() {
			if name := old.ReservedNames().Get(j); !now.ReservedNames().Has(name) {
				refuse("name %s is reserved no more", strings.TrimSpace(string(name)))
			}
		}
		reasons = append(reasons, reused(old.Messages(), now.Messages())...)
	}
	return reasons
}
