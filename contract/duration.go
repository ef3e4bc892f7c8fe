package contract

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Forever is a retention without end, written as the word forever.
const Forever time.Duration = -1

// MaxDuration is the longest time a contract can state, a hundred years.
const MaxDuration = 36500 * 24 * time.Hour

// durationUnits go from the largest to the smallest, which is also the order
// they are written in.
var durationUnits = []struct {
	suffix string
	length time.Duration
}{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// ParseDuration reads a time such as 7d, 12h, 1h30m or 250ms: whole numbers
// with the units d, h, m, s and ms, each at most once, from the largest to the
// smallest. A day is 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	var total time.Duration
	rest, from := s, 0
	for rest != "" || total == 0 && from == 0 {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		suffix := rest[len(digits):]
		suffix = suffix[:len(suffix)-len(strings.TrimLeft(suffix, "abcdefghijklmnopqrstuvwxyz"))]
		at := durationUnit(suffix)
		if at < from || !isWhole(digits) {
			return 0, fmt.Errorf("parse duration %q: %w", s, durationAdvice(s))
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		length := durationUnits[at].length
		if err != nil || n > int64(MaxDuration/length) || total > MaxDuration-time.Duration(n)*length {
			return 0, fmt.Errorf("parse duration %q: %w", s, &unitError{"it is longer than a hundred years", "write a shorter one"})
		}
		total += time.Duration(n) * length
		rest, from = rest[len(digits)+len(suffix):], at+1
	}
	return total, nil
}

func durationUnit(suffix string) int {
	for i, u := range durationUnits {
		if u.suffix == suffix {
			return i
		}
	}
	return -1
}

// durationAdvice says how a time that was not understood is written.
func durationAdvice(s string) error {
	if isWhole(s) {
		return &unitError{"it has no unit", fmt.Sprintf("write %ss for seconds or %sms for milliseconds", s, s)}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= time.Millisecond && d%time.Millisecond == 0 {
		return &unitError{"it is not in canonical form", "write " + FormatDuration(d)}
	}
	if digits, found := strings.CutSuffix(s, "w"); found && isWhole(digits) {
		if n, err := strconv.ParseInt(digits, 10, 32); err == nil && n <= math.MaxInt32/7 {
			return &unitError{"a week is not a unit here", fmt.Sprintf("write %dd", n*7)}
		}
	}
	return &unitError{"it is not a time", "write whole numbers with d, h, m, s or ms, the largest first, such as 7d, 1h30m or 250ms"}
}

// FormatDuration writes a time in the form that [ParseDuration] reads, in
// milliseconds at the finest; a negative time is forever.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "forever"
	}
	if d < time.Millisecond {
		return "0s"
	}
	var b strings.Builder
	for _, u := range durationUnits {
		if n := d / u.length; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteString(u.suffix)
			d %= u.length
		}
	}
	return b.String()
}

// ParsePercent reads a share such as 99.95% as a fraction, with at most four
// digits behind the point.
func ParsePercent(s string) (float64, error) {
	advice := &unitError{"it is not a share from 0% to 100%", "write it like 99.95%, with at most four digits behind the point"}
	number, found := strings.CutSuffix(s, "%")
	whole, decimals, point := strings.Cut(number, ".")
	if !found || !isWhole(whole) || len(whole) > 3 || len(decimals) > 4 || point && decimals == "" || strings.Trim(decimals, "0123456789") != "" {
		return 0, fmt.Errorf("parse percent %q: %w", s, advice)
	}
	n, err := strconv.ParseInt(whole+(decimals + "0000")[:4], 10, 64)
	if err != nil || n > 100_0000 {
		return 0, fmt.Errorf("parse percent %q: %w", s, advice)
	}
	return float64(n) / 100_0000, nil
}

// FormatPercent writes a fraction as a share, rounded to four digits behind
// the point.
func FormatPercent(f float64) string {
	return strconv.FormatFloat(math.Round(f*100_0000)/1_0000, 'f', -1, 64) + "%"
}
