package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A page is YAML that is written from top to bottom. Each text is quoted as JSON
// would, which YAML reads the same.
type page struct{ strings.Builder }

// line writes a line at a depth of two spaces each.
func (p *page) line(depth int, format string, args ...any) {
	p.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

// block writes a text as a literal if it has lines or quotes, so that it can be read.
func (p *page) block(depth int, key, text string) {
	if !strings.ContainsAny(text, "\n\"") {
		p.line(depth, "%s: %s", key, quote(text))
		return
	}
	p.line(depth, "%s: |-", key)
	for line := range strings.SplitSeq(text, "\n") {
		p.line(depth+1, "%s", line)
	}
}

// mapping writes texts by name, sorted.
func (p *page) mapping(depth int, key string, all map[string]string) {
	if len(all) == 0 {
		return
	}
	p.line(depth, "%s:", key)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p.line(depth+1, "%s: %s", name, quote(all[name]))
	}
}

// quote writes a text as JSON, and leaves < and > readable.
func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// duration writes a duration in Prometheus's units, exactly.
func duration(d time.Duration) string {
	for _, u := range []struct {
		unit string
		is   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d >= u.is && d%u.is == 0 {
			return strconv.FormatInt(int64(d/u.is), 10) + u.unit
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// rulesPage writes groups as a file of rules.
func rulesPage(head []string, groups []Group) []byte {
	var p page
	for _, line := range head {
		p.line(0, "# %s", line)
	}
	p.line(0, "groups:")
	for _, g := range groups {
		if len(g.Rules) == 0 {
			continue
		}
		p.line(1, "- name: %s", quote(g.Name))
		p.line(2, "rules:")
		for _, r := range g.Rules {
			p.rule(r)
		}
	}
	return []byte(p.String())
}

func (p *page) rule(r Rule) {
	for _, why := range r.Why {
		p.line(3, "# %s", why)
	}
	if r.Record != "" {
		p.line(3, "- record: %s", quote(r.Record))
	} else {
		p.line(3, "- alert: %s", r.Alert)
	}
	p.block(4, "expr", r.Expr)
	if r.For > 0 {
		p.line(4, "for: %s", duration(r.For))
	}
	p.mapping(4, "labels", r.Labels)
	p.mapping(4, "annotations", r.Annotations)
}
