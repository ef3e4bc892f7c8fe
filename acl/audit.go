package acl

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// MaxAuditLine is how much of a line of a log is read. A line that is
	// longer is not understood; Kafka's own are shorter with the longest name
	// that its protocol can carry.
	MaxAuditLine = 128 << 10

	// MaxDenials is how many different denials an [Audit] tells apart. Names of
	// groups and transactional ids are the clients' choice, so a log may hold
	// any number, of any length; those beyond are counted and not told apart.
	MaxDenials = 10_000

	// maxNames bounds the memory that the names of denials take, in bytes.
	maxNames = 16 << 20

	// maxNoted is how many hosts, and requests, are told of one denial, and
	// maxWord how long one may be.
	maxNoted, maxWord = 8, 64
)

// An Audit sums up the logs of authorizers: what was denied to whom, and how
// often. It takes memory for the different denials and for one line, however
// long the logs are. Every line is in exactly one of its counts.
//
// The zero value is ready for use. It may not be used concurrently.
type Audit struct {
	Lines   int64 `json:"lines"`
	Denied  int64 `json:"denied"`
	Allowed int64 `json:"allowed"` // logged where the logger's level is DEBUG
	Other   int64 `json:"other"`   // lines that speak of no principal: other loggers'
	Unknown int64 `json:"unknown"` // lines that speak of one and were not understood
	Beyond  int64 `json:"beyond"`  // of those denied, what is in no [Denial]

	FirstUnknown string `json:"firstUnknown,omitempty"` // the first line of Unknown, cut short

	denials map[denialKey]*Denial
	names   int // bytes
}

// A Denial is one thing that was denied to a principal, any number of times.
type Denial struct {
	Principal    string       `json:"principal"`
	Operation    Operation    `json:"operation"`
	ResourceType ResourceType `json:"resourceType"`
	Name         string       `json:"resourceName"`
	Count        int64        `json:"count"`
	First        time.Time    `json:"first,omitzero"`
	Last         time.Time    `json:"last,omitzero"`
	Requests     []string     `json:"requests"` // in Kafka's words, sorted; the first few that were seen
	Hosts        []string     `json:"hosts"`    // where from, sorted; the first few that were seen

	// Explicit is whether an ACL with permission DENY decided, rather than the
	// lack of one that allows.
	Explicit bool `json:"explicit"`
}

type denialKey struct {
	principal string
	operation Operation
	kind      ResourceType
	name      string
	explicit  bool
}

// Read adds a log, to its end or until the context ends.
func (a *Audit) Read(ctx context.Context, log io.Reader) error {
	r := bufio.NewReaderSize(log, MaxAuditLine)
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			a.add(line, errors.Is(err, bufio.ErrBufferFull))
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line that is too long
			_, err = r.ReadSlice('\n')
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read line %d: %w", a.Lines+1, err)
		case a.Lines%1000 == 0 && ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
}

func (a *Audit) add(line []byte, cut bool) {
	a.Lines++
	attempt, ok := Attempt{}, false
	if !cut {
		attempt, ok = ParseAttempt(line)
	}
	switch {
	case ok && attempt.Denied:
		a.Denied++
		a.deny(attempt)
	case ok:
		a.Allowed++
	case bytes.Contains(line, []byte("Principal")):
		a.Unknown++
		if a.FirstUnknown == "" {
			text := bytes.ToValidUTF8(bytes.TrimSpace(line[:min(len(line), 300)]), []byte("\uFFFD"))
			a.FirstUnknown = fmt.Sprintf("line %d: %s", a.Lines, text)
		}
	default:
		a.Other++
	}
}

func (a *Audit) deny(at Attempt) {
	key := denialKey{at.Principal, at.Operation, at.ResourceType, at.Name, explicit(at.Rule)}
	d := a.denials[key]
	if d == nil {
		if d = a.first(key); d == nil {
			a.Beyond++
			return
		}
		d.First, d.Last = at.Time, at.Time
	}
	d.Count++
	if !at.Time.IsZero() {
		if d.First.IsZero() || at.Time.Before(d.First) {
			d.First = at.Time
		}
		if at.Time.After(d.Last) {
			d.Last = at.Time
		}
	}
	d.Requests = note(d.Requests, at.Request)
	d.Hosts = note(d.Hosts, at.Host)
}

// first keeps a denial that was not seen before, if there is room. Its names
// are copies: the line they are from is long.
func (a *Audit) first(key denialKey) *Denial {
	size := len(key.principal) + len(key.name)
	if len(a.denials) >= MaxDenials || a.names+size > maxNames {
		return nil
	}
	a.names += size
	key.principal, key.name = strings.Clone(key.principal), strings.Clone(key.name)
	if a.denials == nil {
		a.denials = map[denialKey]*Denial{}
	}
	a.denials[key] = &Denial{
		Principal: key.principal, Operation: key.operation, ResourceType: key.kind, Name: key.name, Explicit: key.explicit,
		Requests: []string{}, Hosts: []string{},
	}
	return a.denials[key]
}

// explicit reports whether a rule, as it is logged, is an ACL: one that matched
// and denied. Everything else that denies is the lack of one.
func explicit(rule string) bool { return strings.HasPrefix(rule, "MatchingAcl") }

// note adds a word to a short sorted list.
func note(list []string, word string) []string {
	i, known := slices.BinarySearch(list, word)
	if word == "" || len(word) > maxWord || known || len(list) == maxNoted {
		return list
	}
	return slices.Insert(list, i, strings.Clone(word))
}

// Denials returns what was denied, the most frequent first.
func (a *Audit) Denials() []Denial {
	all := make([]Denial, 0, len(a.denials))
	for d := range maps.Values(a.denials) {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(x, y Denial) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), x.compare(y))
	})
	return all
}

func (d Denial) compare(o Denial) int {
	explicit := func(d Denial) int {
		if d.Explicit {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(d.Principal, o.Principal), cmp.Compare(d.ResourceType, o.ResourceType), cmp.Compare(d.Name, o.Name),
		cmp.Compare(d.Operation, o.Operation), cmp.Compare(explicit(d), explicit(o)),
	)
}

// String tells the denial in one line.
func (d Denial) String() string {
	return fmt.Sprintf("%s %s %s %s", d.Principal, d.Operation, d.ResourceType, d.Name)
}
