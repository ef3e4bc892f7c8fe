package avro

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/avro"
)

var (
	timeType         = reflect.TypeFor[time.Time]()
	durationType     = reflect.TypeFor[time.Duration]()
	ratType          = reflect.TypeFor[big.Rat]()
	jsonNumberType   = reflect.TypeFor[json.Number]()
	avroDurationType = reflect.TypeFor[avro.Duration]()
	textMarshaler    = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler  = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// kinds maps each of Avro's own types to the Go type that the documentation
// names for it. What is not here is the name of a named type.
var kinds = map[string]string{
	"null": "any", "boolean": "bool", "int": "int32", "long": "int64", "float": "float32", "double": "float64",
	"string": "string", "bytes": "[]byte", "enum": "string",
	"fixed": "", "array": "", "map": "", "record": "", "union": "",
}

// logicals maps the logical types that have a Go type of their own, together
// with the types they may refine. Elsewhere, Avro says, a logical type is to be
// ignored.
var logicals = map[[2]string]string{
	{"long", "timestamp-millis"}:       "time.Time",
	{"long", "timestamp-micros"}:       "time.Time",
	{"long", "timestamp-nanos"}:        "time.Time",
	{"long", "local-timestamp-millis"}: "time.Time",
	{"long", "local-timestamp-micros"}: "time.Time",
	{"long", "local-timestamp-nanos"}:  "time.Time",
	{"int", "date"}:                    "time.Time",
	{"int", "time-millis"}:             "time.Duration",
	{"long", "time-micros"}:            "time.Duration",
	{"bytes", "decimal"}:               "*big.Rat",
	{"fixed", "decimal"}:               "*big.Rat",
	{"bytes", "big-decimal"}:           "*big.Rat",
}

// logical is the Go type of a node's logical type, "" if it has none.
func logical(n *avro.SchemaNode) string { return logicals[[2]string{n.Type, n.LogicalType}] }

// wanted is the Go type to tell a user for a schema node.
func (w *walker) wanted(n *avro.SchemaNode) string {
	n = w.resolve(n)
	if known := logical(n); known != "" {
		return known
	}
	switch n.Type {
	case "fixed":
		return fmt.Sprintf("[%d]byte", n.Size)
	case "array":
		return "[]" + w.wanted(n.Items)
	case "map":
		return "map[string]" + w.wanted(n.Values)
	case "record":
		return "a struct for record " + n.Name
	case "union":
		if optional, ok := w.optional(n); ok {
			return pointerTo(w.wanted(optional))
		}
		return "any"
	}
	return kinds[n.Type]
}

// pointerTo puts a star before what wanted said. A decimal is a pointer
// already.
func pointerTo(want string) string {
	if rest, ok := strings.CutPrefix(want, "a struct"); ok {
		return "a pointer to a struct" + rest
	}
	return "*" + strings.TrimPrefix(want, "*")
}

// holds reports whether a Go type can hold every value of a schema node and
// the node every value of the type. It looks at the node alone, not at what is
// inside; unions are for the walker.
func holds(n *avro.SchemaNode, t reflect.Type) bool {
	switch logical(n) {
	case "time.Time":
		return t == timeType
	case "time.Duration":
		return t == durationType
	case "*big.Rat":
		return t == reflect.PointerTo(ratType)
	}
	switch n.Type {
	case "boolean":
		return t.Kind() == reflect.Bool
	case "int":
		return t.Kind() == reflect.Int32
	case "long":
		return t.Kind() == reflect.Int64 || t.Kind() == reflect.Int && strconv.IntSize == 64
	case "float":
		return t.Kind() == reflect.Float32
	case "double":
		return t.Kind() == reflect.Float64
	case "string", "enum":
		return isText(t) || n.LogicalType == "uuid" && isBytes(t, 16)
	case "bytes":
		return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	case "fixed":
		return isBytes(t, n.Size) || n.LogicalType == "duration" && n.Size == 12 && t == avroDurationType
	case "array":
		return t.Kind() == reflect.Slice
	case "map":
		return t.Kind() == reflect.Map && t.Key().Kind() == reflect.String
	case "record":
		return t.Kind() == reflect.Struct
	case "null":
		return isAny(t)
	}
	return false
}

// isText reports whether a type is a string in both directions. A type with
// one of the text methods and not the other would write what it cannot read.
func isText(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	out, in := pointer.Implements(textMarshaler), pointer.Implements(textUnmarshaler)
	if out || in {
		return out && in
	}
	return t.Kind() == reflect.String && t != jsonNumberType
}

func isBytes(t reflect.Type, n int) bool {
	return t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8 && t.Len() == n
}

func isAny(t reflect.Type) bool { return t.Kind() == reflect.Interface && t.NumMethod() == 0 }

// describe names a schema node in a message.
func describe(n *avro.SchemaNode) string {
	switch n.Type {
	case "union":
		names := make([]string, len(n.Branches))
		for i := range n.Branches {
			names[i] = describe(&n.Branches[i])
		}
		return "a union of " + strings.Join(names, " and ")
	case "enum", "record", "fixed":
		return n.Type + " " + n.Name
	}
	if n.LogicalType != "" {
		return n.Type + " (" + n.LogicalType + ")"
	}
	return n.Type
}

// goName is a Go type as its author wrote it.
func goName(t reflect.Type) string {
	return strings.ReplaceAll(t.String(), "interface {}", "any")
}
