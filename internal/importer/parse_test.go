package importer_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/internal/kafka"
)

func rights(s *importer.Snapshot) []string {
	var out []string
	for _, b := range s.Bindings {
		out = append(out, b.String())
	}
	return out
}

func TestStrimziResourcesAreReadAsTheOperatorsWould(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/strimzi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, list := importer.ParseStrimzi("strimzi.yaml", data)
	if list != nil {
		t.Fatal(list.Text())
	}
	want := map[string]kafka.Topic{
		"orders.created.v1": {Name: "orders.created.v1", Partitions: 12, Replicas: 3, Configs: map[string]string{kafka.RetentionMillis: "604800000", kafka.MinInsyncReplicas: "2", "compression.type": "zstd"}},
		"Orders_Legacy":     {Name: "Orders_Legacy", Partitions: 3, Replicas: 3, Configs: map[string]string{kafka.CleanupPolicy: "compact"}},
	}
	if diff := cmp.Diff(want, s.Topics); diff != "" {
		t.Errorf("topics:\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"User:CN=orders WRITE TOPIC orders.created.v1", "User:CN=orders DESCRIBE TOPIC orders.created.v1",
		"User:billing READ TOPIC orders.created.v1", "User:billing READ GROUP billing", "deny User:billing ALL TOPIC secret*",
		"User:billing IDEMPOTENT_WRITE CLUSTER kafka-cluster from 10.0.0.1",
	}, rights(s)); diff != "" {
		t.Errorf("rights:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]contract.Auth{"User:CN=orders": contract.MTLS, "User:billing": contract.SCRAMSHA512}, s.Auth); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]map[string]float64{"billing": {kafka.QuotaConsume: 1048576, "controller_mutation_rate": 0.5}}, s.Quotas); diff != "" {
		t.Error(diff)
	}
	var left []string
	for _, i := range s.Left {
		left = append(left, i.What)
	}
	if diff := cmp.Diff([]string{"Kafka my-cluster", "authentication oauth of KafkaUser odd", "authorization custom of KafkaUser odd"}, left); diff != "" {
		t.Error(diff)
	}
}

func TestAnImportedStrimziClusterIsAnEstate(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/strimzi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := importer.ParseStrimzi("strimzi.yaml", data)
	d := draft(t, s, importer.Options{Env: "prod"})
	want := `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: unknown}
identity: {auth: mtls}
topics:
  orders.created.v1: {partitions: 12, retention: 7d}
produces:
  orders.created.v1: {}
adopt: {principal: "CN=orders"}
`
	if diff := cmp.Diff(want, file(t, d, "orders/slipway.yaml")); diff != "" {
		t.Error(diff)
	}
	if n := len(resolve(t, d, "prod").Services); n != 2 {
		t.Errorf("%d services, want 2", n)
	}
	told(t, d, diag.ImportUnknown, "id of the cluster", "files do not tell")
	told(t, d, diag.ImportTopic, "settings of topic orders.created.v1", "compression.type=zstd")
}

func TestAPolicyIsReadInAllItsForms(t *testing.T) {
	t.Parallel()
	want := []string{"User:orders READ TOPIC a.v1", "User:orders WRITE TOPIC a.v1"}
	for name, text := range map[string]string{
		"a list":              "- principal: User:orders\n  resource: {type: topic, name: a.v1}\n  operations: [Read, Write]\n",
		"below policies":      "version: 1\npolicies:\n  - principal: orders\n    resource: topic:a.v1\n    operations: [READ, write]\n",
		"below acls":          "acls: [{principal: 'User:orders', topic: a.v1, operations: [read, WRITE], permission: allow, pattern: literal}]\n",
		"two documents":       "- {principal: orders, topic: a.v1, operation: Read}\n---\n- {principal: orders, topic: [a.v1], operation: Write}\n",
		"operations as words": "rules:\n- principal: orders\n  resource: {type: Topic, name: a.v1, pattern: literal}\n  operation: read\n- {principal: orders, topic: a.v1, operation: write}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, list := importer.ParsePolicy("policy.yaml", []byte(text))
			if diff := cmp.Diff(want, rights(s)); diff != "" || list != nil {
				t.Errorf("%s\n%s", diff, list.Text())
			}
		})
	}
}

func TestAPolicysTopicsBelongToTheirOnlyWriter(t *testing.T) {
	t.Parallel()
	s, list := importer.ParsePolicy("policy.yaml", []byte(`policies:
  - {principal: svc-order-processor, resource: "topic:orders-topic", operations: [Read, Write]}
  - {principal: svc-order-processor, resource: "group:order-group", operations: [Read]}
  - {principal: svc-payment-gateway, resource: "topic:orders.*", operations: [Read]}
  - {principal: svc-payment-gateway, resource: "topic:orders.", pattern: prefixed, operations: [Describe-Configs]}
  - {principal: platform, resource: cluster, operations: [ClusterAction]}
`))
	if list != nil {
		t.Fatal(list.Text())
	}
	d := draft(t, s, importer.Options{})
	want := `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: svc-order-processor, owner: unknown}
identity: {auth: mtls}
topics:
  orders-topic: {}
produces:
  orders-topic: {}
consumes:
  orders-topic: {order: partition, retry: {then: stop}}
adopt: {principal: svc-order-processor, group: order-group}
`
	if diff := cmp.Diff(want, file(t, d, "svc-order-processor/slipway.yaml")); diff != "" {
		t.Error(diff)
	}
	if text := file(t, d, "clusters.yaml"); !strings.Contains(text, `naming: {topic: "^[a-zA-Z0-9._-]+$"}`) {
		t.Error(text)
	}
	told(t, d, diag.ImportRight, "TOPIC orders.*", "takes this name literally")
	told(t, d, diag.ImportWide, "DESCRIBE_CONFIGS TOPIC orders.*", "more than one name")
	told(t, d, diag.ImportRight, "CLUSTER_ACTION", "brokers")
	resolve(t, d, "prod")
}

