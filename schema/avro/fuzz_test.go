package avro_test

import (
	"bytes"
	"math/big"
	"runtime"
	"testing"
	"time"
)

// everything is an event of every kind of type, for hostile bytes.
type everything struct {
	S string            `avro:"s"`
	L []leaf            `avro:"l"`
	M map[string][]byte `avro:"m"`
	T *time.Time        `avro:"t"`
	D *big.Rat          `avro:"d"`
	N *everything       `avro:"n"`
	U any               `avro:"u"`
	E string            `avro:"e"`
}

type leaf struct {
	A string `avro:"a"`
	B int64  `avro:"b"`
}

var everythingSchema = `{"type":"record","name":"Everything","fields":[` +
	field("s", `"string"`) + `,` +
	field("l", `{"type":"array","items":{"type":"record","name":"Leaf","fields":[{"name":"a","type":"string","default":""},{"name":"b","type":"long","default":0}]}}`) + `,` +
	field("m", `{"type":"map","values":"bytes"}`) + `,` +
	field("t", `["null",{"type":"long","logicalType":"timestamp-millis"}]`) + `,` +
	field("d", `["null",{"type":"bytes","logicalType":"decimal","precision":20,"scale":3}]`) + `,` +
	field("n", `["null","Everything"]`) + `,` +
	field("u", `["string","long",{"type":"array","items":"Leaf"}]`) + `,` +
	field("e", `{"type":"enum","name":"E","symbols":["A","B"]}`) + `]}`

// emptyLeaves is the same event from a writer whose array items take no bytes
// at all, the worst case for what a length may promise.
const emptyLeaves = `{"type":"record","name":"Everything","fields":[{"name":"s","type":"string"},` +
	`{"name":"l","type":{"type":"array","items":{"type":"record","name":"Leaf","fields":[]}}}]}`

// FuzzDecode holds the decoder to two promises: it never panics, and it never
// allocates more than a small multiple of its input.
func FuzzDecode(f *testing.F) {
	b := bind[everything](f, everythingSchema)
	now := time.UnixMilli(1_700_000_000_000)
	seed, err := b.Append(nil, &everything{
		S: "s", L: []leaf{{"a", 1}}, M: map[string][]byte{"k": {1}}, T: &now, D: big.NewRat(1, 8),
		N: &everything{E: "B", U: int64(1)}, U: "u", E: "A",
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(bytes.Repeat([]byte{2}, 10_000))                                                // nested as deep as it goes
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})             // an array of 2⁶³ items
	f.Add([]byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})                // a string of 2⁶³ bytes
	f.Add([]byte{0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0})                                  // a map of 2³¹ entries
	f.Add([]byte{0, 0, 0, 0, 2, 0xfe, 0xff, 0xff, 0xff, 0x0f})                            // a decimal of 2³¹ bytes
	f.Add([]byte{0, 0x80, 0x40, 0x80, 0x40, 0x80, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) // many small blocks
	same, other := reader(f, b, everythingSchema), reader(f, bind[struct {
		S string `avro:"s"`
		L []leaf `avro:"l"`
	}](f, `{"type":"record","name":"Everything","fields":[`+field("s", `"string"`)+`,`+
		field("l", `{"type":"array","items":{"type":"record","name":"Leaf","fields":[{"name":"a","type":"string","default":""},{"name":"b","type":"long","default":0}]}}`)+`]}`), emptyLeaves)
	f.Fuzz(func(t *testing.T, data []byte) {
		var v everything
		spent := allocated(func() {
			if err := same(data, &v); err != nil {
				return
			}
		})
		var w struct {
			S string `avro:"s"`
			L []leaf `avro:"l"`
		}
		spent += allocated(func() { _ = other(data, &w) })
		// A leaf is 24 bytes of Go and at least two on the wire; 4,096 items
		// without bytes are the codec's own limit.
		if limit := uint64(512<<10 + 100*len(data)); spent > limit {
			t.Errorf("decoding %d bytes allocated %d, want at most %d", len(data), spent, limit)
		}
		back, err := b.Append(nil, &v)
		if err != nil {
			return // the zero value is no event
		}
		var again everything
		if err := same(back, &again); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}

// allocated is what a function allocates, near enough.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
