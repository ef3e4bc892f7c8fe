package diag_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/slipway-go/slipway/diag"
)

func TestACodeIsFoundThroughAnyWrapping(t *testing.T) {
	t.Parallel()
	d := diag.New(diag.RuntimeNoHandler, "no handler for %q", "orders")
	for name, err := range map[string]error{
		"bare":    d,
		"wrapped": fmt.Errorf("start: %w", d),
		"joined":  errors.Join(errors.New("other"), d),
		"listed":  diag.List{diag.New(diag.RuntimeNoCodec, "no codec"), d}.Err(),
		"deep":    fmt.Errorf("a: %w", errors.Join(diag.List{d}.Err())),
	} {
		if !errors.Is(err, diag.RuntimeNoHandler) {
			t.Errorf("%s: errors.Is does not find the code in %v", name, err)
		}
		if errors.Is(err, diag.RuntimeTopicMissing) {
			t.Errorf("%s: errors.Is finds a code that is not there", name)
		}
		if got := diag.Of(err); !slices.ContainsFunc(got, func(d diag.Diagnostic) bool { return d.Code == diag.RuntimeNoHandler }) {
			t.Errorf("%s: Of() = %v, want the diagnostic", name, got)
		}
	}
}

func TestWarningsAloneAreNoError(t *testing.T) {
	t.Parallel()
	l := diag.List{diag.Warn(diag.RuntimeNoCodec, "hm")}
	if err := l.Err(); err != nil {
		t.Errorf("Err() = %v, want nil", err)
	}
	l.Add(diag.New(diag.RuntimeNoCodec, "no"))
	if l.Err() == nil || l.Count(diag.Warning) != 1 || l.Count(diag.Error) != 1 {
		t.Errorf("list = %v, want an error and a warning", l)
	}
}

func TestOfCarriesNothingFromPlainErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, errors.New("plain"), fmt.Errorf("wrap: %w", errors.New("plain"))} {
		if got := diag.Of(err); len(got) != 0 {
			t.Errorf("Of(%v) = %v, want none", err, got)
		}
	}
}

func TestSortingMakesTheSameBytes(t *testing.T) {
	t.Parallel()
	at := func(file string, line, column int) diag.Diagnostic {
		return diag.New(diag.RuntimeNoCodec, "x").At(diag.Position{File: file, Line: line, Column: column})
	}
	want := diag.List{at("a", 1, 2), at("a", 1, 3), at("a", 10, 1), at("b", 1, 1)}
	got := diag.List{want[2], want[3], want[1], want[0]}
	got.Sort()
	if got.Error() != want.Error() {
		t.Errorf("sorted:\n%v\nwant:\n%v", got, want)
	}
}

func TestTextIsOneBlockAProblemWithItsFix(t *testing.T) {
	t.Parallel()
	l := diag.List{
		diag.New(diag.RuntimeNoHandler, "no handler for orders").At(diag.Position{File: "slipway.yaml", Line: 3, Column: 5}).
			WithEvidence("seen: %s", "nothing\x1b[2J").WithFix("register %s", "one"),
	}
	want := "error[SLP-RUN-006]: no handler for orders\n  --> slipway.yaml:3:5\n  seen: nothing\\x1b[2J\n  fix: register one\n"
	if got := l.Text(); got != want {
		t.Errorf("Text() = %q, want %q", got, want)
	}
}

func TestAFixIsNeverEmpty(t *testing.T) {
	t.Parallel()
	for _, e := range diag.Catalogue() {
		if d := diag.New(e.Code, "x"); d.Remedy() == "" || e.Title == "" || e.Cause == "" {
			t.Errorf("%s is not explained: %+v", e.Code, e)
		}
	}
}

func FuzzEscapedTextCannotMoveTheCursor(f *testing.F) {
	for _, s := range []string{"plain", "a\x1b[31mred", "\r\n\t", "\u202eevil", "\x9b0m", "caf\u00e9 \xff", "\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := diag.Escape(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
		}) {
			t.Errorf("Escape(%q) = %q still holds something that is not a glyph", s, got)
		}
	})
}

func ExampleNew() {
	err := diag.New(diag.RuntimeTopicMissing, "topic %s does not exist", "orders.created.v1")
	fmt.Println(err)
	fmt.Println(errors.Is(err, diag.RuntimeTopicMissing))
	// Output:
	// SLP-RUN-011: topic orders.created.v1 does not exist
	// true
}
