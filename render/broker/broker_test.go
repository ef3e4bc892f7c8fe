package broker_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/broker"
	"github.com/slipway-go/slipway/render/rendertest"
)

// small has nodes that do everything, and clients by certificate alone.
const small = `    id: Y29tcG9zZS1jbHVzdGVyMQ
    bootstrap: {mtls: "kafka.example:9093"}
    nodes:
      kafka-0: {roles: [broker, controller], hosts: [kafka-0.example, 10.20.0.4]}
      kafka-1: {roles: [broker, controller], hosts: [kafka-1.example]}
      kafka-2: {roles: [broker, controller], hosts: [kafka-2.example]}
`

// large keeps controllers apart, and has clients by password, at ports and names of
// their own.
const large = `    id: MkU3OEVBNTcwNTJENDM2Qk
    bootstrap:
      mtls: "broker-10.example:9193,broker-2.example:9293,broker-3.example:9393"
      scram: "kafka.example:9094"
    defaults: {replicas: 3, min.insync.replicas: 2, partitions: 12}
    nodes:
      broker-10: {hosts: [broker-10.example]}
      broker-2: {hosts: [broker-2.example]}
      broker-3: {hosts: ["2001:db8::3", broker-3.example]}
      controller-101: {roles: [controller], hosts: [controller-101.example]}
      controller-102: {roles: [controller], hosts: [controller-102.example]}
      controller-103: {roles: [controller], hosts: [controller-103.example]}
    pki: {principals: "RULE:^CN=([A-Za-z0-9._-]+)$/$1/,DEFAULT"}
`

