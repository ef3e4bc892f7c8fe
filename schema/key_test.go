package schema_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/slipway-go/slipway/schema"
)

type text struct{ s string }

func (t *text) MarshalText() ([]byte, error) { return []byte("text " + t.s), nil }

func TestAKeyIsTheTextOfItsField(t *testing.T) {
	t.Parallel()
	type name string
	type octet byte
	for want, field := range map[string]any{
		"order-1":   "order-1",
		"named":     name("named"),
		"-7":        int32(-7),
		"18":        uint64(18),
		"\x00\xff":  []byte{0, 255},
		"ab":        [2]byte{'a', 'b'},
		"octets":    []octet("octets"),
		"pointed":   new("pointed"),
		"10.0.0.1":  netip.MustParseAddr("10.0.0.1"),
		"text of p": &text{"of p"},
	} {
		got, err := schema.KeyBytes(reflect.ValueOf(field))
		if err != nil || string(got) != want {
			t.Errorf("KeyBytes(%#v) = %q, %v, want %q", field, got, err, want)
		}
	}
}

func TestAKeyDoesNotAliasItsField(t *testing.T) {
	t.Parallel()
	field := []byte("key")
	key, err := schema.KeyBytes(reflect.ValueOf(field))
	if err != nil {
		t.Fatal(err)
	}
	field[0] = 'x'
	if string(key) != "key" {
		t.Errorf("the key changed with its field to %q", key)
	}
}

func TestWhatHasNoOrderIsNoKey(t *testing.T) {
	t.Parallel()
	for name, field := range map[string]any{
		"nil pointer": (*string)(nil), "float": 1.5, "bool": true, "struct": struct{}{}, "strings": []string{"a"}, "map": map[string]int{},
	} {
		if got, err := schema.KeyBytes(reflect.ValueOf(field)); err == nil {
			t.Errorf("KeyBytes of a %s = %q, want an error", name, got)
		}
	}
}
