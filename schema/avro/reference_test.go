package avro_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

type amount struct {
	Minor int64 `avro:"minor"`
}

type tagged struct {
	Net  amount  `avro:"net"`
	Tax  *amount `avro:"tax"`
	Kind string  `avro:"kind"`
}

// taggedSource uses an imported type twice, by its full name and by its name in
// the namespace, and an imported enum with a default that is a long.
func taggedSource() schema.Source {
	return schema.Source{
		Schema: `{"type":"record","name":"Tagged","namespace":"shop","doc":"about shop.Amount","fields":[
			{"name":"net","type":"shop.Amount"},{"name":"tax","type":["null","Amount"],"default":null},{"name":"kind","type":"base.Kind"}]}`,
		Imports: []schema.Import{
			{Name: "base.Kind", Schema: `{"type":"enum","name":"base.Kind","symbols":["A","B"]}`},
			{Name: "shop.Amount", Schema: `{"type":"record","name":"Amount","namespace":"shop","fields":[{"name":"minor","type":"long","default":9007199254740993}]}`},
		},
	}
}

func TestImportedTypesAreReadWhereTheyAreUsed(t *testing.T) {
	t.Parallel()
	source := taggedSource()
	b, err := avro.Codec().Bind(source, reflect.TypeFor[tagged]())
	if err != nil {
		t.Fatal(err)
	}
	if b.Record() != "shop.Tagged" {
		t.Errorf("Record() = %s", b.Record())
	}
	want := tagged{Net: amount{1}, Tax: &amount{2}, Kind: "B"}
	data, err := b.Append(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	decode, err := b.Reader(source)
	if err != nil {
		t.Fatal(err)
	}
	var got tagged
	if err := decode(data, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v, want %+v", got, err, want)
	}
	whole, err := avro.Whole(source)
	if err != nil || !strings.Contains(whole, "9007199254740993") || !strings.Contains(whole, "about shop.Amount") {
		t.Errorf("Whole = %s, %v, want the default to the digit and the words as they are", whole, err)
	}
}

func TestATypeThatIsNotImportedIsTold(t *testing.T) {
	t.Parallel()
	source := taggedSource()
	source.Imports = source.Imports[:1]
	if _, err := avro.Codec().Bind(source, reflect.TypeFor[tagged]()); !errors.Is(err, diag.SchemaInvalid) || !strings.Contains(err.Error(), "Amount") {
		t.Errorf("Bind = %v, want %v that names the type", err, diag.SchemaInvalid)
	}
	source = schema.Source{Schema: `"a.A"`, Imports: []schema.Import{{Name: "a.A", Schema: `"b.B"`}, {Name: "b.B", Schema: `"a.A"`}}}
	if _, err := avro.Record(source); !errors.Is(err, diag.SchemaInvalid) {
		t.Errorf("two that are each other: %v, want %v", err, diag.SchemaInvalid)
	}
}

func TestAKeyIsTheFieldUnderItsOwnSchema(t *testing.T) {
	t.Parallel()
	source := taggedSource()
	b, err := avro.Codec().Bind(source, reflect.TypeFor[tagged]())
	if err != nil {
		t.Fatal(err)
	}
	keyer := b.(schema.Keyer)
	for field, want := range map[string]struct{ schema, key string }{
		"net":  {`"name":"Amount"`, "\x02"},
		"kind": {`"enum"`, "\x02"},
	} {
		text, err := keyer.KeySchema(field)
		if err != nil || !strings.Contains(text, want.schema) {
			t.Errorf("KeySchema(%s) = %s, %v", field, text, err)
		}
		if alone, err := avro.KeySchema(source, field); err != nil || alone != text {
			t.Errorf("KeySchema of the source = %s, %v, want %s", alone, err, text)
		}
		key, err := keyer.AppendKey([]byte("x"), &tagged{Net: amount{1}, Kind: "B"}, field)
		if err != nil || string(key) != "x"+want.key {
			t.Errorf("AppendKey(%s) = %x, %v, want %x", field, key, err, want.key)
		}
	}
	if key, err := keyer.EncodeKey(nil, "kind", "A"); err != nil || string(key) != "\x00" {
		t.Errorf("EncodeKey = %x, %v", key, err)
	}
	for _, field := range []string{"tax", "nope"} {
		if _, err := keyer.KeySchema(field); !errors.Is(err, diag.SchemaKey) {
			t.Errorf("KeySchema(%s) = %v, want %v", field, err, diag.SchemaKey)
		}
	}
}
