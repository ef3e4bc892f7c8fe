package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// unit is one kind of value with its two directions, made comparable.
type unit struct {
	parse  func(string) (any, error)
	format func(any) string
}

func unitOf[T any](parse func(string) (T, error), format func(T) string) unit {
	return unit{
		func(s string) (any, error) { return parse(s) },
		func(v any) string { return format(v.(T)) },
	}
}

var units = map[string]unit{
	"duration": unitOf(contract.ParseDuration, contract.FormatDuration),
	"bytes":    unitOf(contract.ParseBytes, contract.Bytes.String),
	"memory":   unitOf(contract.ParseMemory, contract.FormatMemory),
	"count":    unitOf(contract.ParseCount, contract.FormatCount),
	"rate":     unitOf(contract.ParseRate, contract.Rate.String),
	"cpu":      unitOf(contract.ParseCPU, contract.MilliCPU.String),
	"percent":  unitOf(contract.ParsePercent, contract.FormatPercent),

	"byte rate":     unitOf(contract.ParseByteRate, contract.ByteRate.String),
	"whole percent": unitOf(contract.ParseWholePercent, contract.Percent.String),
}

func TestUnitsHaveOneCanonicalForm(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		unit, text string
		want       any
		canonical  string // text if empty
	}{
		"a week":           {"duration", "7d", 7 * 24 * time.Hour, ""},
		"hours and more":   {"duration", "1h30m", 90 * time.Minute, ""},
		"all units":        {"duration", "1d2h3m4s5ms", 26*time.Hour + 3*time.Minute + 4*time.Second + 5*time.Millisecond, ""},
		"too many hours":   {"duration", "48h", 48 * time.Hour, "2d"},
		"sixty seconds":    {"duration", "60s", time.Minute, "1m"},
		"nothing":          {"duration", "0s", time.Duration(0), ""},
		"milliseconds":     {"duration", "250ms", 250 * time.Millisecond, ""},
		"a century":        {"duration", "36500d", contract.MaxDuration, ""},
		"kibibytes":        {"bytes", "64KiB", contract.Bytes(65536), ""},
		"plain bytes":      {"bytes", "512", contract.Bytes(512), ""},
		"a mebibyte":       {"bytes", "1024KiB", contract.Bytes(1 << 20), "1MiB"},
		"no bytes":         {"bytes", "0", contract.Bytes(0), ""},
		"memory":           {"memory", "128Mi", contract.Bytes(128 << 20), ""},
		"count":            {"count", "2k", int64(2000), ""},
		"count of 2500":    {"count", "2500", int64(2500), ""},
		"count of 1000":    {"count", "1000", int64(1000), "1k"},
		"thousands":        {"rate", "2k/s", contract.Rate(2000), ""},
		"hundreds":         {"rate", "500/s", contract.Rate(500), ""},
		"millions":         {"rate", "1M/s", contract.Rate(1e6), ""},
		"half a core":      {"cpu", "500m", contract.MilliCPU(500), ""},
		"two cores":        {"cpu", "2", contract.MilliCPU(2000), ""},
		"thousand milli":   {"cpu", "1000m", contract.MilliCPU(1000), "1"},
		"three nines five": {"percent", "99.95%", 0.9995, ""},
		"all":              {"percent", "100%", 1.0, ""},
		"trailing zero":    {"percent", "5.50%", 0.055, "5.5%"},
		"mebibytes/s":      {"byte rate", "10MiB/s", contract.ByteRate(10 << 20), ""},
		"many kibibytes/s": {"byte rate", "2048KiB/s", contract.ByteRate(2 << 20), "2MiB/s"},
		"half a thread":    {"whole percent", "50%", contract.Percent(50), ""},
		"several threads":  {"whole percent", "250%", contract.Percent(250), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := units[tt.unit]
			got, err := u.parse(tt.text)
			if err != nil || got != tt.want {
				t.Fatalf("parse %s: got %v, %v, want %v", tt.text, got, err, tt.want)
			}
			canonical := tt.canonical
			if canonical == "" {
				canonical = tt.text
			}
			if s := u.format(got); s != canonical {
				t.Errorf("format: got %s, want %s", s, canonical)
			}
		})
	}
}

