package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/schema"
)

// level is a compatibility level.
type level string

const (
	none     level = "NONE"
	backward level = "BACKWARD"
	forward  level = "FORWARD"
	full     level = "FULL"
)

const transitiveSuffix = "_TRANSITIVE"

// levels are all of them.
var levels = []level{
	none, backward, backward + transitiveSuffix, forward, forward + transitiveSuffix, full, full + transitiveSuffix,
}

func (l level) valid() bool { return slices.Contains(levels, l) }

// transitive reports whether a new schema is checked against all versions and
// not the newest alone.
func (l level) transitive() bool { return strings.HasSuffix(string(l), transitiveSuffix) }

// check returns why a new schema may not follow an old one.
func (l level) check(old, new parsed) []string {
	base := level(strings.TrimSuffix(string(l), transitiveSuffix))
	if base == none {
		return nil
	}
	if old.kind != new.kind {
		return []string{fmt.Sprintf("the schema type changes from %s to %s", old.kind, new.kind)}
	}
	var reasons []string
	if new.kind == typeProto {
		reasons = reusable(old, new)
	}
	if base == backward || base == full {
		for _, r := range unreadable(old, new) {
			reasons = append(reasons, "the new schema cannot read old values: "+r)
		}
	}
	if base == forward || base == full {
		for _, r := range unreadable(new, old) {
			reasons = append(reasons, "the old schema cannot read new values: "+r)
		}
	}
	return reasons
}

// differs reports whether a name stands for two texts.
func differs(a, b []schema.Import) bool {
	texts := make(map[string]string, len(a))
	for _, i := range a {
		texts[i.Name] = i.Schema
	}
	return slices.ContainsFunc(b, func(i schema.Import) bool {
		text, both := texts[i.Name]
		return both && text != i.Schema
	})
}

// unreadable returns why values written under one schema cannot all be read
// under the other.
func unreadable(writer, reader parsed) []string {
	switch writer.kind {
	case typeProto:
		return unreadableProto(writer, reader)
	case typeJSON:
		if differs(writer.source.Imports, reader.source.Imports) {
			return []string{"at /: what the schema refers to differs, which is not checked further"}
		}
		return narrowed(writer.json, reader.json)
	}
	err := avro.CheckCompatibility(writer.avro, reader.avro)
	if err == nil {
		return nil
	}
	var c *avro.CompatibilityError
	if !errors.As(err, &c) {
		return []string{err.Error()}
	}
	what := fmt.Sprintf("field %s: %s", strings.TrimPrefix(c.Path, "."), c.Detail)
	switch {
	case c.WriterType != "" && c.ReaderType != "":
		what += fmt.Sprintf(" (written as %s, read as %s)", c.WriterType, c.ReaderType)
	case c.ReaderType != "":
		what += fmt.Sprintf(" (read as %s)", c.ReaderType)
	}
	return []string{what}
}
