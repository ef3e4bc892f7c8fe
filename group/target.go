package group

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Kind is what sort of place a [Target] is.
type Kind string

// The kinds of targets.
const (
	Earliest Kind = "earliest" // the first record that is there
	Latest   Kind = "latest"   // after the last record
	AtOffset Kind = "offset"   // Offset
	By       Kind = "by"       // Offset records forth, or back if negative
	AtTime   Kind = "time"     // the first record of Time or younger
	LikeThat Kind = "group"    // where another group or topic is
)

// A Target is where a group shall go.
type Target struct {
	Kind   Kind
	Offset int64     // for AtOffset and By
	Time   time.Time // for AtTime

	// Group and Topic say whose place to take, for LikeThat. Empty means the
	// group's own, and the topic that is moved. A place in another topic is
	// carried over by time.
	Group, Topic string

	// Margin is how much earlier a place that is carried over by time is
	// taken, because clocks of producers differ. It is not applied to AtTime.
	Margin time.Duration
}

// String is the target as [ParseTarget] reads it, or else as a person would
// say it.
func (t Target) String() string {
	switch t.Kind {
	case AtOffset:
		return strconv.FormatInt(t.Offset, 10)
	case By:
		return fmt.Sprintf("%+d", t.Offset)
	case AtTime:
		return t.Time.UTC().Format(time.RFC3339Nano)
	case LikeThat:
		return strings.TrimSpace(fmt.Sprintf("where %s is %s", t.Group, t.Topic))
	}
	return string(t.Kind)
}

// ParseTarget reads a place:
//
//	earliest, latest   the ends of the log
//	1200               an offset
//	+100, -100         so many records forth or back
//	-2h, -7d           the first record of that time ago or younger
//	2026-05-01, 2026-05-01T12:00:00Z, @1777636800000
//	                   the first record of a time or younger: a day in UTC, a
//	                   time with its zone, milliseconds since 1970
func ParseTarget(text string, now time.Time) (Target, error) {
	if text == string(Earliest) || text == string(Latest) {
		return Target{Kind: Kind(text)}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
			return Target{Kind: By, Offset: n}, nil
		}
		return Target{Kind: AtOffset, Offset: n}, nil
	}
	if ms, ok := strings.CutPrefix(text, "@"); ok {
		if n, err := strconv.ParseUint(ms, 10, 48); err == nil {
			return Target{Kind: AtTime, Time: time.UnixMilli(int64(n)).UTC()}, nil
		}
	}
	if back, ok := strings.CutPrefix(text, "-"); ok {
		if d, err := contract.ParseDuration(back); err == nil && d > 0 {
			return Target{Kind: AtTime, Time: now.Add(-d).UTC()}, nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && at.Unix() >= 0 {
			return Target{Kind: AtTime, Time: at.UTC()}, nil
		}
	}
	return Target{}, misread(text)
}

// misread guesses what was meant.
func misread(text string) error {
	d := diag.New(diag.GroupTarget, "%q is no place in a topic", text)
	if ago, err := contract.ParseDuration(strings.TrimPrefix(text, "+")); err == nil && ago > 0 {
		return d.WithFix("a time ago is written with a minus: -%s", strings.TrimPrefix(text, "+"))
	}
	if _, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
		return d.WithFix("say in which zone, for example %sZ for UTC", text)
	}
	return d.WithFix("write it like earliest, latest, 1200, +100, -100, -2h, 2026-05-01 or 2026-05-01T12:00:00Z")
}
