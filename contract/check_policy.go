package contract

import (
	"fmt"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// retry judges when and how often an entry's failed records are tried again.
func (f *faults) retry(c *Consume, element string) {
	r := c.Retry
	for i := 1; i < len(r.Delays); i++ {
		if d := r.Delays[i]; d > 0 && d <= r.Delays[i-1] {
			f.add(diag.ContractRetryOrder, fmt.Sprintf("%s/retry/delays/%d", element, i), "", "%s comes after %s",
				FormatDuration(r.Delays[i]), FormatDuration(r.Delays[i-1]))
		}
	}
	b := r.Backoff
	if b == nil {
		return
	}
	element += "/retry/backoff"
	switch {
	case len(r.Delays) > 0:
		f.add(diag.ContractBackoff, element, "remove one of them; an environment that takes the other one writes delays: null or backoff: null", "delays and backoff are both there")
	case b.First > b.Max:
		f.add(diag.ContractBackoff, element+"/first", "", "the first wait, %s, is above max, %s", FormatDuration(b.First), FormatDuration(b.Max))
	case b.Budget < b.First:
		f.add(diag.ContractBackoff, element+"/budget", fmt.Sprintf("write budget: %s or more", FormatDuration(2*unbounded(r))),
			"budget %s is below the first wait, %s", FormatDuration(b.Budget), FormatDuration(b.First))
	case b.Budget < unbounded(r)/2:
		f.warn(diag.ContractBackoff, element+"/budget", fmt.Sprintf("write budget: %s or more, or fewer attempts", FormatDuration(unbounded(r))),
			"budget %s ends before the last of %d attempts: their waits take %s together on average", FormatDuration(b.Budget), b.Attempts, FormatDuration(unbounded(r)/2))
	}
}

// unbounded is how long all waits can take together if no budget ends them.
func unbounded(r Retry) time.Duration {
	free := *r.Backoff
	free.Budget = 0
	return Retry{Backoff: &free}.Longest()
}

// membership judges how an entry's members stay in their group (C08.10).
func (f *faults) membership(c *Consume, element string) {
	if c.Protocol == Consumer && f.service.source.written(element, "assignment") {
		f.add(diag.ContractAssignment, element+"/assignment", "", "protocol: consumer does not go with assignment: %s", c.Assignment)
	}
	if c.Session > 0 && c.Heartbeat > c.Session/HeartbeatsPerSession {
		key := "heartbeat"
		if !f.service.source.written(element, key) {
			key = "session"
		}
		f.add(diag.ContractHeartbeat, element+"/"+key,
			fmt.Sprintf("write heartbeat: %s or less, or session: %s or more", wholeMillis(c.Session/HeartbeatsPerSession), FormatDuration(HeartbeatsPerSession*c.Heartbeat)),
			"a session of %s has no room for %d heartbeats of %s", FormatDuration(c.Session), HeartbeatsPerSession, FormatDuration(c.Heartbeat))
	}
}

func wholeMillis(d time.Duration) string { return FormatDuration(d.Truncate(time.Millisecond)) }

// sharedKeys are the settings that the members of a group have one of.
var sharedKeys = []struct {
	key   string
	value func(*Consume) string
}{
	{"protocol", func(c *Consume) string { return string(c.Protocol) }},
	{"assignment", func(c *Consume) string { return string(c.Assignment) }},
	{"static", func(c *Consume) string { return fmt.Sprint(c.Static) }},
	{"session", func(c *Consume) string { return FormatDuration(c.Session) }},
	{"heartbeat", func(c *Consume) string { return FormatDuration(c.Heartbeat) }},
	{"isolation", func(c *Consume) string { return string(c.Isolation) }},
}

// group judges the entries that share one consumer group.
func (f *faults) group(entries []*Consume) {
	first := entries[0]
	topics := map[string]string{}
	for _, c := range entries {
		element := "consumes/" + c.Name
		if other, twice := topics[c.Topic]; twice {
			f.add(diag.ContractGroup, element, "", "%s is already read by %s in the same group", c.Topic, other)
		}
		topics[c.Topic] = c.Name
		if c.As != first.As {
			f.add(diag.ContractGroup, element+"/as", "", "%s reads as %s in the same group", first.Name, first.As)
			continue
		}
		for _, s := range sharedKeys {
			if theirs := s.value(first); c.As == Stream && s.value(c) != theirs {
				f.add(diag.ContractGroup, element+"/"+s.key, "make them equal, or give one of the entries a group suffix of its own", "%s has %s %s in the same group", first.Name, s.key, theirs)
			}
		}
	}
}
