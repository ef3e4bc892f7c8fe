package kubernetes_test

import (
	"fmt"
	"strings"
)

// An object of Kubernetes, as JSON has it.
type object map[string]any

func (o object) kind() string      { return fmt.Sprint(o["kind"]) }
func (o object) version() string   { return fmt.Sprint(o["apiVersion"]) }
func (o object) name() string      { return o.text("metadata", "name") }
func (o object) namespace() string { return o.text("metadata", "namespace") }
func (o object) uid() string       { return o.text("metadata", "uid") }

func (o object) String() string {
	name := o.name()
	if ns := o.namespace(); ns != "" {
		name = ns + "/" + name
	}
	return o.kind() + " " + name
}

// at returns what is at a path of keys, or nil.
func (o object) at(path ...string) any {
	var found any = map[string]any(o)
	for _, key := range path {
		m, _ := found.(map[string]any)
		found = m[key]
	}
	return found
}

func (o object) text(path ...string) string {
	s, _ := o.at(path...).(string)
	return s
}

// number returns a number as JSON or YAML has it, and 0 if there is none.
func (o object) number(path ...string) int {
	switch n := o.at(path...).(type) {
	case float64:
		return int(n)
	case int64:
		return int(n)
	case int:
		return n
	}
	return 0
}

// labels joins a selector's labels as a query has them.
func (o object) labels(path ...string) string {
	m, _ := o.at(path...).(map[string]any)
	var all []string
	for name, value := range m {
		all = append(all, fmt.Sprintf("%s=%v", name, value))
	}
	return strings.Join(all, ",")
}

// workload reports whether an object makes pods.
func (o object) workload() bool {
	switch o.kind() {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job":
		return true
	}
	return false
}

// condition returns the status of a condition of an object, or "".
func (o object) condition(name string) string { return o.said(name).text("status") }

// reason returns why a condition of an object is as it is, in one word, or "".
func (o object) reason(name string) string { return o.said(name).text("reason") }

// said is a condition of an object, or nil.
func (o object) said(name string) object {
	all, _ := o.at("status", "conditions").([]any)
	for _, c := range all {
		if m := object(c.(map[string]any)); m["type"] == name {
			return m
		}
	}
	return nil
}
