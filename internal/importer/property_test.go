package importer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/internal/kafka"
)

// Names as people and attackers choose them. What begins with svc- is what
// Slipway would have made.
var (
	anyUser = []string{
		"orders", "Orders", "billing", "svc-orders-prod", "svc-billing-prod", "svc-orders-prod-redrive", "svc-orders-dev", "CN=orders,O=x", "CN=a b",
		"*", "null", "true", "1e3", "- x", "a: b", "{x}", "'", "\"", "\\", "a#b", "&a", "!t", "%x", "@", "`x`", "$(id)", "${x}", "ünï", "a\u202eb", "a\x00b", "\xff", "~", "<<", "---", "a\u00a0b", strings.Repeat("x", 300),
	}
	anyTopic = []string{
		"orders.created.v1", "orders.paid.v1", "orders-topic", "a_b", "a.b", "null", "true", "1", "1.5", "-", "---", "__consumer_offsets", "svc-orders-prod.orders.created.v1.retry",
		"svc-orders-prod.orders.created.v1.dlq", "svc-orders-prod.audit.a.b.dlq", "svc-gone-prod.a.b.dlq", "...", "_x", "0x1f", "y", "no", strings.Repeat("t", 249),
	}
	anyGroup = []string{
		"orders", "orders.audit", "orders.Audit", "svc-orders-prod", "svc-orders-prod.audit", "svc-orders-prod-redrive", "g 1", "*", "null", "${g}", "a.b.c", ".", "x.", "\u202e", "#", strings.Repeat("g", 250) + ".a",
	}
	anyTransaction = []string{"svc-orders-prod.", "tx", "tx-1", "t", "$(x)", " "}
)

func anySnapshot(t *rapid.T) *importer.Snapshot {
	pick := func(label string, from []string) string { return rapid.SampledFrom(from).Draw(t, label) }
	s := live(t, nil)
	for range rapid.IntRange(0, 12).Draw(t, "topics") {
		name := pick("topic", anyTopic)
		s.Topics[name] = kafka.Topic{
			Name: name, Partitions: rapid.IntRange(1, 12).Draw(t, "partitions"), Replicas: rapid.IntRange(1, 3).Draw(t, "replicas"),
			Configs: map[string]string{
				kafka.CleanupPolicy:     pick("cleanup", []string{"delete", "delete", "delete", "compact", "compact,delete", "delete,compact", ""}),
				kafka.RetentionMillis:   pick("retention", []string{"604800000", "-1", "1", "60001", "9223372036854775807", "never"}),
				kafka.MaxMessageBytes:   pick("largest", []string{"1048588", "65536", "0", "2147483647", "many"}),
				kafka.MinInsyncReplicas: pick("insync", []string{"1", "2", "2", "3", "x"}),
			},
		}
	}
	user := func() string { return "User:" + pick("user", anyUser) }
	for range rapid.IntRange(0, 40).Draw(t, "rights") {
		b := acl.Binding{
			Principal: user(), Pattern: acl.Pattern(pick("pattern", []string{"LITERAL", "LITERAL", "LITERAL", "PREFIXED"})),
			Operation:  acl.Operation(pick("operation", []string{"READ", "READ", "WRITE", "WRITE", "DELETE", "ALL", "DESCRIBE", "CREATE"})),
			Permission: acl.Permission(pick("permission", []string{"ALLOW", "ALLOW", "ALLOW", "DENY"})),
			Host:       pick("host", []string{"*", "*", "*", "10.0.0.1"}),
		}
		switch b.ResourceType = acl.ResourceType(pick("resource", []string{"TOPIC", "TOPIC", "GROUP", "TRANSACTIONAL_ID", "CLUSTER"})); b.ResourceType {
		case acl.Topic:
			b.Name = pick("topic", append([]string{"*", "orders.", "gone", "a/b"}, anyTopic...))
		case acl.Group:
			b.Name = pick("group", anyGroup)
		case acl.TransactionalID:
			b.Name = pick("transaction", anyTransaction)
		default:
			b.Name = "kafka-cluster"
		}
		s.Bindings = append(s.Bindings, b)
	}
	s.Quotas = map[string]map[string]float64{}
	for range rapid.IntRange(0, 6).Draw(t, "users") {
		name := pick("user", anyUser)
		s.Users[name] = append(s.Users[name], kafka.Credential{User: name, Mechanism: contract.Auth(pick("mechanism", []string{"scram-sha-512", "scram-sha-256"}))})
		s.Quotas[name] = map[string]float64{pick("quota", []string{kafka.QuotaProduce, kafka.QuotaRequests, "other"}): rapid.SampledFrom([]float64{0, 1, 0.5, 4096, 1e18}).Draw(t, "limit")}
	}
	for range rapid.IntRange(0, 6).Draw(t, "groups") {
		s.Groups[pick("group", anyGroup)] = importer.Group{
			Protocol: kafka.Protocol(pick("protocol", []string{"", "classic", "consumer", "share"})),
			Topics:   rapid.SliceOfNDistinct(rapid.SampledFrom(anyTopic), 0, 4, rapid.ID[string]).Draw(t, "committed"),
		}
	}
	return s
}

// Whatever is found on a cluster, what is written is a valid estate, a first
// plan has nothing to do, and every right is either called for or told.
func TestWhatIsImportedIsValidAndAFirstPlanIsEmpty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := anySnapshot(rt)
		d, err := importer.New(in, importer.Options{})
		if errors.Is(err, diag.ImportNothing) {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		if got := changes(rt, d, in, "prod", "kafka"); got != nil || d.Changes != nil {
			rt.Fatalf("the first plan would %q, and the draft tells %q", got, d.Changes)
		}
		complete(rt, in, d)
	})
}

// complete requires that every right is called for or told.
func complete(t failer, in *importer.Snapshot, d *importer.Draft) {
	t.Helper()
	known := map[string]bool{}
	for _, g := range acl.Derive(resolve(t, d, "prod")) {
		known[g.Binding.String()] = true
	}
	for _, i := range d.Items {
		known[i.What] = true
		if i.Why == "" || i.Do == "" {
			t.Fatalf("%s: neither why nor what to do may be empty: %+v", i.What, i)
		}
	}
	for _, b := range in.Bindings {
		if !known[b.String()] {
			t.Fatalf("%s is neither called for nor told", b)
		}
	}
}

// With rights expanded the plan adds rights by name, and nothing else.
func TestExpandingAddsRightsByNameAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := anySnapshot(rt)
		d, err := importer.New(in, importer.Options{Expand: true})
		if errors.Is(err, diag.ImportNothing) {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		got := changes(rt, d, in, "prod", "kafka")
		if diff := cmp.Diff(d.Changes, got); diff != "" {
			rt.Fatal(diff)
		}
		for _, c := range got {
			if !strings.HasPrefix(c, "+ acl ") {
				rt.Fatalf("the first plan would %s", c)
			}
		}
	})
}

func TestTheSameSourceGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := anySnapshot(rt)
		first, _ := importer.New(in, importer.Options{Expand: true})
		again, _ := importer.New(in, importer.Options{Expand: true})
		if diff := cmp.Diff(fmt.Sprint(first), fmt.Sprint(again)); diff != "" {
			rt.Fatal(diff)
		}
	})
}
