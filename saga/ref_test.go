package saga_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/saga"
)

func TestAReferenceIsWholeOrNone(t *testing.T) {
	t.Parallel()
	headers := func(pairs ...string) []kgo.RecordHeader {
		var all []kgo.RecordHeader
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, kgo.RecordHeader{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return all
	}
	whole := []string{saga.HeaderName, "order", saga.HeaderID, "o-1", saga.HeaderStep, "pay", saga.HeaderPart, "undo", saga.HeaderRound, "2"}
	got, ok := saga.RefOf(headers(whole...))
	if want := (saga.Ref{Name: "order", ID: "o-1", Step: "pay", Undo: true, Round: 2}); !ok || got != want {
		t.Errorf("RefOf() = %+v, %v, want %+v", got, ok, want)
	}
	if got.Key() != "order/o-1/pay/undo/2" {
		t.Errorf("Key() = %q", got.Key())
	}
	for name, h := range map[string][]kgo.RecordHeader{
		"none":            nil,
		"no round":        headers(whole[:8]...),
		"an empty id":     headers(append(append([]string{}, whole...), saga.HeaderID, "")...),
		"another part":    headers(append(append([]string{}, whole...), saga.HeaderPart, "redo")...),
		"a round of text": headers(append(append([]string{}, whole...), saga.HeaderRound, "x")...),
		"a round below 0": headers(append(append([]string{}, whole...), saga.HeaderRound, "-1")...),
	} {
		if got, ok := saga.RefOf(h); ok || got != (saga.Ref{}) {
			t.Errorf("%s: RefOf() = %+v, want none", name, got)
		}
		if got := saga.Echo(&kgo.Record{Headers: h}); len(got) != 0 {
			t.Errorf("%s: Echo() has %d options, want none", name, len(got))
		}
	}
	if got := saga.Echo(&kgo.Record{Headers: headers(whole...)}); len(got) != 5 {
		t.Errorf("Echo() has %d options, want the five headers", len(got))
	}
}

func FuzzRefOf(f *testing.F) {
	f.Add("order", "o-1", "pay", "do", "0")
	f.Add("", "\x00", "pay", "undo", "99999999999999999999")
	f.Fuzz(func(t *testing.T, name, id, step, part, round string) {
		h := []kgo.RecordHeader{
			{Key: saga.HeaderName, Value: []byte(name)}, {Key: saga.HeaderID, Value: []byte(id)}, {Key: saga.HeaderStep, Value: []byte(step)},
			{Key: saga.HeaderPart, Value: []byte(part)}, {Key: saga.HeaderRound, Value: []byte(round)},
		}
		r, ok := saga.RefOf(h)
		if ok && (r.Name != name || r.ID != id || r.Step != step || r.Round < 0 || r.Undo != (part == "undo")) {
			t.Errorf("RefOf() = %+v of %q", r, h)
		}
		if !ok && r != (saga.Ref{}) {
			t.Errorf("RefOf() = %+v, and says that it is none", r)
		}
	})
}
