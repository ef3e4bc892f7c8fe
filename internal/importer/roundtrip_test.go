package importer_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

const twoClusters = `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093", scram: "kafka.example:9094"}, defaults: {replicas: 3, min.insync.replicas: 2}}
environments:
  prod: {default: kafka}
`

// applied is a cluster on which Slipway has made everything that the contracts
// call for, and nothing else is.
func applied(t *testing.T, services map[string]string) (*importer.Snapshot, []string) {
	t.Helper()
	fsys := fstest.MapFS{"clusters.yaml": &fstest.MapFile{Data: []byte(twoClusters)}}
	for name, body := range services {
		text := fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: %s, owner: team}\n%s\n", name, body)
		fsys[name+"/slipway.yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	want, err := plan.Derive(resolved(t, fsys, "prod"), "kafka")
	if err != nil {
		t.Fatal(err)
	}
	in := live(t, nil)
	for _, x := range want.Topics {
		made := topic(x.Name)
		made.Partitions, made.Replicas = x.Partitions, x.Replicas
		maps.Copy(made.Configs, x.Configs)
		in.Topics[x.Name] = made
	}
	var rights []string
	for _, g := range want.Grants {
		in.Bindings = append(in.Bindings, g.Binding)
		rights = append(rights, g.Binding.String())
	}
	for _, u := range want.Users {
		in.Users[u.Name] = append(in.Users[u.Name], kafka.Credential{User: u.Name, Mechanism: u.Mechanism, Iterations: 8192})
	}
	in.Quotas = map[string]map[string]float64{}
	for _, q := range want.Quotas {
		in.Quotas[q.User] = q.Limits
	}
	return in, rights
}

// An estate that Slipway applied comes back with the same rights, and the plan
// that follows is empty.
func TestAnAppliedEstateComesBackWithTheSameRights(t *testing.T) {
	t.Parallel()
	const orders = "identity: {auth: scram-sha-512}\ntopics: {orders.created.v1: {key: id, partitions: 12, retention: 3d, maxMessage: 64KiB}, orders.paid.v1: {partitions: 3}}\nproduces: {orders.created.v1: {max: 64KiB}, orders.paid.v1: {}}"
	for name, tt := range map[string]struct {
		body string
		want []string // what the contract says, among other things
	}{
		"dead letters":                   {"consumes: {orders.created.v1: {}}", []string{"orders.created.v1: {order: partition}"}},
		"by password":                    {"identity: {auth: scram-sha-256}\nconsumes: {orders.created.v1: {}}", []string{"identity: {auth: scram-sha-256}"}},
		"waits, then dead letters":       {"consumes: {orders.created.v1: {retry: {delays: [1s]}}}", []string{"orders.created.v1: {order: partition}"}},
		"waits, then stop":               {"consumes: {orders.created.v1: {retry: {delays: [1s], then: stop}}}", []string{"retry: {backoff: {}, then: stop}"}},
		"stop":                           {"consumes: {orders.created.v1: {retry: {then: stop}}}", []string{"retry: {then: stop}"}},
		"park":                           {"consumes: {orders.created.v1: {retry: {then: park}}}", []string{"orders.created.v1: {order: partition}"}},
		"a table":                        {"consumes: {orders.created.v1: {as: table}}", []string{"as: table"}},
		"a share group":                  {"consumes: {orders.created.v1: {as: share}}", []string{"as: share"}},
		"two groups on a topic":          {"consumes: {orders.created.v1: {retry: {then: stop}}, again: {topic: orders.created.v1, group: audit}}", []string{"group: audit"}},
		"dead letters of a second group": {"consumes: {orders.created.v1: {}, again: {topic: orders.created.v1, group: audit, retry: {delays: [1s], then: stop}}}", []string{"group: audit, retry: {backoff: {}, then: stop}"}},
		"transactions":                   {"topics: {s.out.v1: {}}\nproduces: {s.out.v1: {via: transaction}}\nconsumes: {orders.created.v1: {}}", []string{"via: transaction"}},
		"adopted names":                  {"topics: {s.out.v1: {}}\nproduces: {s.out.v1: {via: transaction}}\nconsumes: {orders.created.v1: {}}\nadopt: {group: old-group, principal: old-user, transactionalPrefix: old-tx-}", []string{`transactionalPrefix: "old-tx-"`, "name: s,"}},
		"an adopted principal":           {"consumes: {orders.created.v1: {}, orders.paid.v1: {retry: {then: stop}}}\nadopt: {principal: old-user}", []string{"adopt: {principal: old-user}", "name: s,"}},
		"quotas":                         {"consumes: {orders.created.v1: {}}\nquotas: {consume: 2MiB/s}", []string{"quotas: {consume: 2MiB/s}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, rights := applied(t, map[string]string{"orders": orders, "s": tt.body})
			committed(in)
			d := draft(t, in, importer.Options{})
			if got := changes(t, d, in, "prod", "kafka"); got != nil {
				t.Errorf("the first plan would %q", got)
			}
			var got []string
			for _, g := range acl.Derive(resolve(t, d, "prod")) {
				got = append(got, g.Binding.String())
			}
			if diff := cmp.Diff(rights, got); diff != "" {
				t.Errorf("rights (-applied +imported):\n%s", diff)
			}
			text := file(t, d, "s/slipway.yaml")
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("no %q in\n%s", w, text)
				}
			}
			if text := file(t, d, "orders/slipway.yaml"); !strings.Contains(text, "orders.created.v1: {partitions: 12, retention: 3d, maxMessage: 64KiB}") || strings.Contains(text, "adopt") {
				t.Error(text)
			}
		})
	}
}

