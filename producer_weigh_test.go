package slipway

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

type weighed struct {
	ID      string
	Text    string
	Bytes   []byte
	Numbers []int64
	Names   []string
	Parts   []weighed
	Next    *weighed
	ByName  map[string]string
	At      time.Time
	Any     any
	Out     string `json:"-"`
	private string // it must not count
}

// What a value weighs is never more than what any format makes of it, so that
// nothing is refused that would fit.
func TestAValueWeighsNoMoreThanItsEncoding(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1000)
	w := weigherOf(reflect.TypeFor[weighed]())
	for name, tt := range map[string]struct {
		value weighed
		want  int
	}{
		"nothing":           {weighed{}, 0},
		"short text":        {weighed{ID: "an id, or a name of an enum"}, 0},
		"long text":         {weighed{Text: long}, 1000},
		"bytes":             {weighed{Bytes: []byte(long)}, 1000},
		"numbers":           {weighed{Numbers: make([]int64, 500)}, 500},
		"texts":             {weighed{Names: []string{"a", long, ""}}, 1003},
		"structs in a list": {weighed{Parts: []weighed{{Text: long}, {}, {Text: long}}}, 2000},
		"a pointer":         {weighed{Next: &weighed{Next: &weighed{Text: long}}}, 1000},
		"a map":             {weighed{ByName: map[string]string{"a": long, "b": long}}, 2000},
		"an interface":      {weighed{Any: long}, 1000},
		"left out":          {weighed{Out: long, private: long}, 0},
	} {
		if got := w(reflect.ValueOf(tt.value), 1<<20); got != tt.want {
			t.Errorf("%s weighs %d, want %d", name, got, tt.want)
		}
	}
}

func TestWeighingStopsAboveTheLimit(t *testing.T) {
	t.Parallel()
	w := weigherOf(reflect.TypeFor[weighed]())
	text := strings.Repeat("x", 1000)
	parts := make([]weighed, 100_000)
	for i := range parts {
		parts[i].Text = text
	}
	if got := w(reflect.ValueOf(weighed{Parts: parts}), 5000); got <= 5000 || got > 6000 {
		t.Errorf("weighs %d, want just above the limit of 5000", got)
	}
}
