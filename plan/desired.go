package plan

import (
	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/schema"
)

// A Reason is one contract entry that something follows from.
type Reason = acl.Reason

// Desired is what the contracts call for on one cluster. Every list is sorted
// by name.
type Desired struct {
	Env       string
	Cluster   string // its name in clusters.yaml
	ClusterID string // pinned; empty means any
	Topics    []Topic
	Users     []User
	Grants    []acl.Grant
	Quotas    []Quota
	Groups    []Group
	Subjects  []Subject
	Readings  []Reading // who reads what in which group

	Connectors []Connector

	// Scope is what the estate may call its own. Nil means that nothing there
	// is an orphan.
	Scope *Scope
}

// A Role says what a topic is for.
type Role string

// The roles.
const (
	Owned       Role = "owned"        // a contract's own topic
	Retries     Role = "retries"      // derived from a consume entry, where its records wait
	DeadLetters Role = "dead-letters" // derived from a consume entry, where its evidence is kept
	Heartbeats  Role = "heartbeats"   // derived from an outbox that Debezium relays, where it notes that it is alive
	Probes      Role = "probes"       // derived from workload.probe: write, where the service notes that it can write
)

// A Topic that shall exist.
type Topic struct {
	Name       string
	Service    string // the owner
	Role       Role
	Source     string // the topic that a derived one serves, as the cluster names it
	Partitions int    // 0 means the broker's default
	Replicas   int    // 0 means the broker's default

	// Configs are the settings the contract has an opinion about, in Kafka's
	// words.
	Configs map[string]string

	Keyed   bool // records have a key, so the partition count places them
	Protect []contract.Protection
	Reasons []Reason
}

// A User that shall be able to log in by SCRAM.
type User struct {
	Name      string
	Service   string
	Mechanism contract.Auth
	Reasons   []Reason
}

// A Group that shall have settings of its own on the brokers.
type Group struct {
	Name    string
	Service string
	Configs map[string]string // in Kafka's words
	Reasons []Reason
}

// A Subject that shall hold a schema.
type Subject struct {
	Name    string
	Service string
	Format  contract.Format
	Schema  string
	Imports []schema.Import `json:",omitempty"` // what the schema builds on
	Level   contract.Compatibility
	Readers []Reader // who reads it with a schema of their own
	Reasons []Reason
}
