package typegen_test

import (
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-go/slipway/internal/typegen"
	"github.com/slipway-go/slipway/internal/typegen/testdata/pay"
	"github.com/slipway-go/slipway/internal/typegen/testdata/shop"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/jsonvalue"
)

func rat(text string) *big.Rat {
	r, _ := new(big.Rat).SetString(text)
	return r
}

func fullGallery() *shop.Gallery {
	at := time.Date(2026, 3, 1, 12, 30, 15, 123_000_000, time.UTC)
	return &shop.Gallery{
		ID: "g-1", Flag: true, Small: -3, Large: 1 << 40, Half: 0.5, Whole: 2.25, Raw: []byte{1, 2},
		Status: shop.EventsStatusInWork, LastStatus: new(shop.EventsStatusOpen), Digest: [4]byte{1, 2, 3, 4}, Span: [12]byte{11: 1},
		HTTPURL: new("http://one"), HTTPURL2: new("http://two"),
		Tags: []string{"a"}, Maybe: []*int64{new(int64(1)), nil}, Counts: map[string]int64{"a": 1}, Grid: [][]int32{{1}, {2, 3}},
		Extra: new(map[string]string{"k": "v"}), Either: "text",
		At: at, Micros: at, Nanos: at, Local: at, Day: at.Truncate(24 * time.Hour), Clock: time.Second, Exact: time.Microsecond, DoneAt: new(at),
		Price: rat("12.34"), Rebate: rat("-0.01"), Prices: []*big.Rat{rat("1.00")}, UUID: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		Line: shop.EventsLine{SKU: "s", N: 1}, Lines: []shop.EventsLine{{SKU: "t", N: 2}}, BySKU: map[string]shop.EventsLine{"u": {SKU: "u", N: 3}},
		Parent: emptyGallery(), Children: []shop.Gallery{*emptyGallery()},
	}
}

// emptyGallery is the least that can be written.
func emptyGallery() *shop.Gallery {
	zero := time.Unix(0, 0).UTC()
	return &shop.Gallery{
		Status: shop.EventsStatusOpen2, Price: new(big.Rat), UUID: "00000000-0000-0000-0000-000000000000",
		At: zero, Micros: zero, Nanos: zero, Local: zero, Day: zero,
	}
}

func fullJSON() *shop.ShopGalleryV2 {
	return &shop.ShopGalleryV2{
		X: new("dash"), Anything: "x", At: time.Unix(1, 0).UTC(), Counts: map[string]int64{"a": 1}, DoneAt: new(time.Unix(2, 0).UTC()),
		Either: "e", Flag: true, Free: map[string]any{"f": "g"}, ID: "1", Line: shop.Line{SKU: "s", N: new(int64(2))},
		Lines: []shop.Line{{SKU: "t"}}, MaybeN: new(int64(3)), N: 4, Notes: []*string{nil, new("n")}, Nullable: new("z"),
		Owner: shop.ShopGalleryV2Owner{Name: "o", EMail: new("o@example.com")}, Ratio: new(0.5), Status: shop.ShopGalleryV2StatusPaid, Tags: []string{"t"},
		Parent: emptyJSON(),
	}
}

func emptyJSON() *shop.ShopGalleryV2 {
	return &shop.ShopGalleryV2{At: time.Unix(0, 0).UTC(), Counts: map[string]int64{}, Tags: []string{}}
}

// What a codec binds it also reads back as it was written.
func TestGeneratedTypesAreBoundByTheirCodecAndKeepEveryValue(t *testing.T) {
	t.Parallel()
	schemas := map[string]*typegen.Schema{}
	for _, service := range []string{"shop", "pay"} {
		c := load(t, service)
		for _, e := range append(c.Produces, c.Consumes...) {
			schemas[service+" "+e.Name] = e.Schema
		}
	}
	for name, tt := range map[string]struct {
		schema string
		codec  schema.Codec
		value  any
	}{
		"avro, full":      {"shop shop.gallery.v1", avro.Codec(), fullGallery()},
		"avro, empty":     {"shop shop.gallery.v1", avro.Codec(), emptyGallery()},
		"a reader's":      {"shop pay.settled.v1", avro.Codec(), &shop.PaySettled{ID: "p"}},
		"the owner's":     {"shop again", avro.Codec(), &shop.AgainSettled{ID: "p", Status: shop.PayStatusDeclined, Amount: 3}},
		"another package": {"pay pay.settled.v1", avro.Codec(), &pay.Settled{ID: "p", Status: pay.StatusConfirmed, Amount: 3}},
		"json, full":      {"shop shop.gallery.v2", jsonvalue.Codec(), fullJSON()},
		"json, empty":     {"shop shop.gallery.v2", jsonvalue.Codec(), emptyJSON()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := schemas[tt.schema].Source
			b, err := tt.codec.Bind(source, reflect.TypeOf(tt.value).Elem())
			if err != nil {
				t.Fatal(err)
			}
			data, err := b.Append(nil, tt.value)
			if err != nil {
				t.Fatal(err)
			}
			read, err := b.Reader(source)
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(tt.value).Elem()).Interface()
			if err := read(data, got); err != nil {
				t.Fatal(err)
			}
			same := cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 })
			if diff := cmp.Diff(tt.value, got, same, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("read another than was written (-want +got):\n%s", diff)
			}
			if _, err := b.Key(tt.value, "id"); err != nil {
				t.Errorf("the key: %v", err)
			}
		})
	}
}
