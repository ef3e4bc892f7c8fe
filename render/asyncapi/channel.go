package asyncapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// A topic is one that the service owns, writes or reads, on one cluster.
type topic struct {
	id    string // of its channel
	name  string // as contracts call it
	alias string // of the cluster
	from  string // where the contract first names it
}

// topics are all of the service's, sorted by their channels.
func (w *writer) topics() []topic {
	found := make(map[string]topic)
	add := func(name, alias, element string) {
		id := channelID(name, alias)
		if _, known := found[id]; !known {
			found[id] = topic{id, name, alias, manifest.At(w.svc, element)}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.svc.Topics)) {
		add(name, w.svc.Topics[name].Cluster, "topics/"+name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.svc.Produces)) {
		add(name, w.svc.Produces[name].Cluster, "produces/"+name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.svc.Consumes)) {
		add(w.svc.Consumes[name].Topic, w.svc.Consumes[name].Cluster, "consumes/"+name)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b topic) int { return strings.Compare(a.id, b.id) })
}

// channelID is what the document calls a topic: its name, and its cluster where
// that is not the default one. No topic's name has an @.
func channelID(name, alias string) string {
	if cmp.Or(alias, contract.DefaultAlias) == contract.DefaultAlias {
		return name
	}
	return name + "@" + alias
}

// owned is the service's own topic behind a channel, or nil.
func (w *writer) owned(t topic) *contract.Topic {
	if own := w.svc.Topics[t.name]; own != nil && channelID(t.name, own.Cluster) == t.id {
		return own
	}
	return nil
}

// ownerOf is the topic behind a channel as the service that owns it has it, and that
// service; nil if no contract has it.
func (w *writer) ownerOf(t topic) (*contract.Topic, *contract.Service) {
	for _, svc := range w.estate.Services {
		own := svc.Topics[t.name]
		if own != nil && w.estate.ClusterName(own.Cluster) == w.estate.ClusterName(t.alias) {
			return own, svc
		}
	}
	return nil, nil
}

// channel is a topic: its name on the cluster, its size, its messages. Below
// x-slipway, owns is what the contract of its owner says beside that.
func (w *writer) channel(t topic) manifest.Map {
	physical := w.estate.PhysicalTopic(t.alias, t.name)
	own, owner := w.ownerOf(t)
	var servers []manifest.Map
	for i := range w.addresses(t.alias) {
		servers = append(servers, ref("servers", serverID(w.estate.ClusterName(t.alias), i)))
	}
	channel := manifest.Map{manifest.E("address", text(physical))}
	if len(servers) > 0 {
		channel = append(channel, manifest.E("servers", servers))
	}
	said := manifest.Map{}
	if t.name != physical {
		said = append(said, manifest.E("topic", text(t.name)))
	}
	if owner != nil {
		said = append(said, manifest.E("owner", text(owner.Name)))
	}
	shape, shown := w.shape(t, own)
	if w.owned(t) != nil {
		said = append(said, w.owns(t, shown)...)
	}
	return append(channel,
		manifest.E("messages", w.messages(t, own, owner)),
		kafka(append(manifest.Map{manifest.E("topic", text(physical))}, shape...)...),
		manifest.If(len(said) > 0, manifest.E(slipway, said)))
}

// shape is what Kafka's binding says of a topic, and which keys of the contract it
// shows.
func (w *writer) shape(t topic, own *contract.Topic) (entries manifest.Map, shown map[string]bool) {
	shown = make(map[string]bool)
	if own == nil {
		return nil, shown
	}
	var defaults contract.Defaults
	if cluster := w.estate.Cluster(w.estate.ClusterName(t.alias)); cluster != nil {
		defaults = cluster.Defaults
	}
	number := func(binding, key string, n int) {
		if n > 0 {
			shown[key] = true
			entries = append(entries, manifest.E(binding, n))
		}
	}
	number("partitions", "partitions", cmp.Or(own.Partitions, defaults.Partitions))
	number("replicas", "replicas", cmp.Or(own.Replicas, defaults.Replicas))
	config := manifest.Map{}
	if own.Compact {
		shown["compact"] = true
		config = append(config, manifest.E("cleanup.policy", []string{"compact"}))
	}
	switch {
	case own.Retention > 0:
		config = append(config, manifest.E("retention.ms", own.Retention.Milliseconds()))
	case own.Retention < 0:
		config = append(config, manifest.E("retention.ms", -1))
	}
	shown["retention"] = own.Retention != 0
	if own.MaxMessage > 0 {
		shown["maxMessage"] = true
		config = append(config, manifest.E("max.message.bytes", int64(own.MaxMessage)))
	}
	return append(entries, manifest.If(len(config) > 0, manifest.E("topicConfiguration", config))), shown
}

// sizes are the keys of a topic that Kafka's binding has a place for.
var sizes = []string{"partitions", "replicas", "retention", "compact", "maxMessage"}

// owns are the keys of an owned topic that are not read from the rest of the
// channel: those without a place there, and those that the environment changes. What
// the channel shows and the contract does not say is named by defaults.
func (w *writer) owns(t topic, shown map[string]bool) manifest.Map {
	var seen, defaults []string
	entry := child(w.tree, "topics", t.name)
	base, in := w.base.Topics[t.name], w.svc.Topics[t.name]
	same := map[string]bool{
		"partitions": base.Partitions == in.Partitions, "replicas": base.Replicas == in.Replicas,
		"retention": base.Retention == in.Retention, "compact": base.Compact == in.Compact, "maxMessage": base.MaxMessage == in.MaxMessage,
	}
	for _, key := range sizes {
		said := child(entry, key) != nil
		switch {
		case said && shown[key] && same[key]:
			seen = append(seen, key)
		case !said && shown[key]:
			defaults = append(defaults, key)
		}
	}
	owns := manifest.Map{}
	if kept := without(entry, append(seen, "schema")...); kept != nil {
		for _, c := range kept.Children {
			owns = append(owns, manifest.E(c.Key, written(c)).From("%s", manifest.At(w.base, "topics/"+t.name+"/"+c.Key)))
		}
	}
	said := manifest.Map{manifest.E("owns", owns)}
	if len(defaults) > 0 {
		said = append(said, manifest.E("defaults", defaults).From("shown above, and not said by the contract: the cluster's, or this environment's"))
	}
	return said
}
