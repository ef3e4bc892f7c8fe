package history

import (
	"fmt"
	"slices"
	"strings"
)

// A Result is what a check comes to.
type Result string

// The results. Only Pass is green.
const (
	Pass    Result = "pass"    // complete, and no anomaly
	Fail    Result = "fail"    // at least one anomaly, complete or not
	Unknown Result = "unknown" // no anomaly seen, but not everything was seen
)

// A Kind is a sort of anomaly.
type Kind string

// The anomalies, in the order in which a verdict lists them.
const (
	Lost            Kind = "lost"             // it exists, and somebody who finished never saw it
	DuplicateRecord Kind = "duplicate-record" // one record at two places of its topic
	DuplicateEffect Kind = "duplicate-effect" // settled more than once by one group
	OutOfOrder      Kind = "out-of-order"     // before an earlier record of its key
	KeyOverlap      Kind = "key-overlap"      // two records of a key in handlers at one time
	CommitAhead     Kind = "commit-ahead"     // an offset committed above an unfinished record
	Phantom         Kind = "phantom"          // seen, though never sent or definitely failed
	Misrouted       Kind = "misrouted"        // seen in another topic or under another key
	Inconsistent    Kind = "inconsistent"     // two records at one place
	Zombie          Kind = "zombie"           // work begun by a worker after it let go of the partition
)

// Kinds returns every kind, in the order in which a verdict lists them.
func Kinds() []Kind {
	return []Kind{
		Lost, DuplicateRecord, DuplicateEffect, OutOfOrder, KeyOverlap,
		CommitAhead, Phantom, Misrouted, Inconsistent, Zombie,
	}
}

// MaxWitnesses is how many cases of each kind a verdict describes.
const MaxWitnesses = 32

// A Finding is every case of one kind.
type Finding struct {
	Kind      Kind     `json:"kind"`
	Count     int      `json:"count"`
	Witnesses []string `json:"witnesses"` // the first cases, at most MaxWitnesses
}

// Counts say what a history exercised. A test that injects something requires
// here that it was injected.
type Counts struct {
	Sends      int            `json:"sends"`
	Acked      int            `json:"acked"`
	Failed     int            `json:"failed"`
	Indefinite int            `json:"indefinite"`
	Reads      int            `json:"reads"`
	Effects    int            `json:"effects"` // attempts, whatever their outcome
	Applied    int            `json:"applied"` // effects that ended OK
	Dead       int            `json:"dead"`    // effects that ended Dead
	Parked     int            `json:"parked"`  // effects that ended Parked
	Repeats    int            `json:"repeats"` // settled again, permitted or not
	Commits    int            `json:"commits"`
	Assigns    int            `json:"assigns"`
	Revokes    int            `json:"revokes"`
	Faults     map[string]int `json:"faults,omitempty"` // by name
}

// A Verdict is what [Check] found.
type Verdict struct {
	Result   Result    `json:"result"`
	Findings []Finding `json:"findings"` // the kinds that occurred
	Unknowns []string  `json:"unknowns"` // what keeps the history from being complete
	Counts   Counts    `json:"counts"`
}

// OK reports whether the result is [Pass].
func (v Verdict) OK() bool { return v.Result == Pass }

// Count returns the number of anomalies of the kinds given.
func (v Verdict) Count(kinds ...Kind) int {
	var n int
	for _, f := range v.Findings {
		if slices.Contains(kinds, f.Kind) {
			n += f.Count
		}
	}
	return n
}

// String renders the verdict for a person: the result and what was exercised
// on the first line, then each finding with its witnesses, then what is
// unknown.
func (v Verdict) String() string {
	var b strings.Builder
	c := v.Counts
	fmt.Fprintf(&b, "%s: %d sent (%d acknowledged, %d failed, %d indefinite), %d read, %d effects (%d applied, %d dead), %d commits\n",
		strings.ToUpper(string(v.Result)), c.Sends, c.Acked, c.Failed, c.Indefinite, c.Reads, c.Effects, c.Applied, c.Dead, c.Commits)
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "%s %d\n", f.Kind, f.Count)
		for _, w := range f.Witnesses {
			fmt.Fprintf(&b, "  %s\n", w)
		}
		if more := f.Count - len(f.Witnesses); more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
	}
	for _, u := range v.Unknowns {
		fmt.Fprintf(&b, "unknown: %s\n", u)
	}
	return b.String()
}
