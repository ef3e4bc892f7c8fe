package strimzi

import (
	"maps"
	"slices"
	"strconv"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/render/manifest"
)

// topics are those that plan calls for, with the settings that it would make.
func (d *derivation) topics() {
	var all []string
	for _, t := range d.want.Topics {
		all = append(all, t.Name)
	}
	names := objectNames(all)
	for _, t := range d.want.Topics {
		d.topic(t, names[t.Name])
	}
}

func (d *derivation) topic(t plan.Topic, name string) {
	svc := d.estate.Service(t.Service)
	object := d.object("KafkaTopic", name, manifest.Labels(svc))
	if slices.Contains(t.Protect, contract.ProtectDelete) {
		object = annotated(object, manifest.E("argocd.argoproj.io/sync-options", "Prune=false").
			From("protect: [delete]; with this object the operator would delete the topic and its records"))
	}
	spec := manifest.Map{
		manifest.If(name != t.Name, manifest.E("topicName", t.Name).From("which is no name of Kubernetes'")),
		manifest.If(t.Partitions > 0, manifest.E("partitions", t.Partitions)),
		manifest.If(t.Replicas > 0, manifest.E("replicas", t.Replicas)),
		manifest.E("config", settings(t.Configs)),
	}
	d.add("topics/"+name+".yaml", d.about(t), append(object, manifest.E("spec", spec)))
}

// about says what a topic is for.
func (d *derivation) about(t plan.Topic) string {
	head := because(t.Reasons)
	if t.Role == plan.Retries {
		head += "\nIt has the partitions of " + t.Source + ", one for one; whoever adds some there adds them here first."
	}
	return head
}

// settings are a topic's, numbers as numbers.
func settings(configs map[string]string) manifest.Map {
	var m manifest.Map
	for _, key := range slices.Sorted(maps.Keys(configs)) {
		var value any = configs[key]
		if n, err := strconv.ParseInt(configs[key], 10, 64); err == nil {
			value = n
		}
		m = append(m, manifest.E(key, value))
	}
	return m
}

// annotated puts annotations into an object's metadata.
func annotated(object manifest.Map, annotations ...manifest.Entry) manifest.Map {
	for i, e := range object {
		if meta, ok := e.Value.(manifest.Map); ok && e.Key == "metadata" {
			object[i].Value = append(meta, manifest.E("annotations", manifest.Map(annotations)))
		}
	}
	return object
}
