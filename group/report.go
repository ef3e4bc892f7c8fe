package group

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/lag"
)

// A Report is how a group is doing.
type Report struct {
	Group    string `json:"group"`
	Protocol string `json:"protocol,omitempty"` // classic, consumer (KIP-848) or share
	State    string `json:"state"`              // Kafka's word: Stable, Empty, Dead …
	Assignor string `json:"assignor,omitempty"`

	// Status is that of the sickest partition, retry topics apart: what waits
	// there waits on purpose.
	Status lag.Status `json:"status"`

	Lag        int64       `json:"lag"`   // records, retry topics apart
	Retry      int64       `json:"retry"` // records before the group in retry topics, at most those that wait
	Members    []Member    `json:"members"`
	Topics     []Share     `json:"topics"`
	Partitions []Partition `json:"partitions"`

	// RetrySeconds is how long the oldest record of the retry topics lies there;
	// nil for none, or if it could not be read.
	RetrySeconds *float64 `json:"retrySeconds,omitempty"`

	// Problem is why the group could not be looked at, or not wholly.
	Problem *diag.Diagnostic `json:"problem,omitempty"`
}

// Idle are the members that hold no partition at all. There need be none unless
// the members are more than the partitions.
func (r Report) Idle() []Member {
	var idle []Member
	for _, m := range r.Members {
		if m.Partitions == 0 {
			idle = append(idle, m)
		}
	}
	return idle
}

// A Member is one reader of a group.
type Member struct {
	ID         string `json:"id"`
	Instance   string `json:"instance,omitempty"`
	Client     string `json:"client"`
	Host       string `json:"host"`
	Partitions int    `json:"partitions"` // how many it holds
}

// A Share is how the partitions of a topic are shared out among members.
type Share struct {
	Topic      string `json:"topic"`
	Partitions int    `json:"partitions"`
	Members    int    `json:"members"` // that are subscribed to it
	Held       []int  `json:"held"`    // partitions of each member that holds any, the most first
	Idle       int    `json:"idle"`    // members that hold none of it
	Free       int    `json:"free"`    // partitions that no member holds
	Retry      bool   `json:"retry,omitempty"`
}

// A Partition is a group's place in one partition.
type Partition struct {
	Topic     string     `json:"topic"`
	Partition int32      `json:"partition"`
	Committed int64      `json:"committed"` // the next record; [NoPosition] if none
	Start     int64      `json:"start"`     // of the log
	End       int64      `json:"end"`       // of the log
	Lag       int64      `json:"lag"`       // records
	Begins    Begins     `json:"begins"`
	Status    lag.Status `json:"status"`
	Retry     bool       `json:"retry,omitempty"`

	// Seconds is how long the oldest record that is not finished has waited:
	// the time of looking less its timestamp. It goes on growing when nobody
	// reads. Nil if the record could not be read.
	Seconds *float64 `json:"seconds,omitempty"`

	// Behind is how far the group is behind the log: the greatest timestamp
	// there less that of the oldest unfinished record. It stands still when
	// nobody writes.
	Behind *float64 `json:"behindSeconds,omitempty"`

	// Members hold the partition: at most one, but in a share group.
	Members []Member `json:"members,omitempty"`
}

// Begins says where a reader that starts now begins, and why.
type Begins string

// Where readers begin.
const (
	FromCommit Begins = "committed" // at the committed offset
	FromPolicy Begins = "start"     // no commit: the reader's start policy decides
	FromGap    Begins = "gap"       // the commit is not in the log: its gap policy decides
)

func begins(p Partition) Begins {
	switch {
	case p.Committed == NoPosition:
		return FromPolicy
	case p.Committed < p.Start || p.Committed > p.End:
		return FromGap
	}
	return FromCommit
}

// String tells a share as the rule that every assignor follows: partitions are
// shared out as evenly as they go, and members are idle only if there are more
// of them than partitions.
func (s Share) String() string {
	if s.Members == 0 {
		return count(s.Partitions, "partition", "partitions") + ", nobody reads them"
	}
	text := count(s.Partitions, "partition", "partitions") + " over " + count(s.Members, "member", "members")
	held := make([]string, len(s.Held))
	for i, n := range s.Held {
		held[i] = strconv.Itoa(n)
	}
	if len(held) > 0 {
		text += ": " + strings.Join(held, "+")
	}
	switch {
	case s.Idle > 0 && s.Members > s.Partitions:
		text += "; " + count(s.Idle, "has none of it", "have none of it") + ", because a partition has one reader"
	case s.Idle > 0:
		text += "; " + count(s.Idle, "has none of it", "have none of it") + " although there are partitions enough: a rebalance is under way, or an assignor is uneven"
	}
	if s.Free > 0 {
		text += "; " + count(s.Free, "partition is", "partitions are") + " held by nobody"
	}
	return text
}

// shares tells how topics are shared out.
func (s *state) shares(topics []string, retry []string) []Share {
	var all []Share
	for _, topic := range topics {
		share := Share{Topic: topic, Partitions: int(s.topics[topic].Partitions), Held: []int{}, Retry: slices.Contains(retry, topic)}
		held := 0
		for _, m := range s.Members {
			n := len(m.Assigned[topic])
			if held += n; n > 0 {
				share.Held = append(share.Held, n)
			}
			if n > 0 || slices.Contains(m.Topics, topic) {
				share.Members++
			}
		}
		slices.SortFunc(share.Held, func(a, b int) int { return cmp.Compare(b, a) })
		share.Idle = share.Members - len(share.Held)
		if share.Members > 0 && !s.share() {
			share.Free = max(0, share.Partitions-held)
		}
		all = append(all, share)
	}
	return all
}

// waited fills in the seconds of a partition whose oldest unfinished record is
// of a time.
func (p *Partition) waited(now, of, newest time.Time) {
	p.Seconds = new(max(0, now.Sub(of).Seconds()))
	if !newest.IsZero() {
		p.Behind = new(max(0, newest.Sub(of).Seconds()))
	}
}
