package inspect

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// A Within is how near an end may come before it is told: a time, or a part of
// the whole life. The zero value is a fifth of the life, at most 30 days.
type Within struct {
	left time.Duration
	part float64
}

const (
	usualPart = 0.2
	usualLeft = 30 * 24 * time.Hour
)

// ParseWithin reads a time such as 30d or 12h, or a part of the life such as 20%.
func ParseWithin(text string) (Within, error) {
	if strings.HasSuffix(text, "%") {
		part, err := contract.ParsePercent(text)
		if err == nil && (part <= 0 || part >= 1) {
			err = fmt.Errorf("%s is not between 0%% and 100%%", text)
		}
		return Within{part: part}, err
	}
	left, err := contract.ParseDuration(text)
	if err == nil && left <= 0 {
		err = fmt.Errorf("%s is no time", text)
	}
	return Within{left: left}, err
}

// String writes it as [ParseWithin] reads it.
func (w Within) String() string {
	switch {
	case w.part > 0:
		return contract.FormatPercent(w.part)
	case w.left > 0:
		return contract.FormatDuration(w.left)
	}
	return contract.FormatPercent(usualPart) + " of its life, at most " + contract.FormatDuration(usualLeft)
}

// Reserve is how much of a life of that length may not be used up.
func (w Within) Reserve(life time.Duration) time.Duration {
	part := time.Duration(float64(life) * cmp.Or(w.part, usualPart))
	switch {
	case w.part > 0:
		return part
	case w.left > 0:
		return w.left
	}
	return min(part, usualLeft)
}

// Near reports whether a certificate's end is so near, or past.
func (w Within) Near(c *x509.Certificate, now time.Time) bool {
	return c.NotAfter.Sub(now) < w.Reserve(c.NotAfter.Sub(c.NotBefore))
}

// NearList reports whether the next update of a revocation list is. A list lives
// for days, so of its life only a fifth counts where a longer time is asked for.
func (w Within) NearList(l *x509.RevocationList, now time.Time) bool {
	if l.NextUpdate.IsZero() {
		return false
	}
	life := l.NextUpdate.Sub(l.ThisUpdate)
	return l.NextUpdate.Sub(now) < min(w.Reserve(life), Within{part: usualPart}.Reserve(life))
}
