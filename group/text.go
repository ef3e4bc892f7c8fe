package group

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// count says how many there are of something, in words that agree.
func count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// list joins names, at most so many.
func list(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// assignment tells partitions by topic: orders.v1 0,1,2; stock.v1 0.
func assignment(assigned map[string][]int32) string {
	var parts []string
	for _, topic := range slices.Sorted(maps.Keys(assigned)) {
		if ids := assigned[topic]; len(ids) > 0 {
			parts = append(parts, topic+" "+strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]"))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}
