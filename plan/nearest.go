package plan

import (
	"cmp"
	"slices"
	"strings"
)

// suggestions is how many names a wrong one is answered with at most.
const suggestions = 3

// nearest returns the names that a wrong one resembles, the likeliest first:
// those a few slips away from it, then those it is a part of.
func nearest(wrong string, all []named) []string {
	var names []string
	for _, n := range all {
		for name := range n.names {
			if n.Kind != "acl" && !strings.HasPrefix(name, "User:") {
				names = append(names, name)
			}
		}
	}
	return resembling(wrong, names)
}

// resembling is [nearest] for plain names.
func resembling(wrong string, all []string) []string {
	type candidate struct {
		name string
		away int
	}
	var near []candidate
	seen := map[string]bool{"": true}
	for _, name := range all {
		if seen[name] {
			continue
		}
		seen[name] = true
		away := distance(wrong, name)
		switch {
		case away <= max(2, len(wrong)/4):
			near = append(near, candidate{name, away})
		case len(wrong) >= 3 && strings.Contains(name, wrong):
			near = append(near, candidate{name, 1000 + len(name)})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.away, b.away), cmp.Compare(a.name, b.name)) })
	var names []string
	for _, c := range near[:min(len(near), suggestions)] {
		names = append(names, c.name)
	}
	return names
}

// distance counts the single-byte edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
