package importer

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// strimziGroup begins the apiVersion of Strimzi's resources.
const strimziGroup = "kafka.strimzi.io/"

// ParseStrimzi reads KafkaTopic and KafkaUser resources as kubectl prints them
// or a repository holds them: several documents, and lists of them. Other
// kinds are left and told. What the operators wrote (status) is not read.
func ParseStrimzi(file string, data []byte) (*Snapshot, diag.List) {
	p := &strimzi{reader: reader{file: file}, out: newSnapshot(FromStrimzi)}
	for root := range p.documents(data) {
		p.resource(root)
	}
	return p.out, p.list
}

type strimzi struct {
	reader
	out *Snapshot
}

func (p *strimzi) leave(what, why, do string) {
	p.out.Left = append(p.out.Left, Item{Code: diag.ImportUnknown, What: what, Why: why, Do: do})
}

func (p *strimzi) resource(n *yaml.Node) {
	if !p.mapping(n, n, "a resource") {
		return
	}
	kind, version, name := word(value(n, "kind")), word(value(n, "apiVersion")), word(value(n, "metadata", "name"))
	switch {
	case strings.HasSuffix(kind, "List") && value(n, "items") != nil:
		for _, item := range value(n, "items").Content {
			p.resource(item)
		}
	case kind == "" || version == "":
		p.fault(diag.ImportFormat, n, "a resource has an apiVersion and a kind")
	case !strings.HasPrefix(version, strimziGroup) || kind != "KafkaTopic" && kind != "KafkaUser":
		p.leave(kind+" "+name, "only KafkaTopic and KafkaUser are read", "nothing, or write by hand what follows from it")
	case name == "":
		p.fault(diag.ImportFormat, n, "the %s has no metadata.name", kind)
	case kind == "KafkaTopic":
		p.topic(n, name)
	default:
		p.user(n, name)
	}
}

func (p *strimzi) topic(n *yaml.Node, name string) {
	spec := value(n, "spec")
	if spec != nil && !p.mapping(spec, n, "spec of KafkaTopic "+name) {
		return
	}
	t := kafka.Topic{Name: cmp.Or(word(value(spec, "topicName")), name), Configs: map[string]string{}}
	t.Partitions = p.number(value(spec, "partitions"), "partitions of KafkaTopic "+name, 100_000)
	t.Replicas = p.number(value(spec, "replicas"), "replicas of KafkaTopic "+name, 100)
	if config := value(spec, "config"); config != nil && p.mapping(config, n, "config of KafkaTopic "+name) {
		for i := 0; i+1 < len(config.Content); i += 2 {
			key, v := config.Content[i], config.Content[i+1]
			if v.Kind != yaml.ScalarNode {
				p.fault(diag.ImportFormat, v, "%s of KafkaTopic %s is not one value", key.Value, name)
				continue
			}
			t.Configs[key.Value] = word(v)
		}
	}
	if _, twice := p.out.Topics[t.Name]; twice {
		p.fault(diag.ImportFormat, n, "topic %s is in two KafkaTopics", t.Name)
		return
	}
	p.out.Topics[t.Name], p.out.Settings[t.Name] = t, t.Configs
}

// number is a whole number from 1, or 0 where there is none.
func (p *strimzi) number(n *yaml.Node, what string, most int) int {
	if n == nil {
		return 0
	}
	i, err := strconv.Atoi(word(n))
	if err != nil || i < 1 || i > most {
		p.fault(diag.ImportFormat, n, "%s is not a number from 1 to %d", what, most)
		return 0
	}
	return i
}

