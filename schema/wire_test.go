package schema_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/slipway-go/slipway/schema"
)

func TestTheHeaderIsConfluentsWireFormat(t *testing.T) {
	t.Parallel()
	got := schema.AppendHeader([]byte("x"), 0x01020304)
	if want := []byte{'x', 0, 1, 2, 3, 4}; !bytes.Equal(got, want) {
		t.Errorf("AppendHeader = %v, want %v", got, want)
	}
}

func TestWhatIsNotFramedIsToldApart(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"nothing":       nil,
		"short":         {0, 0, 0, 1},
		"other magic":   {1, 0, 0, 0, 1, 'x'},
		"json":          []byte(`{"id":1}`),
		"id zero":       {0, 0, 0, 0, 0, 'x'},
		"id of 32 bits": {0, 0xff, 0, 0, 0, 'x'},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if id, _, err := schema.SplitHeader(b); !errors.Is(err, schema.ErrNotFramed) {
				t.Errorf("SplitHeader = %d, %v, want %v", id, err, schema.ErrNotFramed)
			}
		})
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 'x'})
	f.Add([]byte{0, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, payload, err := schema.SplitHeader(b)
		if err != nil {
			return
		}
		if id < 1 || id > math.MaxInt32 {
			t.Fatalf("id %d is out of range", id)
		}
		if back := append(schema.AppendHeader(nil, id), payload...); !bytes.Equal(back, b) {
			t.Fatalf("%v came back as %v", b, back)
		}
	})
}