// committed has every group commit in all topics that it may read.
func committed(in *importer.Snapshot) {
	for _, group := range in.Bindings {
		if group.ResourceType != acl.Group || strings.HasSuffix(group.Name, "-redrive") {
			continue
		}
		var topics []string
		for _, b := range in.Bindings {
			if b.Principal == group.Principal && b.ResourceType == acl.Topic && b.Operation == acl.Read && !strings.HasSuffix(b.Name, ".retry") {
				topics = append(topics, b.Name)
			}
		}
		slices.Sort(topics)
		in.Groups[group.Name] = importer.Group{Topics: topics}
	}
}

// What acl derive writes for Strimzi is read back with the same rights.
func TestKafkaUsersOfAnEstateAreReadBackAsItsRights(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"clusters.yaml": &fstest.MapFile{Data: []byte(twoClusters)}}
	for name, body := range map[string]string{
		"orders": "topics: {orders.created.v1: {key: id}}\nproduces: {orders.created.v1: {via: transaction}}",
		"stock":  "consumes: {orders.created.v1: {retry: {delays: [1s]}}}",
	} {
		text := fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: %s, owner: team}\nidentity: {auth: scram-sha-512}\n%s\n", name, body)
		fsys[name+"/slipway.yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	r := resolved(t, fsys, "prod")
	grants := acl.Derive(r)
	users, list := acl.KafkaUsers(r, "kafka", grants)
	if list.Failed() {
		t.Fatal(list.Text())
	}
	var text []byte
	for _, u := range users {
		document, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, "---\n"...), append(document, '\n')...)
	}
	in, list := importer.ParseStrimzi("users.yaml", text)
	if list != nil {
		t.Fatal(list.Text())
	}
	var want []acl.Binding
	for _, g := range grants {
		want = append(want, g.Binding)
	}
	slices.SortFunc(in.Bindings, acl.Binding.Compare)
	if diff := cmp.Diff(want, in.Bindings); diff != "" {
		t.Error(diff)
	}
	d := draft(t, in, importer.Options{})
	if diff := cmp.Diff([]string{"orders", "stock"}, []string{d.Services[0].Name, d.Services[1].Name}); diff != "" || len(d.Services) != 2 {
		t.Error(diff)
	}
}

func TestADirectorysClustersAreKeptAndFitted(t *testing.T) {
	t.Parallel()
	const clusters = `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  one: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093"}, defaults: {replicas: 3, min.insync.replicas: 2}}
environments:
  staging: {default: {cluster: one, topicPrefix: staging.}}
`
	dir := fstest.MapFS{"clusters.yaml": &fstest.MapFile{Data: []byte(clusters)}}
	in := live(t, []kafka.Topic{topic("staging.a.b.v1"), topic("a.b.v1"), topic("staging.odd")},
		"User:svc-p-staging WRITE TOPIC staging.a.b.v1", "User:svc-p-staging WRITE TOPIC a.b.v1", "User:svc-p-staging WRITE TOPIC staging.odd")
	d := draft(t, in, importer.Options{Dir: dir, Env: "staging"})
	want := `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: p, owner: unknown}
identity: {auth: mtls}
topics:
  a.b.v1: {partitions: 6, retention: 7d}
produces:
  a.b.v1: {}
  odd: {}
`
	if diff := cmp.Diff(want, file(t, d, "p/slipway.yaml")); diff != "" {
		t.Error(diff)
	}
	told(t, d, "SLP-IMP-010", "WRITE TOPIC a.b.v1", "begin with staging.")
	told(t, d, "SLP-IMP-010", "topic odd", "does not match the rule")
	if slices.ContainsFunc(d.Files, func(f importer.File) bool { return f.Path == contract.ClustersFile }) {
		t.Error("clusters.yaml would be written again")
	}
	d.Files = append(d.Files, importer.File{Path: contract.ClustersFile, Text: []byte(clusters)})
	if got := changes(t, d, in, "staging", "one"); got != nil {
		t.Errorf("the first plan would %q", got)
	}
	if _, err := importer.New(in, importer.Options{Dir: dir, Env: "prod"}); err == nil || !strings.Contains(err.Error(), "SLP-CLU-003") {
		t.Errorf("an environment that is not there: %v", err)
	}
}

func TestAContradictionWithTheDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{"here/slipway.yaml": &fstest.MapFile{Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: p, owner: team}\ntopics: {a.b.v1: {}}\nproduces: {a.b.v1: {}}\n")}}
	in := live(t, []kafka.Topic{topic("a.b.v1")}, "User:p WRITE TOPIC a.b.v1")
	_, err := importer.New(in, importer.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "SLP-IMP-005") {
		t.Errorf("got %v", err)
	}
}
