package view_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/cli/view"
)

// Anybody who may write a dead-letter topic writes what an operator's terminal
// is to show.
func TestNothingInALetterReachesTheTerminalRaw(t *testing.T) {
	t.Parallel()
	const nasty = "\x1b]52;c;aGk=\x07\x1b[2J\r\u202e\x9b31m\xff\x00\u0085"
	r := &kgo.Record{Topic: "t", Key: []byte(nasty), Value: []byte(nasty), Timestamp: time.UnixMilli(1 << 62)}
	for _, name := range []string{
		"slipway-reason", "slipway-error-class", "slipway-stack", "__dlq.errors.topic", "__dlq.errors.group", "__dlq.errors.message",
		"__dlq.errors.partition", "slipway-timestamp", "own" + nasty,
	} {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(nasty)})
	}
	l := dlq.Read(r)
	for _, format := range []view.Format{view.Table, view.Wide, view.JSON, view.YAML, view.Name} {
		for _, form := range []string{view.Auto, view.Text, view.Hex, view.Indented} {
			var out, errs bytes.Buffer
			v := &view.View{Out: &out, Err: &errs, Format: format}
			sum := dlq.Summary{Reasons: map[string]int{l.Reason: 1}, Oldest: l.Time}
			for _, err := range []error{
				v.DeadLetters("prod", []*dlq.Letter{l}, true), v.DeadLetter(l, nil, form, 0), v.DeadLetterTopics("prod", []dlq.Summary{sum}),
			} {
				if err != nil {
					t.Errorf("%s, %s: %v", format, form, err)
				}
			}
			text := out.String() + errs.String()
			if i := strings.IndexFunc(text, func(r rune) bool {
				return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
			}); i >= 0 {
				t.Errorf("%s, %s shows %q", format, form, text[max(0, i-20):i+1])
			}
		}
	}
}

func TestAValueIsShownInTheFormAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value, form string
		limit       int
		want        string
	}{
		{`{"a":[1]}`, view.Auto, 0, "value (9 bytes)\n  {\n    \"a\": [\n      1\n    ]\n  }\n"},
		{`{"a":[1]}`, view.Text, 0, "value (9 bytes)\n  {\"a\":[1]}\n"},
		{`{"a":[1]}`, view.Auto, 4, "value (9 bytes, the first of them)\n  {\"a\"\n"},
		{"\x00\x01", view.Auto, 0, "value (2 bytes)\n  00000000  00 01  "},
		{"no json", view.Indented, 0, "value (7 bytes)\n  no json\n"},
	} {
		var out bytes.Buffer
		v := &view.View{Out: &out, Err: &out}
		if err := v.DeadLetter(dlq.Read(&kgo.Record{Topic: "t", Value: []byte(tt.value)}), nil, tt.form, tt.limit); err != nil {
			t.Error(err)
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%q as %s, limit %d:\n%s\nwant:\n%s", tt.value, tt.form, tt.limit, out.String(), tt.want)
		}
	}
	var out bytes.Buffer
	v := &view.View{Out: &out, Err: &out}
	if err := v.DeadLetter(dlq.Read(&kgo.Record{Topic: "t"}), nil, view.Auto, 0); err != nil || !strings.Contains(out.String(), "value: none (a tombstone)") {
		t.Errorf("a tombstone: %v\n%s", err, out.String())
	}
}
