package schema_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/slipway-go/slipway/schema"
)

func TestAMarkIsConfluentsInBothForms(t *testing.T) {
	t.Parallel()
	var guid schema.GUID
	if err := guid.UnmarshalText([]byte("89791762-2336-4186-9674-299b90a802e2")); err != nil {
		t.Fatal(err)
	}
	for want, mark := range map[string]schema.Mark{
		"\x00\x00\x00\x00\x07": {ID: 7},
		"\x01\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2": {GUID: guid},
	} {
		if got := mark.Append(nil); string(got) != want {
			t.Errorf("Append of %v = %x, want %x", mark, got, want)
		}
		got, rest, err := schema.SplitMark([]byte(want + "rest"))
		if err != nil || got != mark || string(rest) != "rest" {
			t.Errorf("SplitMark = %v, %q, %v", got, rest, err)
		}
	}
}

func TestAGUIDIsReadInItsCanonicalFormOnly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "897917622336418696742 99b90a802e2", "89791762-2336-4186-9674-299b90a802eg", "{89791762-2336-4186-9674-299b90a802e2}"} {
		g := schema.GUID{1}
		if err := g.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %v", text, g)
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 'x'})
	f.Add(bytes.Repeat([]byte{1}, 17))
	f.Add(make([]byte, 17))
	f.Fuzz(func(t *testing.T, b []byte) {
		mark, rest, err := schema.SplitMark(b)
		switch {
		case err != nil && !errors.Is(err, schema.ErrNotFramed):
			t.Fatalf("SplitMark = %v", err)
		case err != nil:
			return
		}
		if back := append(mark.Append(nil), rest...); !bytes.Equal(back, b) {
			t.Fatalf("%x came back as %x", b, back)
		}
	})
}
