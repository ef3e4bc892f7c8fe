package slipway

import (
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const keyCheck = attribute.Key("check")

// judged is the instrument of health.
type judged struct {
	app    atomic.Pointer[App]
	checks metric.Int64Observable
}

func (j *judged) make(m *maker) {
	j.checks = m.gauge("slipway.health.check", "{check}", "How many checks of a kind stand so; status is ok, warn or fail.")
}

// collect counts the checks by kind and status.
func (j *judged) collect(o metric.Observer) {
	app := j.app.Load()
	if app == nil {
		return
	}
	type series struct {
		kind, status string
		link         *link // nil for the default cluster, and for none
	}
	counts := make(map[series]int64)
	for _, f := range app.judge(time.Now()) {
		name, of := f.Name, f.link
		if of != nil {
			name = strings.TrimSuffix(name, of.on("")) // a label says it
		}
		if of != nil && of.other() == "" {
			of = nil
		}
		counts[series{kindOf(name), string(f.Status), of}]++
	}
	for of, n := range counts {
		var names []attribute.KeyValue
		if of.link != nil {
			names = of.link.names()
		}
		o.ObserveInt64(j.checks, n, with(names, keyCheck.String(of.kind), keyStatus.String(of.status)))
	}
}

// kindOf is a check's name as a label: without the partition and offset that it
// may be about, of which there is no end.
func kindOf(name string) string {
	if _, thing, found := strings.Cut(name, ": "); found && strings.HasPrefix(name, "group ") {
		name = thing
	}
	kind, of, found := strings.Cut(name, " of ")
	if found && (strings.HasPrefix(of, "partition ") || kind == "handler") {
		return kind
	}
	if strings.HasPrefix(name, "partition ") {
		return "partition"
	}
	return name
}
