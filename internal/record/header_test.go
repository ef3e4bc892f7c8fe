package record_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/record"
)

func TestAHeaderThatIsThereIsReplacedAndNotAppended(t *testing.T) {
	t.Parallel()
	before := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}, {Key: "a", Value: []byte("3")}}
	after := record.Set(before, "a", "new")
	if len(after) != 2 || string(after[0].Value) != "new" || after[1].Key != "b" {
		t.Errorf("Set() = %v, want one a with the new value, and b", after)
	}
	if string(before[0].Value) != "1" {
		t.Error("Set changed its input")
	}
	for range 100 {
		after = record.Set(record.Set(after, record.ErrorTopic, "t"), record.Reason, "r")
	}
	if len(after) != 4 {
		t.Errorf("%d headers after going round 100 times, want 4", len(after))
	}
}

func TestTheLastHeaderOfANameCounts(t *testing.T) {
	t.Parallel()
	headers := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}}
	if got, ok := record.Get(headers, "a"); got != "2" || !ok {
		t.Errorf("Get() = %q, %v, want 2", got, ok)
	}
	if _, ok := record.Get(headers, "b"); ok {
		t.Error("Get() finds a header that is not there")
	}
}

func FuzzCutKeepsToItsBoundAndSplitsNoCharacter(f *testing.F) {
	f.Add("größe", 3)
	f.Add("日本語", 4)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = max(0, n%2048)
		got := record.Cut(s, n)
		if len(got) > n || !strings.HasPrefix(s, got) || utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Cut(%q, %d) = %q", s, n, got)
		}
	})
}
