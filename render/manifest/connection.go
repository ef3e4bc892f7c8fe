package manifest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Connection is a Kafka cluster as a service reaches it: by one of the aliases that
// its contract names. What belongs to it (variables, Secrets, directories) is called
// by the alias, and without one for the default cluster, so that a contract that
// names no other finds all of it where it always was.
type Connection struct {
	Alias     string
	Cluster   *contract.Cluster // in the environment; never nil, and without a name if nothing binds the alias
	Bootstrap string            // where the service finds the brokers; empty if clusters.yaml has no address
	Prefix    string            // of topics

	// Home says that it is the cluster that alias default means, whether the service
	// uses that alias or not. The platform's kafka and registry are about that one.
	Home bool

	// Secrets is the alias by which the Secrets are called: its own, or the first that
	// means the same cluster. A user has one password there, whatever leads to it.
	Secrets string
}

// Connections are those of the running service: the default cluster first, others in
// order of their aliases. Without an environment nothing is known but the aliases.
func Connections(r *contract.Resolved, svc *contract.Service) []Connection {
	var all []Connection
	first := make(map[string]string) // alias by cluster
	for _, alias := range aliases(svc) {
		c := Connection{Alias: alias, Cluster: &contract.Cluster{}, Secrets: alias}
		if r != nil {
			name := r.ClusterName(alias)
			c.Cluster = cmp.Or(r.Cluster(name), c.Cluster)
			c.Bootstrap, c.Prefix, c.Home = Bootstrap(r, svc, name), r.Bindings[alias].TopicPrefix, name == r.ClusterName(contract.DefaultAlias)
			c.Secrets = cmp.Or(first[name], alias)
			first[name] = c.Secrets
		}
		all = append(all, c)
	}
	return all
}

// Logins are the connections that lead to different clusters, each with Secrets of its
// own: the first one to each.
func Logins(r *contract.Resolved, svc *contract.Service) []Connection {
	return slices.DeleteFunc(Connections(r, svc), func(c Connection) bool { return c.Secrets != c.Alias })
}

// aliases are those that the running service reaches, the default one first.
func aliases(svc *contract.Service) []string {
	all := svc.Clusters()
	if i := slices.Index(all, contract.DefaultAlias); i > 0 {
		all = slices.Insert(slices.Delete(all, i, i+1), 0, contract.DefaultAlias)
	}
	return all
}

// Variable is what a variable of the default cluster is called for this one, such as
// CLUSTERS_ANALYTICS_TLS_CA_PATH for TLS_CA_PATH.
func (c Connection) Variable(name string) string {
	if c.Alias == contract.DefaultAlias {
		return name
	}
	return "CLUSTERS_" + strings.ToUpper(strings.ReplaceAll(c.Alias, "-", "_")) + "_" + name
}

// Named is what a thing with Secrets is called for this cluster: kafka, or
// kafka-analytics. Volumes are called so, Secrets after the service and a hyphen.
func (c Connection) Named(thing string) string {
	if c.Secrets == contract.DefaultAlias {
		return thing
	}
	return thing + "-" + c.Secrets
}

// Dir is the directory in which a service finds the Secret of a thing.
func (c Connection) Dir(thing string) string { return "/etc/slipway/" + c.Named(thing) }
