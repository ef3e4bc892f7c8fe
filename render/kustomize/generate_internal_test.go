package kustomize

import (
	"fmt"
	"strings"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
)

// generate makes an estate of one service whose contract differs from environment to
// environment in all that manifests follow from.
func generate(t *rapid.T) *contract.Estate {
	g := generator{t}
	files := fstest.MapFS{
		"clusters.yaml":       {Data: []byte(g.clusters())},
		"orders/slipway.yaml": {Data: []byte(g.service())},
	}
	if g.maybe("config") {
		files["orders/config/common.yaml"] = &fstest.MapFile{Data: []byte("shutdown: {timeout: 1m}\n")}
		files["orders/config/prod.yaml"] = &fstest.MapFile{Data: []byte("log: {format: text}\n")}
		files["orders/config/dev.yaml"] = &fstest.MapFile{Data: []byte("# nothing\n")}
	}
	estate, problems := contract.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, files["clusters.yaml"].Data, files["orders/slipway.yaml"].Data)
	}
	return estate
}

type generator struct{ *rapid.T }

func (g generator) maybe(what string) bool { return rapid.Bool().Draw(g.T, what) }

func (g generator) one(what string, of ...string) string {
	return rapid.SampledFrom(of).Draw(g.T, what)
}

// lines are those that are drawn.
func (g generator) lines(all ...string) string {
	var b strings.Builder
	for _, line := range all {
		if g.maybe(line) {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func (g generator) clusters() string {
	platform := func(env string) string {
		return "  " + env + ":\n    namespace: shop-" + env + "\n" + g.lines(
			"    kafka: {namespace: kafka, pods: {app: broker}}",
			"    registry: {cidrs: [0.0.0.0/0]}",
			`    telemetry: {endpoint: "http://collector.otel:4318", peer: {namespace: otel}}`,
			"    pullSecrets: [a, b]",
			"    storageClass: fast",
			"    mesh: {}",
			"    autoscaler: hpa",
			"    reload: restart",
			"    credentials: {from: vault, peer: {namespace: vault}}",
			"    monitoring: prometheus",
		)
	}
	return `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  events:
    id: MkU3OEVBNTcwNTJENDM2Qk
    bootstrap: {mtls: "a:9093,b:9093", scram: "a:9094", plain: "a:9095"}
    cidrs: [10.0.0.0/8]
` + g.lines(`    registry: {url: "https://registry.example", auth: basic}`) + `  others:
    id: c3RhZ2luZy1jbHVzdGVyMDA
    bootstrap: {mtls: "c:9093", scram: "c:9094"}
    cidrs: [10.9.0.0/16]
` + g.lines(`    registry: {url: "https://registry.others.example", auth: basic} `) + `environments:
  dev: {default: {cluster: events, topicPrefix: dev.}, other-one: {cluster: ` + g.one("other", "events", "others") + `, topicPrefix: other.}}
  prod: {default: {cluster: events, topicPrefix: prod.}, other-one: {cluster: others, topicPrefix: prod.}}
platform:
` + platform("dev") + platform("prod")
}

func (g generator) service() string {
	cluster := g.one("cluster", "default", "other-one")
	scale := g.one("scale", "{min: 1, max: 1}", "{min: 0, max: auto}", "{min: 2, max: 5}")
	spill := g.maybe("spill")
	text := fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: %[1]q}
identity: {auth: %[2]s}
topics:
  orders.created.v1: {key: id, partitions: 6}
  orders.seen.v1: {cluster: %[9]s}
produces:
  orders.created.v1: {via: %[3]s%[4]s}
consumes:
  orders.created.v1: {static: %[5]v%[6]s}
  orders.seen.v1: {cluster: %[9]s, static: %[5]v}
config:
  a.key: %[7]s
workload:
  image: registry.example.com:5000/orders%[8]s
  egress:
    database: {namespace: db, ports: [5432]}
    other: {cidrs: ["fd00::/8"], ports: [1, 2]}
`, g.one("owner", "team", "no", "🚀", "a b"), g.one("auth", "mtls", "scram-sha-512"),
		map[bool]string{true: "direct", false: "outbox"}[spill], map[bool]string{true: ", away: spill", false: ""}[spill],
		g.maybe("static"), map[bool]string{true: `, dedup: {by: "header:ce_id"}`, false: ""}[g.maybe("dedup")],
		g.one("setting", "{secret: true}", "{default: x}"), g.one("tag", "", ":v1", ":0x1"), cluster)
	text += g.lines("  http: 80", "  grpc: 9090", "  cpu: 1500m", "  memory: 1Gi", "  volume: 10GiB")
	for _, env := range []string{"dev", "prod"} {
		if env == "dev" {
			text += "environments:\n"
		}
		text += "  " + env + ":\n    workload:\n      image: registry.example.com:5000/" + g.one("name", "orders", "mirror/orders") + ":" + g.one("version", "v2", "1e3") + "\n      scale: " + scale + "\n" + g.lines(
			"      grpc: null", "      cpu: 2", "      memory: 512Mi", "      volume: 20GiB", "      egress: null") +
			g.one("http", "", "      http: 8080\n", "      http: 8080\n      access: {callers: [a, b/c]}\n")
	}
	return text
}
