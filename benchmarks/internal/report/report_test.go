package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/benchmarks/internal/report"
)

func TestAFigureIsLeastMedianMost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		samples report.Samples
		unit    report.Unit
		want    string
	}{
		"odd":     {report.Samples{3, 1, 2}, report.Digits, "1.00 / **2.00** / 3.00"},
		"one":     {report.Samples{1234567}, report.Count, "1.23M / **1.23M** / 1.23M"},
		"ratio":   {report.Samples{0.5, 12}, report.Times, "0.50× / **12.0×** / 12.0×"},
		"share":   {report.Samples{0.855}, report.Percent, "85.5 % / **85.5 %** / 85.5 %"},
		"nothing": {nil, report.Digits, "–"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.samples.Text(tt.unit); got != tt.want {
				t.Errorf("Text() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDigitsKeepsThreeThatMatter(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 0.01234: "0.0123", 0.5: "0.500", 1.234: "1.23", 45.67: "45.7", 678.9: "679", 12345: "12345", -2.5: "-2.50"} {
		if got := report.Digits(v); got != want {
			t.Errorf("Digits(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestAPlotIsWellFormedWhateverArmsAreCalled(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := report.Plot{Title: "a < b & c", Unit: report.Count, Groups: []report.Group{
		{Title: "case", Bars: []report.Bar{{Name: `"x" & <y>`, Value: report.Samples{1, 2, 3}, Own: true}, {Name: "nothing"}}},
	}}
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(b.String()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
	}
}

func TestATableHasACellForEachColumn(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if _, err := (report.Table{Heading: []string{"arm", "rate"}, Rows: [][]string{{"x", "1"}}}).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "| arm | rate |\n|---|---|\n| x | 1 |\n"; got != want {
		t.Errorf("WriteTo() wrote %q, want %q", got, want)
	}
}
