package strimzi_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/rendertest"
	"github.com/slipway-go/slipway/render/strimzi"
)

// An object is as much of Strimzi's as tests look at.
type object struct {
	Kind     string
	Metadata struct {
		Name, Namespace string
		Labels          map[string]string
	}
	Spec struct {
		TopicName            string `yaml:"topicName"`
		Partitions, Replicas int
		Config               map[string]any

		Authentication struct{ Type string }
		Authorization  struct {
			ACLs []struct {
				Type       string
				Resource   struct{ Type, Name, PatternType string } `yaml:",omitempty"`
				Operations []string
				Host       string
			} `yaml:"acls"`
		}
		Quotas map[string]float64
	}
}

// rendered are the objects of an environment.
func rendered(t *testing.T, in *contract.Estate, env string) (*contract.Resolved, []object) {
	t.Helper()
	files, err := strimzi.Target().Files(render.Input{Estate: in, Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	r, problems := in.In(env)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var all []object
	for _, f := range files {
		if bytes.Contains(f.Content, []byte("kind: Component")) || strings.HasPrefix(f.Path, "components/") {
			continue
		}
		text := strings.ReplaceAll(string(f.Content), "patternType:", "patterntype:")
		var o object
		if err := yaml.Unmarshal([]byte(text), &o); err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		if strings.HasPrefix(o.Kind, "Kafka") {
			all = append(all, o)
		}
	}
	return r, all
}

// estates are those with a Kafka of Strimzi's.
var estates = []struct{ estate, env string }{{"shop", "dev"}, {"everything", "dev"}, {"everything", "test"}, {"hostile", "no"}}

// A user may do what acl derive says, to the last operation, and nothing else.
func TestUsersHaveTheRightsThatContractsCallForAndNoOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range estates {
		t.Run(tt.estate+" "+tt.env, func(t *testing.T) {
			t.Parallel()
			r, all := rendered(t, rendertest.Estate(t, tt.estate), tt.env)
			var got, want []string
			for _, o := range all {
				for _, rule := range o.Spec.Authorization.ACLs {
					for _, op := range rule.Operations {
						got = append(got, strings.ToLower(fmt.Sprintf("%s %s %s %s %s %s %s", o.Metadata.Name, rule.Type, op, rule.Resource.Type, rule.Resource.Name, rule.Resource.PatternType, rule.Host)))
					}
				}
			}
			for _, g := range acl.Derive(r) {
				kind := strings.ReplaceAll(string(g.ResourceType), "_", "")
				pattern := map[acl.Pattern]string{acl.Literal: "literal", acl.Prefixed: "prefix"}[g.Pattern]
				want = append(want, strings.ToLower(fmt.Sprintf("%s %s %s %s %s %s %s", strings.TrimPrefix(g.Principal, "User:"), g.Permission, g.Operation, kind, g.Name, pattern, g.Host)))
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := gocmp.Diff(want, got); diff != "" || len(want) == 0 {
				t.Errorf("rights (-derived +rendered):\n%s", diff)
			}
		})
	}
}

func TestTopicsAreWhatPlanWouldMake(t *testing.T) {
	t.Parallel()
	for _, tt := range estates {
		t.Run(tt.estate+" "+tt.env, func(t *testing.T) {
			t.Parallel()
			r, all := rendered(t, rendertest.Estate(t, tt.estate), tt.env)
			desired, err := plan.Derive(r, r.ClusterName(contract.DefaultAlias))
			if err != nil {
				t.Fatal(err)
			}
			type topic struct {
				Name                 string
				Partitions, Replicas int
				Configs              map[string]string
			}
			var got, want []topic
			for _, o := range all {
				if o.Kind != "KafkaTopic" {
					continue
				}
				configs := map[string]string{}
				for key, value := range o.Spec.Config {
					configs[key] = fmt.Sprint(value)
				}
				got = append(got, topic{cmp.Or(o.Spec.TopicName, o.Metadata.Name), o.Spec.Partitions, o.Spec.Replicas, configs})
			}
			for _, t := range desired.Topics {
				want = append(want, topic{t.Name, t.Partitions, t.Replicas, t.Configs})
			}
			byName := func(a, b topic) int { return strings.Compare(a.Name, b.Name) }
			slices.SortFunc(got, byName)
			slices.SortFunc(want, byName)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("topics (-planned +rendered):\n%s", diff)
			}
		})
	}
}

func TestEveryObjectHasAnOwnerAndAKafka(t *testing.T) {
	t.Parallel()
	for _, tt := range estates {
		r, all := rendered(t, rendertest.Estate(t, tt.estate), tt.env)
		of := r.Clusters.Platform(tt.env).Strimzi
		for _, o := range all {
			if labels := o.Metadata.Labels; labels["slipway.dev/owner"] == "" || labels["strimzi.io/cluster"] != of.Cluster || o.Metadata.Namespace != of.Namespace {
				t.Errorf("%s %s has the metadata %v", o.Kind, o.Metadata.Name, o.Metadata)
			}
		}
		for _, svc := range r.Services {
			if !slices.ContainsFunc(all, func(o object) bool { return o.Kind == "KafkaUser" && o.Metadata.Name == svc.User() }) {
				t.Errorf("service %s has no user", svc.Name)
			}
		}
	}
}

// small is an estate of one service stock in prod, whose Kafka is Strimzi's.
func small(t *testing.T, cluster, platform, body string) *contract.Estate {
	t.Helper()
	elsewhere := "embedded"
	if strings.Contains(body, "debezium") { // which embedded has not
		elsewhere = "{cluster: kafka, topicPrefix: ci.}"
	}
	return rendertest.Load(t, fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka: {id: MkU3OEVBNTcwNTJENDM2Qk, cidrs: [10.0.0.0/8], ` + cmp.Or(cluster, `bootstrap: {mtls: "k.example:9093", scram: "k.example:9094"}`) + `}
environments: {prod: {default: {cluster: kafka, topicPrefix: prod.}}, dev: {default: {cluster: kafka, topicPrefix: dev.}}, ci: {default: ` + elsewhere + `}}
platform: {prod: {` + platform + `}, dev: {` + platform + `}, ci: {strimzi: {cluster: events}}}
naming: {topic: ".*"}
`)},
		"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: stock, owner: team-goods}\n" + body)},
	})
}

const nodes = "strimzi: {cluster: events, nodes: {version: 4.3.1, cpu: 2, memory: 8Gi, storage: 100GiB}}"

func TestHowAUserLogsInFollowsFromWhereCredentialsComeFrom(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ auth, credentials, want, says string }{
		"a certificate of Strimzi's":    {"mtls", "secret", "tls", "user.crt"},
		"a certificate of cert-manager": {"mtls", "{from: cert-manager, issuer: Issuer/kafka}", "tls-external", "cert-manager"},
		"a password of Strimzi's":       {"scram-sha-512", "secret", "scram-sha-512", "Secret svc-stock-prod of"},
		"a password of the store":       {"scram-sha-512", "{from: external-secrets, store: SecretStore/aws}", "scram-sha-512", "name: svc-stock-prod-password"},
		"a password that Strimzi lacks": {"scram-sha-256", "secret", "", "Strimzi makes no credential"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := small(t, "", "strimzi: {cluster: events}, credentials: "+tt.credentials, "identity: {auth: "+tt.auth+"}\n")
			files, err := strimzi.Target().Files(render.Input{Estate: in, Environment: "prod"})
			if err != nil {
				t.Fatal(err)
			}
			_, all := rendered(t, in, "prod")
			if len(all) != 1 || all[0].Spec.Authentication.Type != tt.want || !strings.Contains(string(files[1].Content), tt.says) {
				t.Errorf("the user is %+v, want one with authentication %q that says %q:\n%s", all, tt.want, tt.says, files[1].Content)
			}
		})
	}
}

func TestTheRightsOfConnectAreAPatchForTheUserThatItHas(t *testing.T) {
	t.Parallel()
	in := small(t, `bootstrap: {mtls: "k.example:9093"}, connect: {url: "http://connect.example:8083", principal: connect}`, "strimzi: {cluster: events}",
		"topics: {stock.v1: {key: id}}\nproduces: {stock.v1: {via: outbox}}\noutbox: {relay: debezium, database: {host: db, name: a, user: cdc, password: \"${file:/db:password}\"}}\n")
	files, err := strimzi.Target().Files(render.Input{Estate: in, Environment: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, f := range files {
		content[f.Path] = string(f.Content)
	}
	if content["users/connect.yaml"] != "" {
		t.Error("a KafkaUser connect would take away what Connect may do besides")
	}
	var ops []struct {
		Op, Path string
		Value    struct{ Resource struct{ Name string } }
	}
	if err := yaml.Unmarshal([]byte(content["components/connect/acls.yaml"]), &ops); err != nil || len(ops) != 2 || ops[0].Op != "add" || ops[0].Path != "/spec/authorization/acls/-" {
		t.Errorf("the patch is %+v, %v", ops, err)
	}
	if !strings.Contains(content["components/connect/kustomization.yaml"], "name: connect") {
		t.Error("the patch is for nobody")
	}
}

func TestWhatStrimziCannotRunIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	const three = `nodes: {a: {roles: [controller], hosts: [a.example]}, b: {roles: [broker], hosts: [b.example]}, c: {roles: [broker], hosts: [c.example]}}, `
	const mtls = `bootstrap: {mtls: "k.example:9093"}`
	for name, tt := range map[string]struct {
		cluster, platform, body, env string
		code                         diag.Code
		place, word                  string
	}{
		"no Strimzi":                   {"", "namespace: shop", "", "prod", diag.RenderNoStrimzi, "clusters.yaml:6", "platform.prod.strimzi is missing; write platform: {prod: {strimzi: {cluster: NAME}}}"},
		"an embedded cluster":          {"", "namespace: shop", "", "ci", diag.RenderNoStrimzi, "clusters.yaml:5", "embedded"},
		"a password that brokers hold": {`bootstrap: {mtls: "k.example:9093", plain: "k.example:9095"}`, nodes, "environments: {dev: {identity: {auth: plain}}}\n", "dev", diag.RenderStrimziListener, "slipway.yaml:4", "plain"},
		"a port of its own":            {`bootstrap: {mtls: "k.example:9404"}`, nodes, "", "prod", diag.RenderStrimziListener, "clusters.yaml:4", "9404"},
		"ports that differ":            {`bootstrap: {mtls: "k.example:9093,l.example:9094"}`, nodes, "", "prod", diag.RenderStrimziListener, "clusters.yaml:4", "ports differ"},
		"a port of both":               {`bootstrap: {mtls: "k.example:9093", scram: "k.example:9093"}`, nodes, "", "prod", diag.RenderStrimziListener, "clusters.yaml:4", "another listener"},
		"too few brokers":              {three + mtls, nodes, "", "prod", diag.RenderStrimziNodes, "clusters.yaml:4", "2 brokers"},
		"too few controllers":          {three + mtls, nodes, "", "prod", diag.RenderStrimziNodes, "clusters.yaml:4", "1 controllers"},
		"a name of nobody with rights": {"", "strimzi: {cluster: events}", "adopt: {principal: Stock_1}\n", "prod", diag.ACLNoKafkaUser, "slipway.yaml:4", "Stock_1"},
		"a name of no certificate":     {"", "strimzi: {cluster: events}", "adopt: {principal: Stock_1}\ntopics: {s.v1: {}}\nproduces: {s.v1: {}}\n", "prod", diag.ACLNoKafkaUser, "", "Stock_1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := strimzi.Target().Files(render.Input{Estate: small(t, tt.cluster, tt.platform, tt.body), Environment: tt.env})
			if !errors.Is(err, tt.code) || !strings.Contains(err.Error(), tt.place) || !strings.Contains(err.Error()+"; "+diag.Of(err)[0].Fix, tt.word) {
				t.Errorf("Files() = %v, want %s at %s that says %q", err, tt.code, tt.place, tt.word)
			}
		})
	}
}

func TestATopicThatIsNoNameOfKubernetesKeepsItsOwn(t *testing.T) {
	t.Parallel()
	_, all := rendered(t, small(t, "", "strimzi: {cluster: events}", "topics: {Stock_v1: {}}\n"), "prod")
	i := slices.IndexFunc(all, func(o object) bool { return o.Kind == "KafkaTopic" })
	if len(all) != 2 || i < 0 || all[i].Spec.TopicName != "prod.Stock_v1" || !strings.HasPrefix(all[i].Metadata.Name, "prod.stock-v1-") {
		t.Errorf("objects %+v", all)
	}
}

func TestTheClusterIsTheOneOfClustersYAML(t *testing.T) {
	t.Parallel()
	in := small(t, `bootstrap: {mtls: "kafka.example:9093,events-kafka-bootstrap.kafka.svc:9093"}, nodes: {a: {roles: [broker, controller], hosts: [a.example]}, b: {roles: [broker, controller], hosts: [b.example]}, c: {roles: [broker, controller], hosts: [c.example]}, d: {hosts: [d.example]}}, defaults: {replicas: 4}`,
		nodes+", storageClass: ssd, credentials: {from: cert-manager, issuer: Issuer/kafka}", "")
	files, err := strimzi.Target().Files(render.Input{Estate: in, Environment: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, f := range files {
		text[f.Path] = string(f.Content)
	}
	for path, lines := range map[string][]string{
		"cluster.yaml":         {`version: "4.3.1"`, "name: mtls", "- kafka.example", "default.replication.factor: 4", "min.insync.replicas: 2", "generateCertificateAuthority: false", "type: simple"},
		"nodepool-dual.yaml":   {"replicas: 3", "- controller", "- broker", "size: 100Gi", "class: ssd", "memory: 8Gi"},
		"nodepool-broker.yaml": {"replicas: 1", "- broker"},
	} {
		for _, line := range lines {
			if !strings.Contains(text[path], line) {
				t.Errorf("%s lacks %q:\n%s", path, line, text[path])
			}
		}
	}
	if strings.Contains(text["cluster.yaml"], "- events-kafka-bootstrap") || strings.Contains(text["cluster.yaml"], "name: scram") {
		t.Errorf("Strimzi's own name, or a listener that nobody has, is in\n%s", text["cluster.yaml"])
	}
}
