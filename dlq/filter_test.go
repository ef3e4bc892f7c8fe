package dlq_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
)

func TestAFilterAsksForEveryField(t *testing.T) {
	t.Parallel()
	l := dlq.Read(letter("x", "1", "__dlq.errors.topic", "orders.created.v1", "__dlq.errors.partition", "3", "__dlq.errors.offset", "41",
		"__dlq.errors.group", "g", "__dlq.errors.delivery.count", "4", "__dlq.errors.message", "read tcp: timeout",
		"slipway-reason", "exhausted", "slipway-error-class", "*net.OpError", "slipway-stack", "goroutine 1", "slipway-redrives", "1",
		"slipway-first-failure", "2026-11-20T09:59:00Z"))
	for text, want := range map[string]bool{
		`reason == "exhausted" && error.contains("timeout") && key.startsWith("o-") && partition == 2 && headers["x"] == "1"`: true,
		`time > timestamp("2026-11-20T00:00:00Z")`:                                                                   true,
		`now - time < duration("1h")`:                                                                                true,
		`now - time < duration("1m")`:                                                                                false,
		`class.matches("^\\*net") && stack != "" && size == 12 && value.contains("total")`:                           true,
		`attempts >= 4 && redrives == 1 && !parked && dialect == "slipway"`:                                          true,
		`origin.topic == "orders.created.v1" && origin.partition == 3 && origin.offset == 41 && origin.group == "g"`: true,
		`first < last && topic.endsWith(".dlq") && offset == 7`:                                                      true,
		`reason in ["rejected", "parked"]`:                                                                           false,
		`"x" in headers && !("y" in headers)`:                                                                        true,
	} {
		f, err := dlq.NewFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := f.Match(l, written.Add(10*time.Minute)); err != nil || got != want {
			t.Errorf("%s = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestAWrongFilterIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`reason == `:                      "line 1, column",
		`reason = "x"`:                    "line 1, column 8",
		`raeson == "x"`:                   "undeclared reference to 'raeson'",
		`true &&` + "\n" + `size > "big"`: "line 2, column 6",
		`reason`:                          "gives a string",
		`key.matches("(")`:                "",
		strings.Repeat("(", 9000):         "9000 bytes",
		strings.Repeat("(", 600):          "",
		``:                                "",
	} {
		_, err := dlq.NewFilter(text)
		if !errors.Is(err, diag.DLQFilter) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s with %q", text, err, diag.DLQFilter, want)
		}
	}
	_, err := dlq.NewFilter("true &&\n  raeson == \"x\"")
	d := diag.Of(err)[0]
	if want := "  raeson == \"x\"\n  ^"; strings.Join(d.Evidence, "\n") != want || !strings.Contains(d.Fix, "reason, error") {
		t.Errorf("evidence:\n%s\nwant:\n%s\nfix: %s", strings.Join(d.Evidence, "\n"), want, d.Fix)
	}
}

// A filter comes from who runs the command, but letters do not: none may make
// it run for long.
func TestAFilterHasNoAnswerWhereItHasNone(t *testing.T) {
	t.Parallel()
	for text, l := range map[string]*dlq.Letter{
		`headers["x"] == "1"`: dlq.Read(letter()),
		`100 / attempts > 3`:  dlq.Read(letter()),
		`headers.all(a, headers.all(b, headers.all(c, headers.all(d, true))))`: dlq.Read(letter(manyHeaders(200)...)),
	} {
		f, err := dlq.NewFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		began := time.Now()
		if got, err := f.Match(l, written); err == nil || got {
			t.Errorf("%s = %v, want an error", text, got)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %v", text, took)
		}
	}
}
