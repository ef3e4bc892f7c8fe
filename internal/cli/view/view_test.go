package view_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

// FuzzEveryFormatShowsAllAndHidesNothing puts text from outside into a
// problem: no format lets a control character or a mark that reorders text
// through, and JSON and YAML give back what went in.
func FuzzEveryFormatShowsAllAndHidesNothing(f *testing.F) {
	for _, s := range []string{
		"plain", "", " lead", "trail ", "two\nlines", "tab\there", "\x1b[31mred", "\u202e reversed", "\x7f\u0085\u009b",
		"- item", "key: value", "# no comment", "'quoted'", `"double" \ back`, "null", "true", "1e3", "0x10", "~", "\u2028", "\ufeff", "é 漢字 🙂", "a\r\nb", "\u2066\n x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?") // JSON has no other text
		problem := diag.New(diag.ContractSyntax, "%s", text).WithEvidence("%s", text).WithFix("fix %s", text)
		for _, format := range []view.Format{view.Table, view.JSON, view.YAML} {
			var out bytes.Buffer
			v := view.View{Out: &out, Err: &out, Format: format}
			v.Problems(diag.List{problem})
			for _, r := range out.String() {
				if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
					t.Fatalf("%s lets %U through: %q", format, r, out.String())
				}
			}
			if format == view.Table {
				continue
			}
			var doc struct{ Problems []diag.Diagnostic }
			if err := decode(format, out.Bytes(), &doc); err != nil {
				t.Fatalf("%s is not %s: %v\n%s", format, format, err, out.String())
			}
			if diff := cmp.Diff([]diag.Diagnostic{problem}, doc.Problems); diff != "" {
				t.Errorf("%s changes the text (-in +out):\n%s", format, diff)
			}
		}
	})
}

func decode(format view.Format, text []byte, into any) error {
	if format == view.JSON {
		return json.Unmarshal(text, into)
	}
	return yaml.Unmarshal(text, into)
}

func TestAnAnswerThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	for _, format := range []view.Format{view.Table, view.Wide, view.JSON, view.YAML, view.Name} {
		v := view.View{Out: full{}, Err: full{}, Format: format}
		if err := v.Plan(&plan.Plan{Changes: []plan.Change{{Kind: plan.KindTopic, Name: "t"}}}); !errors.Is(err, errFull) {
			t.Errorf("%s: error %v, want %v", format, err, errFull)
		}
	}
}

var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAnExcerptPointsToTheColumnWhateverStandsBeforeIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		source string
		column int
		want   string
	}{
		"plain":            {"key: value", 6, " 1 | key: value\n   |      ^\n"},
		"several bytes":    {"ключ: value", 7, " 1 | ключ: value\n   |       ^\n"},
		"escaped":          {"a\x1bb: value", 6, ` 1 | a\x1bb: value` + "\n   |         ^\n"},
		"beyond the end":   {"key", 99, " 1 | key\n   |    ^\n"},
		"no column":        {"key", 0, " 1 | key\n"},
		"too long to show": {strings.Repeat("x", 500), 3, ""},
		"nothing there":    {"   ", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			v := view.View{Err: &out, Source: func(string) ([]byte, error) { return []byte(tt.source), nil }}
			v.Problems(diag.List{diag.New(diag.ContractSyntax, "m").WithFix("f").At(diag.Position{File: "f", Line: 1, Column: tt.column})})
			_, got, _ := strings.Cut(out.String(), "   |\n")
			got = strings.TrimSuffix(got, "  fix: f\n")
			if got != tt.want {
				t.Errorf("excerpt\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestColourIsForTheSeverityAlone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	v := view.View{Err: &out, Color: true}
	v.Problems(diag.List{diag.New(diag.ContractSyntax, "m"), diag.Warn(diag.EstateNoWriter, "w")})
	for _, want := range []string{"\x1b[1;31merror[SLP-CON-001]\x1b[0m: m", "\x1b[1;33mwarning[SLP-EST-017]\x1b[0m: w"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%q", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "\x1b"); n != 4 {
		t.Errorf("%d escapes, want 4", n)
	}
}
