package avro_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lists is an event with arrays in every place that can hold one.
type lists struct {
	A []int64            `avro:"a"`
	M map[string][]int64 `avro:"m"`
	N *[][]int64         `avro:"n"`
	E string             `avro:"e"`
}

const (
	longs       = `{"type":"array","items":"long"}`
	listsSchema = `{"type":"record","name":"Lists","fields":[{"name":"a","type":` + longs + `},` +
		`{"name":"m","type":{"type":"map","values":` + longs + `}},` +
		`{"name":"n","type":["null",{"type":"array","items":` + longs + `}]},{"name":"e","type":"string"}]}`
)

func TestAnArrayInSeveralBlocksIsTheSameArray(t *testing.T) {
	t.Parallel()
	b := bind[lists](t, listsSchema)
	decode := reader(t, b, listsSchema)
	data := []byte{
		2, 2, 3, 4, 4, 6, 0, // a: one item; two items in a block of two bytes; end
		2, 2, 'k', 2, 8, 2, 10, 0, 2, 2, 'l', 0, 0, // m: k and l in a block each, k's array in two
		2, 2, 2, 12, 2, 14, 0, 1, 2, 0, 0, // n: an array in two blocks; an empty one; end
		2, 'e',
	}
	var got lists
	if err := decode(data, &got); err != nil {
		t.Fatal(err)
	}
	want := lists{
		A: []int64{1, 2, 3},
		M: map[string][]int64{"k": {4, 5}, "l": {}},
		N: &[][]int64{{6, 7}, {}},
		E: "e",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := decode(append(data, 0), &got); err == nil {
		t.Error("decode accepts a byte behind the value")
	}
}

// A decoder that grows by one block at a time needs a terabyte here.
func TestManySmallBlocksCostNoMoreThanOneLargeOne(t *testing.T) {
	t.Parallel()
	b := bind[lists](t, listsSchema)
	decode := reader(t, b, listsSchema)
	const items = 500_000
	data := append(bytes.Repeat([]byte{2, 2}, items), 0, 0, 0, 0)
	var got lists
	spent := allocated(func() {
		if err := decode(data, &got); err != nil {
			t.Error(err)
		}
	})
	if len(got.A) != items {
		t.Errorf("decoded %d items, want %d", len(got.A), items)
	}
	if limit := uint64(64 << 20); spent > limit {
		t.Errorf("a megabyte of blocks allocated %d bytes, want at most %d", spent, limit)
	}
}
