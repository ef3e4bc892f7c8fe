package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Samples are one figure's values, a round each.
type Samples []float64

// Spread returns the smallest, the middle and the largest.
func (s Samples) Spread() (least, median, most float64) {
	if len(s) == 0 {
		return 0, 0, 0
	}
	v := slices.Sorted(slices.Values(s))
	return v[0], v[len(v)/2], v[len(v)-1]
}

// Text is how tables show samples.
func (s Samples) Text(unit Unit) string {
	if len(s) == 0 {
		return "–"
	}
	least, median, most := s.Spread()
	return fmt.Sprintf("%s / **%s** / %s", unit(least), unit(median), unit(most))
}

// A Unit writes a figure.
type Unit func(float64) string

// Count writes large numbers with k and M.
func Count(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2fM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 1e3:
		return fmt.Sprintf("%.2fk", v/1e3)
	}
	return Digits(v)
}

// Digits writes a number with three significant digits.
func Digits(v float64) string {
	if v == 0 || math.Abs(v) >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	places := max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	return strconv.FormatFloat(v, 'f', min(places, 4), 64)
}

// Times writes a ratio.
func Times(v float64) string {
	if v >= 10 {
		return fmt.Sprintf("%.1f×", v)
	}
	return fmt.Sprintf("%.2f×", v)
}

// Percent writes a share.
func Percent(v float64) string { return fmt.Sprintf("%.1f %%", v*100) }
