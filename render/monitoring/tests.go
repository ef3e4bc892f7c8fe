package monitoring

import (
	"maps"
)

// testsPage writes unit tests of rules for promtool: each alert fires on what it is
// for, with exactly the labels and annotations that a receiver gets, and rests on
// what is just short of it.
func testsPage(name string, groups []Group) []byte {
	var p page
	p.line(0, "# Tests of rules/%s.rules.yaml: promtool test rules tests/%s.test.yaml", name, name)
	p.line(0, "# Rendered by slipway render prometheus: an edit is noticed, and not kept.")
	p.line(0, "rule_files: [%s]", quote("../rules/"+name+".rules.yaml"))
	p.line(0, "evaluation_interval: 1m")
	p.line(0, "tests:")
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				p.test(r, r.Alert+" fires", r.probe.fires, true)
				p.test(r, r.Alert+" rests", r.probe.rests, false)
			}
		}
	}
	return []byte(p.String())
}

func (p *page) test(r Rule, name string, input []series, fires bool) {
	p.line(1, "- name: %s", quote(name))
	p.line(2, "interval: 1m")
	p.line(2, "input_series:")
	for _, s := range input {
		p.line(3, "- {series: %s, values: %s}", quote(s.of), quote(s.values))
	}
	p.line(2, "alert_rule_test:")
	p.line(3, "- eval_time: %s", duration(r.probe.at))
	p.line(4, "alertname: %s", r.Alert)
	if !fires {
		p.line(4, "exp_alerts: []")
		return
	}
	p.line(4, "exp_alerts:")
	labels := maps.Clone(r.Labels)
	maps.Copy(labels, r.probe.labels)
	annotations := make(map[string]string)
	for key, text := range r.Annotations {
		annotations[key] = expand(text, labels)
	}
	p.line(5, "-")
	p.mapping(6, "exp_labels", labels)
	p.mapping(6, "exp_annotations", annotations)
}
