package monitoring

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A probe is what the tests of an alert feed to it: series that make it fire, and
// series that must not. A rule without a test of its own is a guess.
type probe struct {
	fires, rests []series
	at           time.Duration     // when it is looked at
	labels       map[string]string // that the alert then has, beside the rule's own
}

// A series is a series of samples, a minute apart, in promtool's notation.
type series struct{ of, values string }

// expand fills labels into a text, as Prometheus does with annotations.
func expand(text string, labels map[string]string) string {
	for name, value := range labels {
		text = strings.ReplaceAll(text, "{{ $labels."+name+" }}", value)
	}
	return text
}

const minute = time.Minute

// flat is a value that stays.
func flat(value string) string { return value + "x200" }

// counting is a counter that grows by so much a minute.
func counting(step int) string { return fmt.Sprintf("0+%dx100", step) }

// series is one of the service's own, of one instance.
func (s *scope) series(metric, values string, labels ...string) series {
	all := append([]string{`service="` + s.service + `"`, `environment="` + s.env + `"`, `instance="10.0.0.1:8080"`}, labels...)
	return series{metric + "{" + strings.Join(all, ",") + "}", values}
}

// A sample is the group and the topic that probes are about.
type sample struct {
	scope        *scope
	group, topic string
}

func (a sample) labels() map[string]string {
	return map[string]string{"consumer_group": a.group, "topic": a.topic}
}

// with returns the labels with others.
func (a sample) with(pairs ...string) map[string]string {
	labels := a.labels()
	for pair := range slices.Chunk(pairs, 2) {
		labels[pair[0]] = pair[1]
	}
	return labels
}

func (a sample) series(metric, values string, labels ...string) series {
	return a.scope.series(metric, values, append([]string{`consumer_group="` + a.group + `"`, `topic="` + a.topic + `"`}, labels...)...)
}
