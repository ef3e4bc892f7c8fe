package dlq

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"
)

// A Query selects letters. Its zero value selects all of them.
type Query struct {
	// Filter must be true for a letter; nil for any.
	Filter *Filter

	// Reasons are those that a letter may have; none for any.
	Reasons []string

	// Key is what a letter's key must be, as [Letter.KeyText] shows it; nil
	// for any.
	Key *string

	// Partitions are those of the dead-letter topic to read; none for all.
	Partitions []int32

	// Since and Until bound when letters were written: from Since, before
	// Until. Zero for no bound.
	Since, Until time.Time

	// At selects one letter; nil for any.
	At *Ref

	// Limit is how many letters to select at most; 0 for all.
	Limit int
}

// selects judges a letter. The error means that the filter has no answer.
func (q Query) selects(l *Letter, now time.Time) (bool, error) {
	switch {
	case q.At != nil && *q.At != l.Ref,
		len(q.Reasons) > 0 && !slices.Contains(q.Reasons, l.Reason),
		q.Key != nil && *q.Key != l.KeyText(),
		len(q.Partitions) > 0 && !slices.Contains(q.Partitions, l.Partition),
		!q.Since.IsZero() && l.Time.Before(q.Since),
		!q.Until.IsZero() && !l.Time.Before(q.Until):
		return false, nil
	case q.Filter == nil:
		return true, nil
	}
	return q.Filter.Match(l, now)
}

// reads reports whether a partition can hold what is selected.
func (q Query) reads(partition int32) bool {
	if q.At != nil {
		return q.At.Partition == partition
	}
	return len(q.Partitions) == 0 || slices.Contains(q.Partitions, partition)
}

// hash tells selections apart. Two of the same words are the same, though a
// filter that uses now selects other letters later.
func (q Query) hash() [8]byte {
	words, err := json.Marshal(q.Words()) // sorted by name
	if err != nil {
		panic("dlq: " + err.Error()) // it is strings and numbers
	}
	sum := sha256.Sum256(words)
	return [8]byte(sum[:])
}

// Words are what the query asks for, by name, as an audit keeps it.
func (q Query) Words() map[string]any {
	words := map[string]any{}
	set := func(name string, is bool, value any) {
		if is {
			words[name] = value
		}
	}
	if q.Filter != nil {
		words["filter"] = q.Filter.String()
	}
	if q.Key != nil {
		words["key"] = *q.Key
	}
	if q.At != nil {
		words["at"] = q.At.String()
	}
	set("reasons", len(q.Reasons) > 0, q.Reasons)
	set("partitions", len(q.Partitions) > 0, q.Partitions)
	set("since", !q.Since.IsZero(), q.Since.UTC().Format(time.RFC3339))
	set("until", !q.Until.IsZero(), q.Until.UTC().Format(time.RFC3339))
	set("limit", q.Limit > 0, q.Limit)
	return words
}
