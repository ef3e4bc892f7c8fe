package acl

import "slices"

// The operations that a cluster may hold rights for beside those that are
// derived.
const (
	All             Operation = "ALL"
	Create          Operation = "CREATE"
	Alter           Operation = "ALTER"
	Describe        Operation = "DESCRIBE"
	ClusterAction   Operation = "CLUSTER_ACTION"
	DescribeConfigs Operation = "DESCRIBE_CONFIGS"
	AlterConfigs    Operation = "ALTER_CONFIGS"
	IdempotentWrite Operation = "IDEMPOTENT_WRITE"
	CreateTokens    Operation = "CREATE_TOKENS"
	DescribeTokens  Operation = "DESCRIBE_TOKENS"
)

// ClusterName is the name that CLUSTER resources have in bindings.
const ClusterName = "kafka-cluster"

// AnyUser is the principal of a binding that holds for everybody.
const AnyUser = "User:*"

// everyName is the literal name that stands for all names of a resource type.
const everyName = "*"

// operations are those that Kafka asks for, by resource type.
var operations = map[ResourceType][]Operation{
	Topic:           {Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, Read, Write},
	Group:           {AlterConfigs, Delete, Describe, DescribeConfigs, Read},
	TransactionalID: {Describe, Write},
	Cluster:         {Alter, AlterConfigs, ClusterAction, Create, Describe, DescribeConfigs, IdempotentWrite},
	DelegationToken: {Describe},
	User:            {CreateTokens, DescribeTokens},
}

// Operations returns what Kafka ever asks for on a type of resource, sorted.
// A binding with another operation than these, or ALL, is without effect.
func Operations(kind ResourceType) []Operation { return slices.Clone(operations[kind]) }

// implying are the operations whose ALLOW is an ALLOW of another one too.
var implying = map[Operation][]Operation{
	Describe:        {Read, Write, Delete, Alter},
	DescribeConfigs: {AlterConfigs},
}

// does reports whether the binding is about an operation: it names it, names
// ALL, or allows one that implies it. Who denies READ denies nothing else.
func (b Binding) does(op Operation) bool {
	if b.Operation == op || b.Operation == All {
		return true
	}
	return b.Permission == Allow && slices.Contains(implying[op], b.Operation)
}

// HoldsFor reports whether the binding is about a principal: by its name, or
// because it is about everybody.
func (b Binding) HoldsFor(principal string) bool {
	return b.Principal == principal || b.Principal == AnyUser
}

// holdsAt reports whether the binding is about clients at a host. Without a
// host only what holds everywhere does.
func (b Binding) holdsAt(host string) bool {
	return b.Host == AnyHost || host != "" && b.Host == host
}

// implies reports whether allowing the binding's operation allows another one.
func (b Binding) implies() bool {
	for op := range implying {
		if b.Operation != op && b.does(op) {
			return true
		}
	}
	return false
}