func TestUnitsOutOfFormNameTheFormThatIsMeant(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ unit, text, want string }{
		"bare K":             {"bytes", "64K", "write 64KiB"},
		"KB":                 {"bytes", "64KB", "write 64KiB"},
		"kB":                 {"bytes", "64kB", "write 64KiB"},
		"kib":                {"bytes", "64kib", "write 64KiB"},
		"M":                  {"bytes", "1M", "write 1MiB"},
		"bytes with B":       {"bytes", "512B", "write 512"},
		"Kubernetes' form":   {"bytes", "1Mi", "write 1MiB"},
		"our form":           {"memory", "128MiB", "write 128Mi"},
		"negative":           {"bytes", "-1KiB", "without spaces, signs"},
		"leading zero":       {"bytes", "010", "leading zeros"},
		"fraction":           {"bytes", "1.5MiB", "not a whole number"},
		"overflow":           {"bytes", "9999999999TiB", "too large"},
		"no unit":            {"duration", "10", "write 10s for seconds or 10ms"},
		"fraction of hours":  {"duration", "1.5h", "write 1h30m"},
		"wrong order":        {"duration", "30m1h", "write 1h30m"},
		"twice":              {"duration", "1h1h", "write 2h"},
		"a week":             {"duration", "2w", "write 14d"},
		"microseconds":       {"duration", "5us", "not a time"},
		"empty":              {"duration", "", "not a time"},
		"space":              {"duration", "7 d", "not a time"},
		"two centuries":      {"duration", "73000d", "hundred years"},
		"upper case K":       {"rate", "2K/s", "write 2k/s"},
		"no time":            {"rate", "500", "500/s or 2k/s"},
		"per minute":         {"rate", "500/m", "per second"},
		"upper case count":   {"count", "1K", "write 1k, which is 1000"},
		"fraction of a core": {"cpu", "0.5", "write 500m"},
		"percent sign":       {"percent", "0.9995", "99.95%"},
		"above all":          {"percent", "100.0001%", "0% to 100%"},
		"five digits":        {"percent", "99.99999%", "four digits"},
		"bytes without time": {"byte rate", "10MiB", "per second; write it like 10MiB/s"},
		"bytes a minute":     {"byte rate", "10MiB/m", "per second"},
		"decimal megabytes":  {"byte rate", "10MB/s", "write it like 10MiB/s or 512KiB/s"},
		"megabits":           {"byte rate", "10Mbit/s", "write it like 10MiB/s"},
		"part of a percent":  {"whole percent", "50.5%", "whole number of hundredths"},
		"no percent sign":    {"whole percent", "50", "write it like 50% or 250%"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := units[tt.unit].parse(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("parse %q: got %v, %v, want an error with %q", tt.text, got, err, tt.want)
			}
		})
	}
}

// FuzzUnits holds every unit to one promise: what is parsed, formatted and
// parsed again is the same value, in the same form.
func FuzzUnits(f *testing.F) {
	for _, s := range []string{"7d", "1h30m", "250ms", "0s", "64KiB", "1MiB", "512", "128Mi", "2k", "2k/s", "500m", "2", "99.95%", "100%", "10MiB/s", "250%", "9223372036854775807", "1d1ms", "%", "/s", "m", "00s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, u := range units {
			v, err := u.parse(s)
			if err != nil {
				continue
			}
			text := u.format(v)
			again, err := u.parse(text)
			if err != nil || again != v {
				t.Errorf("%s %q: formatted as %q, which parses as %v, %v, want %v", name, s, text, again, err, v)
			}
			if twice := u.format(again); twice != text {
				t.Errorf("%s %q: formatted as %q and then %q", name, s, text, twice)
			}
		}
	})
}
