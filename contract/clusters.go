package contract

import (
	"regexp"
	"time"
)

// Clusters is the platform team's file: which clusters there are and which
// one each environment's aliases mean.
type Clusters struct {
	Clusters     map[string]*Cluster
	Environments map[string]map[string]Binding // environment → alias → cluster
	Platforms    map[string]*Platform          // by environment; see [Clusters.Platform]
	TopicNaming  *regexp.Regexp                // never nil once parsed

	naming   string
	bindings map[string]*map[string]*Binding
	source   source
}

// The clusters that need no entry.
const (
	Embedded = "embedded" // kfake inside slipway up
	Local    = "local"    // real Kafka as processes on this machine
)

// DefaultTopicNaming is the rule for topic names where clusters.yaml has none:
// <domain>.<entity or event>.v<n>.
const DefaultTopicNaming = `^[a-z0-9-]+(\.[a-z0-9-]+)+\.v[0-9]+$`

// DefaultAlias is the alias of an entry that names no cluster.
const DefaultAlias = "default"

// A Binding is the cluster that an alias means in one environment.
type Binding struct {
	Cluster     string
	TopicPrefix string // keeps environments on one cluster apart
}

// A Cluster is one Kafka cluster with its surroundings.
type Cluster struct {
	Name      string
	ID        string // pinned cluster id; a plan against another is refused
	Bootstrap Bootstrap
	CA        FileRef
	Registry  *Registry
	Connect   *Connect
	Defaults  Defaults
	CIDRs     []string
	Nodes     []Node // sorted by name
	PKI       PKI
}

// The roles of a node; Kafka's process.roles.
const (
	BrokerRole     = "broker"
	ControllerRole = "controller"
)

// A Node is one process of the cluster, as its certificates name it: the common
// name is Name, and the hosts are the names and addresses that others dial it by.
type Node struct {
	Name  string
	Roles []string // BrokerRole, ControllerRole or both
	Hosts []string // host names and IP addresses; at least one
}

// PKI is what the certificates of a cluster look like that slipway pki issues.
type PKI struct {
	Key        string        // ecdsa-p256, ecdsa-p384, rsa-3072 or rsa-4096
	Clients    time.Duration // how long certificates of services and people live
	Brokers    time.Duration // how long those of brokers and controllers live
	Principals string        // the brokers' ssl.principal.mapping.rules
}

// DefaultPrincipals are the rules by which a broker takes the common name for
// the principal, where clusters.yaml has none.
const DefaultPrincipals = `RULE:^CN=([^,]*).*$/$1/,DEFAULT`

// Bootstrap holds the addresses by listener; each a comma-separated list.
type Bootstrap struct {
	MTLS  string
	SCRAM string
	Plain string
}

// A FileRef names a file relative to clusters.yaml.
type FileRef struct{ File string }

// A Registry is a schema registry that speaks Confluent's API.
type Registry struct {
	URL  string
	Auth string // none | basic | mtls
}

// Connect is a Kafka Connect REST endpoint.
type Connect struct {
	URL       string
	Principal string // who the workers write as, without User:; empty means that it is not known
}

// Defaults are what topics get that do not say otherwise.
type Defaults struct {
	Replicas          int
	MinInsyncReplicas int
	Partitions        int
}