func (p *strimzi) user(n *yaml.Node, name string) {
	spec := value(n, "spec")
	if spec != nil && !p.mapping(spec, n, "spec of KafkaUser "+name) {
		return
	}
	principal := "User:" + name
	switch how := word(value(spec, "authentication", "type")); how {
	case "scram-sha-512":
		p.out.Users[name] = []kafka.Credential{{User: name, Mechanism: contract.SCRAMSHA512, Iterations: 4096}}
		p.out.Auth[principal] = contract.SCRAMSHA512
	case "tls", "tls-external":
		principal = "User:CN=" + name // what the certificate's subject becomes
		p.out.Auth[principal] = contract.MTLS
	case "":
		p.leave("authentication of KafkaUser "+name, "it has none, so it is not known how the user logs in", "check identity.auth of its contract")
	default:
		p.leave("authentication "+how+" of KafkaUser "+name, "Slipway logs in by certificate or SCRAM", "check identity.auth of its contract")
	}
	p.rights(n, name, principal, value(spec, "authorization"))
	p.quotas(principal, value(spec, "quotas"))
}

// strimziQuotas are Strimzi's words for Kafka's.
var strimziQuotas = map[string]string{
	"producerByteRate": kafka.QuotaProduce, "consumerByteRate": kafka.QuotaConsume,
	"requestPercentage": kafka.QuotaRequests, "controllerMutationRate": "controller_mutation_rate",
}

// quotas are set on the user as Kafka knows it.
func (p *strimzi) quotas(principal string, n *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	user := strings.TrimPrefix(principal, "User:")
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, known := strimziQuotas[n.Content[i].Value]
		limit, err := strconv.ParseFloat(word(n.Content[i+1]), 64)
		if !known || err != nil || !(limit >= 0) {
			p.fault(diag.ImportFormat, n.Content[i], "quota %s of KafkaUser is not one that is known, or no number", n.Content[i].Value)
			continue
		}
		if p.out.Quotas[user] == nil {
			p.out.Quotas[user] = map[string]float64{}
		}
		p.out.Quotas[user][key] = limit
	}
}

func (p *strimzi) rights(n *yaml.Node, name, principal string, authorization *yaml.Node) {
	if authorization == nil {
		return
	}
	if how := word(value(authorization, "type")); how != "simple" {
		p.leave("authorization "+how+" of KafkaUser "+name, "only simple authorization is a list of rights", "write produces and consumes of its contract by hand")
		return
	}
	list := value(authorization, "acls")
	if list == nil || list.Kind != yaml.SequenceNode {
		p.fault(diag.ImportFormat, n, "KafkaUser %s has no list of acls", name)
		return
	}
	for i, rule := range list.Content {
		p.rule(rule, principal, fmt.Sprintf("acl %d of KafkaUser %s", i+1, name))
	}
}

// strimziTypes and strimziPatterns are Strimzi's words.
var (
	strimziTypes = map[string]acl.ResourceType{
		"topic": acl.Topic, "group": acl.Group, "cluster": acl.Cluster, "transactionalid": acl.TransactionalID,
	}
	strimziPatterns = map[string]acl.Pattern{"": acl.Literal, "literal": acl.Literal, "prefix": acl.Prefixed}
)

func (p *strimzi) rule(n *yaml.Node, principal, what string) {
	if !p.mapping(n, n, what) || !p.known(n, what, "resource", "operation", "operations", "host", "type") {
		return
	}
	resource := value(n, "resource")
	if !p.mapping(resource, n, "resource of "+what) {
		return
	}
	kind, known := strimziTypes[strings.ToLower(word(value(resource, "type")))]
	pattern, form := strimziPatterns[strings.ToLower(word(value(resource, "patternType")))]
	b := acl.Binding{Principal: principal, ResourceType: kind, Name: word(value(resource, "name")), Pattern: pattern, Permission: acl.Allow, Host: cmp.Or(word(value(n, "host")), acl.AnyHost)}
	if kind == acl.Cluster {
		b.Name = clusterName
	}
	if word(value(n, "type")) == "deny" {
		b.Permission = acl.Deny
	}
	operations := append(words(value(n, "operations")), words(value(n, "operation"))...)
	if !known || !form || b.Name == "" || len(operations) == 0 {
		p.fault(diag.ImportFormat, n, "%s is not a resource with a type, a name, a patternType and operations", what)
		return
	}
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