func TestFilesAreReadStrictly(t *testing.T) {
	t.Parallel()
	const user = "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\nmetadata: {name: u}\nspec:\n  authorization:\n    type: simple\n    acls:\n"
	const topic = "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaTopic\nmetadata: {name: t}\n"
	for name, tt := range map[string]struct {
		text string
		code diag.Code
		at   string
	}{
		"no YAML":              {"a: b: c", diag.ImportSyntax, "f:1:"},
		"an alias":             {"kind: &k x\nb: *k", diag.ImportSyntax, "f:1:7"},
		"a merge key":          {"a: {}\n<<: {b: c}", diag.ImportSyntax, "f:2:1"},
		"a tag":                {"a: !!binary aGk=", diag.ImportSyntax, "f:1:4"},
		"a key twice":          {"a: 1\na: 2", diag.ImportSyntax, "f:2:1"},
		"depth":                {strings.Repeat("[", 100) + strings.Repeat("]", 100), diag.ImportTooLarge, "f:1:"},
		"a large document":     {"a: " + strings.Repeat("x", importer.MaxDocument), diag.ImportTooLarge, "f:1"},
		"many marks":           {"[" + strings.Repeat(",", 300_000) + "]", diag.ImportTooLarge, "f:1"},
		"a scalar":             {"hello", diag.ImportFormat, "f:1:1"},
		"no kind":              {"a: b", diag.ImportFormat, "f:1:1"},
		"the second document":  {topic + "---\n" + topic + "spec: {partitions: 0}\n", diag.ImportFormat, "f:8:"},
		"a topic twice":        {topic + "---\n" + topic, diag.ImportFormat, "f:5:"},
		"partitions in words":  {topic + "spec: {partitions: many}", diag.ImportFormat, "f:4:20"},
		"a config with parts":  {topic + "spec: {config: {a: {b: c}}}", diag.ImportFormat, "f:4:"},
		"an unknown operation": {user + "      - {resource: {type: topic, name: a}, operations: [Juggle]}", diag.ImportFormat, "f:8:"},
		"an unknown key":       {user + "      - {resource: {type: topic, name: a}, operations: [Read], hosts: a}", diag.ImportFormat, "f:8:"},
		"no resource":          {user + "      - {operations: [Read]}", diag.ImportFormat, "f:8:"},
		"an unknown resource":  {user + "      - {resource: {type: moon, name: a}, operations: [Read]}", diag.ImportFormat, "f:8:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, list := importer.ParseStrimzi("f", []byte(tt.text))
			if !errors.Is(list.Err(), tt.code) || !strings.HasPrefix(list[0].Position.String(), tt.at) {
				t.Errorf("got %s", list.Text())
			}
		})
	}
	for name, text := range map[string]string{
		"no list": "a: b", "no principal": "- {topic: a, operation: read}", "no resource": "- {principal: a, operation: read}",
		"no operation": "- {principal: a, topic: a}", "an unknown operation": "- {principal: a, topic: a, operation: x}",
		"an unknown key": "- {principal: a, topic: a, operation: read, effect: allow}", "an unknown type": "- {principal: a, resource: 'x:y', operation: read}",
		"an unknown pattern": "- {principal: a, topic: a, operation: read, pattern: glob}", "a word": "- a",
	} {
		if _, list := importer.ParsePolicy("f", []byte(text)); !errors.Is(list.Err(), diag.ImportFormat) {
			t.Errorf("%s: got %s", name, list.Text())
		}
	}
}

// judged drafts what a parser took, which must be valid or nothing.
func judged(t *testing.T, s *importer.Snapshot) {
	d, err := importer.New(s, importer.Options{Expand: true})
	if errors.Is(err, diag.ImportNothing) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := map[acl.Binding]bool{}
	for _, g := range acl.Derive(resolve(t, d, "prod")) {
		got[g.Binding] = true
	}
}

func FuzzStrimzi(f *testing.F) {
	data, err := os.ReadFile("testdata/strimzi.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("apiVersion: kafka.strimzi.io/v1\nkind: KafkaUser\nmetadata: {name: \"a\\u202e\"}\nspec: {authorization: {type: simple, acls: [{resource: {type: topic, name: \"a: b\"}, operations: [Write]}]}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, list := importer.ParseStrimzi("f", data)
		if !list.Failed() {
			judged(t, s)
		}
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte("- {principal: orders, topic: a.v1, operations: [Read, Write]}\n- {principal: orders, group: g, operation: read}\n"))
	f.Add([]byte("policies: [{principal: 'User:a', resource: {type: transactionalId, name: t, pattern: prefixed}, operations: [write]}, {principal: a, topic: 'null', operation: write}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, list := importer.ParsePolicy("f", data)
		if !list.Failed() {
			judged(t, s)
		}
	})
}
