package acl

import (
	"cmp"
	"fmt"

	"github.com/slipway-go/slipway/diag"
)

// ResourceType is the kind of thing a binding is about, in Kafka's words.
type ResourceType string

// The resource types.
const (
	Topic           ResourceType = "TOPIC"
	Group           ResourceType = "GROUP"
	TransactionalID ResourceType = "TRANSACTIONAL_ID"
	Cluster         ResourceType = "CLUSTER"
	DelegationToken ResourceType = "DELEGATION_TOKEN"
	User            ResourceType = "USER"
)

// A Pattern says how a binding's name is matched.
type Pattern string

// The patterns.
const (
	Literal  Pattern = "LITERAL"
	Prefixed Pattern = "PREFIXED"
)

// An Operation is what a binding allows, in Kafka's words. Slipway derives
// only these three; a cluster may hold bindings with any other.
type Operation string

// The operations that are derived.
const (
	Read   Operation = "READ"
	Write  Operation = "WRITE"
	Delete Operation = "DELETE"
)

// A Permission says whether a binding allows or denies.
type Permission string

// The permissions. Slipway derives no DENY.
const (
	Allow Permission = "ALLOW"
	Deny  Permission = "DENY"
)

// AnyHost is the host of a binding that holds wherever the client is.
const AnyHost = "*"

// A Binding is one ACL of a Kafka cluster. Bindings are comparable: two that
// are equal are the same ACL.
type Binding struct {
	Principal    string       `json:"principal"` // with its type: User:svc-orders-prod
	ResourceType ResourceType `json:"resourceType"`
	Name         string       `json:"name"`
	Pattern      Pattern      `json:"pattern"`
	Operation    Operation    `json:"operation"`
	Permission   Permission   `json:"permission"`
	Host         string       `json:"host"`
}

// String tells the binding in one line, the way a plan shows it.
func (b Binding) String() string {
	s := fmt.Sprintf("%s %s %s %s", b.Principal, b.Operation, b.ResourceType, b.Name)
	if b.Pattern == Prefixed {
		s += "*"
	}
	if b.Permission == Deny {
		s = "deny " + s
	}
	if b.Host != AnyHost {
		s += " from " + b.Host
	}
	return s
}

// Compare orders bindings by principal, resource and operation.
func (b Binding) Compare(o Binding) int {
	return cmp.Or(
		cmp.Compare(b.Principal, o.Principal),
		cmp.Compare(b.ResourceType, o.ResourceType),
		cmp.Compare(b.Name, o.Name),
		cmp.Compare(b.Pattern, o.Pattern),
		cmp.Compare(b.Operation, o.Operation),
		cmp.Compare(b.Permission, o.Permission),
		cmp.Compare(b.Host, o.Host),
	)
}

// A Reason is one contract entry that something follows from.
type Reason struct {
	Service  string        `json:"service"`
	Text     string        `json:"text"` // such as "consumes orders.created.v1"
	Position diag.Position `json:"position,omitzero"`
}

// String tells the reason with its place in the contract.
func (r Reason) String() string {
	if r.Position.IsZero() {
		return r.Service + " " + r.Text
	}
	return fmt.Sprintf("%s %s (%s)", r.Service, r.Text, r.Position)
}

// Compare orders reasons by service, text and position.
func (r Reason) Compare(o Reason) int {
	return cmp.Or(
		cmp.Compare(r.Service, o.Service),
		cmp.Compare(r.Text, o.Text),
		cmp.Compare(r.Position.File, o.Position.File),
		cmp.Compare(r.Position.Line, o.Position.Line),
		cmp.Compare(r.Position.Column, o.Position.Column),
	)
}

// A Grant is a binding that contracts call for, on one cluster.
type Grant struct {
	Binding
	Cluster string   `json:"cluster"` // its name in clusters.yaml
	Reasons []Reason `json:"reasons"` // sorted, never empty
}
