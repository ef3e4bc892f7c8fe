package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
)

// ParsePolicy reads a plain policy: a list of rights, by itself or below the
// key policies, acls or rules. Each names a principal, a resource and its
// operations:
//
//	policies:
//	  - principal: User:orders
//	    resource: {type: topic, name: orders.created.v1}
//	    operations: [Write]
//
// The resource may also be written as topic:orders.created.v1, and below the
// keys topic, group or transactionalId. pattern: prefixed, permission: deny and
// host are understood.
func ParsePolicy(file string, data []byte) (*Snapshot, diag.List) {
	p := &policy{reader: reader{file: file}, out: newSnapshot(FromPolicy)}
	for root := range p.documents(data) {
		p.rules(root)
	}
	return p.out, p.list
}

type policy struct {
	reader
	out *Snapshot
	n   int
}

// policyLists are the keys below which a policy's rules may stand.
var policyLists = []string{"policies", "acls", "rules"}

func (p *policy) rules(root *yaml.Node) {
	list := root
	if root.Kind == yaml.MappingNode {
		list = nil
		for _, key := range policyLists {
			list = cmp.Or(list, value(root, key))
		}
		p.known(root, "a policy", append([]string{"apiVersion", "kind", "version", "metadata", "description"}, policyLists...)...)
	}
	if list == nil || list.Kind != yaml.SequenceNode {
		p.fault(diag.ImportFormat, root, "a policy is a list of rules, by itself or below policies:")
		return
	}
	for _, rule := range list.Content {
		p.n++
		p.rule(rule, fmt.Sprintf("rule %d", p.n))
	}
}

// policyTypes are the words for resources, compared without case, _ and -.
var policyTypes = map[string]acl.ResourceType{
	"topic": acl.Topic, "group": acl.Group, "consumergroup": acl.Group, "cluster": acl.Cluster, "transactionalid": acl.TransactionalID,
}

var policyPatterns = map[string]acl.Pattern{"": acl.Literal, "literal": acl.Literal, "prefixed": acl.Prefixed, "prefix": acl.Prefixed}

func (p *policy) rule(n *yaml.Node, what string) {
	if !p.mapping(n, n, what) || !p.known(n, what, "principal", "resource", "topic", "group", "transactionalId", "cluster",
		"operation", "operations", "pattern", "permission", "host", "description") {
		return
	}
	b := acl.Binding{Principal: principalOf(word(value(n, "principal"))), Permission: acl.Allow, Host: cmp.Or(word(value(n, "host")), acl.AnyHost)}
	if b.Principal == "" {
		p.fault(diag.ImportFormat, n, "%s has no principal", what)
		return
	}
	pattern, ok := policyPatterns[strings.ToLower(cmp.Or(word(value(n, "pattern")), word(value(n, "resource", "pattern"))))]
	permission := strings.ToLower(word(value(n, "permission")))
	if !ok || !slices.Contains([]string{"", "allow", "deny"}, permission) {
		p.fault(diag.ImportFormat, n, "%s: pattern is literal or prefixed, permission is allow or deny", what)
		return
	}
	if b.Pattern = pattern; permission == "deny" {
		b.Permission = acl.Deny
	}
	operations := append(words(value(n, "operations")), words(value(n, "operation"))...)
	resources := p.resources(n, what)
	if len(operations) == 0 {
		p.fault(diag.ImportFormat, n, "%s has no operations", what)
	}
	for _, r := range resources {
		b.ResourceType, b.Name = r.kind, r.name
		p.grant(n, what, b, operations)
	}
}

func (p *policy) grant(n *yaml.Node, what string, b acl.Binding, operations []string) {
	for _, o := range operations {
		operation, ok := operation(o)
		if !ok {
			p.fault(diag.ImportFormat, n, "%s: %q is no operation", what, o)
			continue
		}
		b.Operation = operation
		p.out.Bindings = append(p.out.Bindings, b)
	}
}

// principalOf writes a principal as ACLs do.
func principalOf(name string) string {
	if name == "" || strings.Contains(name, ":") {
		return name
	}
	return "User:" + name
}

type resource struct {
	kind acl.ResourceType
	name string
}

// resources are what a rule is about, in whatever way it is written.
func (p *policy) resources(n *yaml.Node, what string) []resource {
	var all []resource
	add := func(kind, name string) {
		t, ok := policyTypes[plainWord(kind)]
		if t == acl.Cluster {
			name = clusterName
		}
		if !ok || name == "" {
			p.fault(diag.ImportFormat, n, "%s: a resource is a topic, group, transactionalId or cluster with a name", what)
			return
		}
		all = append(all, resource{t, name})
	}
	switch r := value(n, "resource"); {
	case r == nil:
	case r.Kind == yaml.MappingNode:
		if p.known(r, "resource of "+what, "type", "name", "pattern") {
			add(word(value(r, "type")), word(value(r, "name")))
		}
	default:
		kind, name, _ := strings.Cut(word(r), ":")
		add(kind, strings.TrimSpace(name))
	}
	for _, kind := range []string{"topic", "group", "transactionalId", "cluster"} {
		for _, name := range words(value(n, kind)) {
			add(kind, name)
		}
	}
	if len(all) == 0 && len(p.list) == 0 {
		p.fault(diag.ImportFormat, n, "%s has no resource", what)
	}
	return all
}
