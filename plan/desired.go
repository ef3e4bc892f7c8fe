package plan

import (
	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
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
	Subjects  []Subject
}

// A Role says what a topic is for.
type Role string

// The roles.
const (
	Owned       Role = "owned"        // a contract's own topic
	DeadLetters Role = "dead-letters" // derived from a consume entry
)

// A Topic that shall exist.
type Topic struct {
	Name       string
	Service    string // the owner
	Role       Role
	Partitions int // 0 means the broker's default
	Replicas   int // 0 means the broker's default

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

// A Subject that shall hold a schema.
type Subject struct {
	Name    string
	Service string
	Format  contract.Format
	Schema  string
	Level   contract.Compatibility
	Reasons []Reason
}
