package contract

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes. Contracts write it as 64KiB, 1MiB, 1GiB or 512;
// K and KB are refused, because people disagree on what they mean.
type Bytes int64

// Rate is a number of records per second. Contracts write it as 2k/s or
// 500/s, where k is 1000 and M is 1000000.
type Rate float64

// MilliCPU is a thousandth of a core. Contracts write it as 500m or 2, as
// Kubernetes does.
type MilliCPU int64

// A multiple is a suffix and what it multiplies by; tables of them go from the
// largest to the smallest.
type multiple struct {
	suffix string
	factor int64
}

var (
	binaryMultiples  = []multiple{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
	memoryMultiples  = []multiple{{"Ti", 1 << 40}, {"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}}
	decimalMultiples = []multiple{{"M", 1_000_000}, {"k", 1000}}
)

// A unitError is text that is not in its unit's canonical form, with the text
// that is.
type unitError struct{ cause, fix string }

func (e *unitError) Error() string { return e.cause + "; " + e.fix }

// ParseBytes reads a size: a whole number, with KiB, MiB, GiB or TiB behind it.
func ParseBytes(s string) (Bytes, error) {
	n, err := parseMultiple(s, binaryMultiples)
	if err != nil {
		return 0, fmt.Errorf("parse bytes %q: %w", s, bytesAdvice(s, "iB", err))
	}
	return Bytes(n), nil
}

// String writes the size with the largest suffix that divides it.
func (b Bytes) String() string { return formatMultiple(int64(b), binaryMultiples) }

// ParseMemory reads a size as Kubernetes writes it: 128Mi, 1Gi.
func ParseMemory(s string) (Bytes, error) {
	n, err := parseMultiple(s, memoryMultiples)
	if err != nil {
		return 0, fmt.Errorf("parse memory %q: %w", s, bytesAdvice(s, "i", err))
	}
	return Bytes(n), nil
}

// FormatMemory writes a size as Kubernetes does.
func FormatMemory(b Bytes) string { return formatMultiple(int64(b), memoryMultiples) }

// bytesAdvice names the spelling that somebody who wrote 64K or 64KB wants.
func bytesAdvice(s, suffix string, err error) error {
	digits := strings.TrimRight(s, "kKmMgGtTiIbB")
	unit := strings.TrimPrefix(s, digits)
	if !isWhole(digits) || unit == "" {
		return err
	}
	letter := strings.ToUpper(unit[:1])
	if unit == letter+suffix {
		return err
	}
	if letter == "B" || letter == "I" {
		return &unitError{"a size in bytes has no suffix", "write " + digits}
	}
	return &unitError{
		fmt.Sprintf("%s is not a unit here", unit),
		fmt.Sprintf("write %s%s%s, with factors of 1024", digits, letter, suffix),
	}
}

// ParseCount reads a number of things: 500, 2k (2000) or 1M.
func ParseCount(s string) (int64, error) {
	n, err := parseMultiple(s, decimalMultiples)
	if err != nil {
		return 0, fmt.Errorf("parse count %q: %w", s, countAdvice(s, "", err))
	}
	return n, nil
}

// FormatCount writes a number of things with the largest suffix that divides it.
func FormatCount(n int64) string { return formatMultiple(n, decimalMultiples) }

func countAdvice(s, suffix string, err error) error {
	if digits, found := strings.CutSuffix(s, "K"); found && isWhole(digits) {
		return &unitError{"K is not a unit here", fmt.Sprintf("write %sk%s, which is %s000%s", digits, suffix, digits, suffix)}
	}
	if digits, found := strings.CutSuffix(s, "m"); found && isWhole(digits) {
		return &unitError{"m is not a unit here", fmt.Sprintf("write %sM%s for millions", digits, suffix)}
	}
	return err
}

// ParseRate reads a rate: 500/s, 2k/s, 1M/s.
func ParseRate(s string) (Rate, error) {
	digits, found := strings.CutSuffix(s, "/s")
	if !found {
		return 0, fmt.Errorf("parse rate %q: %w", s, &unitError{"a rate is per second", "write it like 500/s or 2k/s"})
	}
	n, err := parseMultiple(digits, decimalMultiples)
	if err != nil {
		return 0, fmt.Errorf("parse rate %q: %w", s, countAdvice(digits, "/s", err))
	}
	return Rate(n), nil
}

// String writes the rate with the largest suffix that divides it.
func (r Rate) String() string {
	if whole := int64(r); Rate(whole) == r {
		return FormatCount(whole) + "/s"
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/s"
}

// ParseCPU reads a share of cores: 500m is half a core, 2 is two.
func ParseCPU(s string) (MilliCPU, error) {
	digits, milli := strings.CutSuffix(s, "m")
	factor := int64(1000)
	if milli {
		factor = 1
	}
	n, err := parseWhole(digits, factor)
	if err == nil {
		return MilliCPU(n), nil
	}
	if cores, ferr := strconv.ParseFloat(s, 64); ferr == nil && cores > 0 && cores < 1e6 && strings.Contains(s, ".") {
		err = &unitError{"fractions of a core are written in thousandths",
			fmt.Sprintf("write %dm", int64(math.Round(cores*1000)))}
	}
	return 0, fmt.Errorf("parse cpu %q: %w", s, err)
}

// String writes whole cores as a number and the rest in thousandths.
func (c MilliCPU) String() string {
	if c%1000 == 0 {
		return strconv.FormatInt(int64(c)/1000, 10)
	}
	return strconv.FormatInt(int64(c), 10) + "m"
}

func parseMultiple(s string, units []multiple) (int64, error) {
	for _, u := range units {
		if digits, found := strings.CutSuffix(s, u.suffix); found {
			return parseWhole(digits, u.factor)
		}
	}
	return parseWhole(s, 1)
}

func formatMultiple(n int64, units []multiple) string {
	for _, u := range units {
		if n != 0 && n%u.factor == 0 {
			return strconv.FormatInt(n/u.factor, 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}

// parseWhole reads a plain decimal number and multiplies it.
func parseWhole(s string, factor int64) (int64, error) {
	if !isWhole(s) {
		return 0, &unitError{"it is not a whole number with a known unit", "write digits and the unit, without spaces, signs or leading zeros"}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > math.MaxInt64/factor {
		return 0, &unitError{"the number is too large", "write a smaller one"}
	}
	return n * factor, nil
}

// isWhole reports whether s is decimal digits without a leading zero.
func isWhole(s string) bool {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}
