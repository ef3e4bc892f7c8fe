package slipway

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Cluster is how a Kafka cluster other than the default one is reached. Its
// variables are those of the default cluster behind CLUSTERS_<ALIAS>_.
//
// Most of what is not said is as it is for the default cluster. An identity is
// taken as a whole: whoever has a certificate or a password of its own for a
// cluster shows it nothing else. So is a registry, whose credentials go to no
// other one. The addresses are never those of another cluster, and neither is the
// prefix of topics, which is that cluster's rule for names.
type Cluster struct {
	BootstrapServers string // CLUSTERS_<ALIAS>_BOOTSTRAP_SERVERS; required
	CAFile           string // CLUSTERS_<ALIAS>_TLS_CA_PATH
	CertFile         string // CLUSTERS_<ALIAS>_TLS_CERT_PATH
	KeyFile          string // CLUSTERS_<ALIAS>_TLS_KEY_PATH
	PasswordFile     string // CLUSTERS_<ALIAS>_SASL_PASSWORD_PATH
	RegistryURL      string // CLUSTERS_<ALIAS>_SCHEMA_REGISTRY_URL
	RegistryAuthFile string // CLUSTERS_<ALIAS>_SCHEMA_REGISTRY_AUTH_PATH
	TopicPrefix      string // CLUSTERS_<ALIAS>_TOPIC_PREFIX
}

// clusterVariable begins the variables of a cluster; there are none before those
// of the default one.
func clusterVariable(alias string) string {
	if alias == contract.DefaultAlias {
		return ""
	}
	return "CLUSTERS_" + variableOf(alias) + "_"
}

func variableOf(name string) string {
	return strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(name))
}

// clusterFrom reads what is said of one cluster.
func clusterFrom(alias string, get func(string) string) Cluster {
	of := func(name string) string { return get(clusterVariable(alias) + name) }
	return Cluster{
		BootstrapServers: of("BOOTSTRAP_SERVERS"),
		CAFile:           of("TLS_CA_PATH"),
		CertFile:         of("TLS_CERT_PATH"),
		KeyFile:          of("TLS_KEY_PATH"),
		PasswordFile:     of("SASL_PASSWORD_PATH"),
		RegistryURL:      of("SCHEMA_REGISTRY_URL"),
		RegistryAuthFile: of("SCHEMA_REGISTRY_AUTH_PATH"),
		TopicPrefix:      of("TOPIC_PREFIX"),
	}
}

// validateClusters checks what is said of clusters other than the default one.
func (e Environment) validateClusters() (faults diag.List) {
	for _, alias := range slices.Sorted(maps.Keys(e.Clusters)) {
		c, name := e.Clusters[alias], clusterVariable(alias)
		if c.BootstrapServers == "" {
			faults.Add(unreachable(alias))
		}
		if (c.CertFile == "") != (c.KeyFile == "") {
			faults.Add(diag.New(diag.RuntimeVariableInvalid, "only one of %sTLS_CERT_PATH and %sTLS_KEY_PATH is set", name, name).
				WithFix("set both for mutual TLS, or neither"))
		}
	}
	return faults
}

// unreached finds clusters that the contract names and the environment knows
// nothing of, and topics of two clusters that would be one to [App.Publish], which
// knows them by their names on the cluster.
func (a *App) unreached() (faults diag.List) {
	for _, l := range a.links {
		// The environment itself misses the default cluster where there is no other.
		if l.env.BootstrapServers == "" && (l.other() != "" || len(a.cfg.Environment.Clusters) > 0) {
			faults.Add(unreachable(l.alias))
		}
	}
	first := make(map[string]string) // by the topic's name on its cluster
	for _, name := range slices.Sorted(maps.Keys(a.contract.Produces)) {
		physical := a.linkOf(a.contract.Produces[name].Cluster).physical(name)
		if other, twice := first[physical]; twice {
			faults.Add(diag.New(diag.RuntimeUnsupported, "produces/%s and produces/%s are both %s on their clusters", other, name, physical).
				At(a.contract.Position("produces/" + name)).WithFix("give the clusters other topic prefixes, or the topics other names"))
		}
		first[physical] = name
	}
	return faults
}

// unreachable says that nobody said where a cluster is.
func unreachable(alias string) diag.Diagnostic {
	name := clusterVariable(alias) + "BOOTSTRAP_SERVERS"
	return diag.New(diag.RuntimeVariableMissing, "%s is not set, and the contract names the cluster %s", name, alias).
		WithFix("set %s to the addresses of that cluster's brokers, such as kafka-0:9094,kafka-1:9094", name)
}

// clusterKeys are the keys of clusters other than the default one, by their
// variables, and the aliases.
func clusterKeys(v *config.Values) (keys map[string]string, aliases []string) {
	keys = make(map[string]string)
	for _, value := range v.All() {
		rest, ok := strings.CutPrefix(value.Key, "clusters.")
		alias, last, found := strings.Cut(rest, ".")
		if !ok || !found {
			continue
		}
		keys[variableOf(value.Key)] = value.Key
		if last == "bootstrap.servers" {
			aliases = append(aliases, alias)
		}
	}
	return keys, aliases
}

// At is the environment as a cluster has it, by its alias in contracts: with what
// is said of that cluster in place of what is said of the default one.
func (e Environment) At(alias string) Environment {
	if alias == "" || alias == contract.DefaultAlias {
		return e
	}
	c := e.Clusters[alias]
	e.BootstrapServers, e.TopicPrefix = c.BootstrapServers, c.TopicPrefix
	e.CAFile = cmp.Or(c.CAFile, e.CAFile)
	if c.CertFile != "" || c.KeyFile != "" || c.PasswordFile != "" {
		e.CertFile, e.KeyFile, e.PasswordFile = c.CertFile, c.KeyFile, c.PasswordFile
	}
	if c.RegistryURL != "" || c.RegistryAuthFile != "" {
		e.RegistryURL, e.RegistryAuthFile = cmp.Or(c.RegistryURL, e.RegistryURL), c.RegistryAuthFile
	}
	return e
}
