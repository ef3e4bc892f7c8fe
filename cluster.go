package slipway

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/retrylog"
	"github.com/slipway-go/slipway/schema"
)

// A link is the app as far as one Kafka cluster goes: how it is reached, the
// clients that reach it, and what is known of it. A service has one for each
// logical cluster that its contract names, and most have one.
//
// Whatever touches a cluster has its link: a consumer that of the topics that it
// consumes, with their retry and dead-letter topics, a pipe that of its topic. So
// nothing asks the app for the client, and what is wrong with one cluster (a
// refused login, a right that lacks, brokers that are away) is noted where the
// others do not see it.
type link struct {
	*App

	alias string       // as the contract has it
	env   Environment  // with what is said of this cluster in place
	log   *slog.Logger // the app's, which names the cluster unless it is the default one

	client   *kgo.Client // produces
	writers  map[batching]*writer
	retries  *retrylog.Log
	registry schema.Registry
	login    login
	denials  denials
	path     path

	safeTransactions bool // the cluster's are, see checkTransactions

	dead struct { // see deadClient
		once   sync.Once
		client *kgo.Client
		err    error
	}
}

// newLinks makes the links that the contract needs, in the order of their
// aliases. They reach nothing before they are connected.
func (a *App) newLinks() []*link {
	var links []*link
	for _, alias := range a.contract.Clusters() {
		links = append(links, a.newLink(alias))
	}
	return links
}

func (a *App) newLink(alias string) *link {
	l := &link{App: a, alias: alias, env: a.cfg.Environment.At(alias), log: a.log, registry: a.cfg.Registry, path: path{hurry: make(chan struct{}, 1)}}
	if alias != contract.DefaultAlias {
		l.log = a.log.With("cluster", alias)
	}
	return l
}

// linkOf is the link to the cluster that an entry of the contract names.
func (a *App) linkOf(alias string) *link {
	for _, l := range a.links {
		if l.has(alias) {
			return l
		}
	}
	panic("slipway: no link to cluster " + alias)
}

// has reports whether an entry of the contract that names a cluster means this
// one.
func (l *link) has(alias string) bool { return cmp.Or(alias, contract.DefaultAlias) == l.alias }

// consumes are the names of the entries that are consumed from the cluster.
func (l *link) consumes() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.contract.Consumes)), func(name string) bool { return !l.has(l.contract.Consumes[name].Cluster) })
}

// produces are the topics that are produced to the cluster.
func (l *link) produces() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.contract.Produces)), func(name string) bool { return !l.has(l.contract.Produces[name].Cluster) })
}

// own is a topic of the service's own on the cluster; nil for another one's. A
// topic of the same name on another cluster is another topic.
func (l *link) own(topic string) *contract.Topic {
	if t := l.contract.Topics[topic]; t != nil && l.has(t.Cluster) {
		return t
	}
	return nil
}

// physical is a topic's name on the cluster.
func (l *link) physical(topic string) string { return l.env.TopicPrefix + topic }

// instance tells the processes of the service apart on the cluster. It says which
// alias, because two aliases may mean one cluster.
func (l *link) instance() string {
	if l.alias == contract.DefaultAlias {
		return l.cfg.Instance
	}
	return l.cfg.Instance + "." + l.alias
}

// on is what a thing of the cluster is called beside those of others.
func (l *link) on(thing string) string {
	if l.alias == contract.DefaultAlias {
		return thing
	}
	return thing + " on " + l.alias
}

// other is the alias; empty for the default cluster.
func (l *link) other() string {
	if l.alias == contract.DefaultAlias {
		return ""
	}
	return l.alias
}

// keyCluster tells series of several clusters apart. It is not called cluster,
// which many who collect metrics call the place that they collect from.
const keyCluster = attribute.Key("kafka_cluster")

// names are the labels of what is measured of the cluster: none for the default
// one, whose series are the same whether a service has others or not.
func (l *link) names(more ...attribute.KeyValue) []attribute.KeyValue {
	if l.alias == contract.DefaultAlias {
		return more
	}
	return append(more, keyCluster.String(l.alias))
}

// tell notes a problem of a thing of the cluster's, or that it is gone if
// problem is "".
func (l *link) tell(of class, thing, problem string) {
	l.health.note(concern{thing: thing, cluster: l.alias}, problem, of)
}

// found marks findings as the cluster's.
func (l *link) found(all ...finding) []finding {
	for i := range all {
		all[i].link, all[i].Name = l, l.on(all[i].Name)
	}
	return all
}

// close ends the connections that connect made.
func (l *link) close() {
	l.closeRights()
	for _, w := range l.writers {
		w.client.Close()
	}
	l.client.Close()
	l.retries.Close()
	if l.dead.client != nil {
		l.dead.client.Close()
	}
	if own, ok := l.registry.(*schema.Client); ok && l.cfg.Registry == nil {
		own.Close()
	}
}