const sha256 = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
identity: {auth: scram-sha-256}
topics: {orders.created.v1: {key: id, maxMessage: 4MiB}}
`

// input is an environment on one cluster.
func input(t testing.TB, env, cluster, service string) render.Input {
	t.Helper()
	if service == "" {
		service = "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: team-shop}\n"
	}
	estate, problems := contract.Load(fstest.MapFS{
		"slipway.yaml":  {Data: []byte(service)},
		"clusters.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  kafka:\n" + cluster + "environments:\n  " + env + ": {default: kafka}\n")},
	}, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return render.Input{Estate: estate, Environment: env}
}

func TestClustersRenderAsRead(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]render.Input{
		"small": input(t, "prod", small, ""),
		"large": input(t, "prod", large, sha256),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := broker.Target().Files(in)
			if err != nil {
				t.Fatal(err)
			}
			rendertest.Golden(t, filepath.Join("testdata", name), files)
		})
	}
}

// settings are the lines of a file that are no comments.
func settings(t testing.TB, file []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	comment := false
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(line, "\n")
		key, value, found := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			comment = line != ""
			continue
		case !found:
			t.Errorf("%q is no setting", line)
		case !comment:
			t.Errorf("%s has no reason above it", key)
		}
		if _, twice := all[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		all[key], comment = value, false
	}
	return all
}

func TestEveryNodeIsSecured(t *testing.T) {
	t.Parallel()
	for _, in := range []render.Input{input(t, "prod", small, ""), input(t, "prod", large, sha256)} {
		files, err := broker.Target().Files(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			got := settings(t, f.Content)
			for key, want := range map[string]string{
				"allow.everyone.if.no.acl.found":        "false",
				"authorizer.class.name":                 "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
				"ssl.client.auth":                       "required",
				"ssl.endpoint.identification.algorithm": "https",
				"ssl.enabled.protocols":                 "TLSv1.3,TLSv1.2",
				"unclean.leader.election.enable":        "false",
			} {
				if got[key] != want {
					t.Errorf("%s: %s=%s, want %s", f.Path, key, got[key], want)
				}
			}
			for _, word := range []string{"PLAINTEXT", "password=", "controller.quorum.voters", "zookeeper"} {
				for key, value := range got {
					if strings.Contains(key+"="+value, word) {
						t.Errorf("%s: %s=%s has %s", f.Path, key, value, word)
					}
				}
			}
			if strings.Contains(got["super.users"], "svc-") || strings.Count(got["super.users"], "User:admin-") != 1 {
				t.Errorf("%s: super.users=%s", f.Path, got["super.users"])
			}
		}
	}
}

// What is written to disk when storage is formatted must not change by others.
func TestANodeKeepsItsIDsWhenAnotherIsAdded(t *testing.T) {
	t.Parallel()
	more := small + "      kafka-01x9: {hosts: [kafka-9.example]}\n"
	before, after := identities(t, small), identities(t, more)
	for name, want := range before {
		if got := after[name]; got != want {
			t.Errorf("%s was %v, and is %v once there is a node more", name, want, got)
		}
	}
	if len(after) != len(before)+1 {
		t.Errorf("%d nodes, want one more than %d", len(after), len(before))
	}
}

func identities(t *testing.T, cluster string) map[string][2]any {
	t.Helper()
	in := input(t, "prod", cluster, "")
	r, err := in.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	c, err := broker.New(r, "kafka")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2]any{}
	for _, n := range c.Nodes {
		all[n.Name] = [2]any{n.ID, n.Directory}
	}
	return all
}

func TestWhatCannotBeRenderedSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	replace := strings.NewReplacer
	for name, tt := range map[string]struct {
		edit *strings.Replacer
		want diag.Code
		says string
	}{
		"no nodes":              {replace("    nodes:", "    pki: {clients: 7d}\n#", "      kafka", "#"), diag.RenderNoNodes, "cluster kafka lists no nodes"},
		"a node without number": {replace("kafka-2:", "kafka-two:"), diag.RenderNodeNumber, "node kafka-two has no number"},
		"a number twice":        {replace("kafka-2:", "other-1:"), diag.RenderNodeNumber, "kafka-1 and other-1"},
		"two controllers":       {replace("kafka-2: {roles: [broker, controller]", "kafka-2: {roles: [broker]"), diag.RenderQuorum, "has 2 controllers"},
		"one controller":        {replace("kafka-1: {roles: [broker, controller]", "kafka-1: {roles: [broker]", "kafka-2: {roles: [broker, controller]", "kafka-2: {roles: [broker]"), diag.RenderQuorum, "has 1 controllers"},
		"too few brokers":       {replace("kafka-1: {roles: [broker, controller]", "kafka-1: {roles: [controller]"), diag.RenderReplicas, "2 brokers, and its topics 3 replicas"},
		"an id of 12 bytes":     {replace("Y29tcG9zZS1jbHVzdGVyMQ", "abcdef1234567890"), diag.RenderClusterID, "not 16 bytes"},
		"PLAIN":                 {replace(`{mtls: "kafka.example:9093"}`, `{mtls: "kafka.example:9093", plain: "kafka.example:9095"}`), diag.RenderListener, "plain"},
		"a port twice":          {replace(`{mtls: "kafka.example:9093"}`, `{mtls: "kafka.example:9091"}`), diag.RenderListener, "at port 9091"},
		"one principal for all": {replace("    nodes:", "    pki: {principals: 'RULE:^.*$/all/'}\n    nodes:"), diag.RenderPrincipal, "principals of cluster kafka"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := broker.Target().Files(input(t, "prod", tt.edit.Replace(small), ""))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("Files() = %v, want %s with %q", err, tt.want, tt.says)
			}
			if d := diag.Of(err)[0]; d.Position.Line == 0 {
				t.Errorf("%v has no place", d)
			}
		})
	}
}

func TestAnEnvironmentOnEmbeddedHasNoNodes(t *testing.T) {
	t.Parallel()
	estate := rendertest.Load(t, fstest.MapFS{"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: team-shop}\n")}})
	if _, err := broker.Target().Files(render.Input{Estate: estate, Environment: "dev"}); !errors.Is(err, diag.RenderNoNodes) {
		t.Errorf("Files() = %v, want %s", err, diag.RenderNoNodes)
	}
}

func TestOneControllerIsEnoughInDev(t *testing.T) {
	t.Parallel()
	one := "    id: Y29tcG9zZS1jbHVzdGVyMQ\n    bootstrap: {mtls: \"localhost:9093\"}\n    defaults: {replicas: 1}\n    nodes: {kafka-1: {roles: [broker, controller], hosts: [localhost]}}\n"
	files, err := broker.Target().Files(input(t, "dev", one, ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := settings(t, files[0].Content); got["min.insync.replicas"] != "1" || got["offsets.topic.replication.factor"] != "1" {
		t.Errorf("%d files; min.insync.replicas=%s offsets.topic.replication.factor=%s", len(files), got["min.insync.replicas"], got["offsets.topic.replication.factor"])
	}
}

func TestTheSameContractsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	first, err := broker.Target().Files(input(t, "prod", large, sha256))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := broker.Target().Files(input(t, "prod", large, sha256))
		if err != nil || len(again) != len(first) {
			t.Fatal(err)
		}
		for i := range first {
			if !bytes.Equal(first[i].Content, again[i].Content) {
				t.Errorf("%s differs from one time to the next", first[i].Path)
			}
		}
	}
}
