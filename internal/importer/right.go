package importer

import (
	"strings"

	"github.com/slipway-go/slipway/acl"
)

// The operations that are not derived, in Kafka's words.
const (
	everything      acl.Operation = "ALL"
	describe        acl.Operation = "DESCRIBE"
	clusterAction   acl.Operation = "CLUSTER_ACTION"
	idempotentWrite acl.Operation = "IDEMPOTENT_WRITE"
)

// clusterName is what the one resource of type CLUSTER is called.
const clusterName = "kafka-cluster"

// anyName is the name that stands for every resource of a type.
const anyName = "*"

// operations are Kafka's, by their words without case, _ and -.
var operations = func() map[string]acl.Operation {
	all := map[string]acl.Operation{}
	for _, o := range []acl.Operation{
		everything, acl.Read, acl.Write, "CREATE", acl.Delete, "ALTER", describe, clusterAction,
		"DESCRIBE_CONFIGS", "ALTER_CONFIGS", idempotentWrite, "CREATE_TOKENS", "DESCRIBE_TOKENS", "TWO_PHASE_COMMIT",
	} {
		all[plainWord(string(o))] = o
	}
	return all
}()

// operation reads an operation however it is written: Read, READ,
// DescribeConfigs, describe-configs.
func operation(text string) (acl.Operation, bool) {
	o, ok := operations[plainWord(text)]
	return o, ok
}

func plainWord(text string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(text))
}

// everywhere reports whether a binding allows, wherever the client is.
func everywhere(b acl.Binding) bool { return b.Permission == acl.Allow && b.Host == acl.AnyHost }

// named reports whether a binding is for one resource by its name.
func named(b acl.Binding) bool { return b.Pattern == acl.Literal && b.Name != anyName }

// wide reports whether a binding covers more than one resource, or more than
// one operation.
func wide(b acl.Binding) bool {
	prefix := b.Pattern == acl.Prefixed && b.ResourceType != acl.TransactionalID
	return prefix || b.Name == anyName || b.Operation == everything
}

// covers reports whether a binding is about a resource of its type.
func covers(b acl.Binding, name string) bool {
	switch {
	case b.Name == anyName && b.Pattern == acl.Literal:
		return true
	case b.Pattern == acl.Prefixed:
		return strings.HasPrefix(name, b.Name)
	}
	return b.Name == name
}
