package share

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// mostNames is how many names of a sort are told of a change.
const mostNames = 4

// differences tells in one line what of a contract is new, gone or changed.
func differences(old, now *contract.Service) string {
	var parts []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, what+" "+strings.Join(shorten(names), " "))
		}
	}
	add("topics", compareMaps(old.Topics, now.Topics))
	add("produces", compareMaps(old.Produces, now.Produces))
	add("consumes", compareMaps(old.Consumes, now.Consumes))
	add("files", compareMaps(maps.Collect(old.Files()), maps.Collect(now.Files())))
	for _, block := range []struct {
		name     string
		old, now any
	}{
		{"owner", old.Owner, now.Owner},
		{"identity", old.Auth, now.Auth},
		{"slo", old.SLO, now.SLO},
		{"workload", old.Workload, now.Workload},
		{"launch", old.Launch, now.Launch},
		{"adopt", old.Adopt, now.Adopt},
	} {
		if !reflect.DeepEqual(block.old, block.now) {
			parts = append(parts, block.name)
		}
	}
	if len(parts) == 0 {
		return "environments or wording"
	}
	return strings.Join(parts, "; ")
}

// compareMaps names what one map has and the other has not or has otherwise.
func compareMaps[T any](old, now map[string]T) []string {
	names := slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(now)))
	slices.Sort(names)
	var changed []string
	for _, name := range slices.Compact(names) {
		was, before := old[name]
		is, after := now[name]
		switch {
		case !before:
			changed = append(changed, "+"+name)
		case !after:
			changed = append(changed, "-"+name)
		case !reflect.DeepEqual(was, is):
			changed = append(changed, "~"+name)
		}
	}
	return changed
}

func shorten(names []string) []string {
	if len(names) <= mostNames+1 {
		return names
	}
	return append(slices.Clone(names[:mostNames]), fmt.Sprintf("and %d more", len(names)-mostNames))
}

// holds tells in one line what a contract that is new here brings.
func holds(s *contract.Service) string {
	var parts []string
	for _, part := range []struct {
		what string
		n    int
	}{{"topics", len(s.Topics)}, {"produces", len(s.Produces)}, {"consumes", len(s.Consumes)}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", part.what, part.n))
		}
	}
	if len(parts) == 0 {
		return "an empty contract"
	}
	return strings.Join(parts, ", ")
}
