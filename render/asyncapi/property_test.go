package asyncapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
)

// words are what a text in a contract may be made of, and what YAML, JSON and
// pointers take for something else.
var words = rapid.SampledFrom([]string{"orders", "no", "1e3", "0x1F", "~", "- a", "a: b", "# c", "{}", "'", `"`, `\`, "/", "%41", "é", "🚀", "null", " ", "!x", "&y", "*z", "<<", "2026-01-01", "$ref", "#/info"})

func line(t *rapid.T, name string) string {
	s := strings.TrimSpace(strings.Join(rapid.SliceOfN(words, 1, 5).Draw(t, name), rapid.SampledFrom([]string{"", " "}).Draw(t, name+" glue")))
	if s == "" {
		return "x"
	}
	return s
}

// sometimes is a text, or nothing.
func sometimes(t *rapid.T, name, text string) string {
	if rapid.Bool().Draw(t, name) {
		return text
	}
	return ""
}

func oneOf(t *rapid.T, name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }

func quoted(s string) string {
	data, _ := json.Marshal(s)
	return string(data)
}

// schemaOf is a schema file of any format, as people indent them.
func schemaOf(t *rapid.T, name string) (file, content string) {
	doc := quoted(line(t, name+" doc"))
	switch oneOf(t, name+" format", "avro", "json", "proto", "enum") {
	case "avro":
		return ".avsc", `{"type": "record", "name": "A", "doc": ` + doc + `, "fields": [{"name": "id", "type": ["null", "string"], "default": null}, {"name": "n", "type": "double", "default": 1.50}]}`
	case "enum":
		return ".avsc", "{\n\t\"type\": \"enum\",\n\t\"name\": \"E\", \"doc\": \"" + oneOf(t, name+" escape", `\ud83d\ude00`, `\/`, `\u0041`, `\u2028`) + "\", \"symbols\": [\"NO\", \"Y\"]}\n"
	case "json":
		return ".json", `{"title": ` + doc + `, "definitions": {"a/b": {"type": "string"}}, "type": "object", "properties": {"id": {"type": "string"}, "self": {"$ref": "#"}, "x": {"$ref": "#/definitions/a~1b"}, "": {}}}`
	}
	return ".proto", oneOf(t, name+" proto", "syntax = \"proto3\";\n// %s\nmessage A { string id = 1; }\n", "syntax = \"proto2\";\r\nmessage A {\r\n\toptional string id = 1;\r\n}\r\n", "\n\n  syntax = \"proto3\";\n\tmessage A { string id = 1; }") + "// " + line(t, name+" comment") +
		rapid.StringOfN(rapid.SampledFrom([]rune(" \n\ta#:-'\"\\é🚀|>%\u00a0\u0085\r")), 0, 12, -1).Draw(t, name+" end")
}

// generated is an estate of one service that uses any part of the format, in an
// environment that changes some of it.
func generated(t *rapid.T) fstest.MapFS {
	files := fstest.MapFS{}
	var b, over strings.Builder
	write := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	write("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: %s, owner: %s%s}\n", oneOf(t, "name", "orders", "no", "e1", "y"), quoted(line(t, "owner")),
		sometimes(t, "described", ", description: "+quoted(line(t, "description"))))
	write("identity: {auth: %s}\n", oneOf(t, "auth", "mtls", "scram-sha-512", "scram-sha-256"))
	n := rapid.IntRange(1, 3).Draw(t, "topics")
	write("topics:\n")
	for i := range n {
		write("  t%d.%s:\n    key: %s\n    protect: []\n", i, oneOf(t, "topic", "v1", "1e3", "a_b-C"), oneOf(t, "key", "id", "{field: id, format: int64}"))
		write("%s%s%s%s%s", sometimes(t, "partitions", "    partitions: 6\n"), sometimes(t, "replicas", "    replicas: 1\n"),
			sometimes(t, "retention", "    retention: "+oneOf(t, "how long", "7d", "1h30m", "forever", "61s")+"\n"),
			sometimes(t, "compact", "    compact: "+oneOf(t, "whether", "true", "false")+"\n"), sometimes(t, "max", "    maxMessage: 64KiB\n"))
		write("%s", sometimes(t, "readers", "    readers: []\n"))
		write("%s", sometimes(t, "alias", "    cluster: other\n"))
		if rapid.Bool().Draw(t, "schema") {
			ending, content := schemaOf(t, "schema")
			name := fmt.Sprintf("schemas/%d%s", rapid.IntRange(i, i+1).Draw(t, "file"), ending)
			if files[name] == nil {
				files[name] = &fstest.MapFile{Data: []byte(content)}
			}
			write("    schema: {file: %s%s}\n", name, sometimes(t, "rule", ", compatibility: full"))
		}
	}
	var doc struct{ Topics map[string]map[string]any }
	if err := yaml.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatal(err)
	}
	entries(t, &b, doc.Topics)
	write("%s", sometimes(t, "slo", "slo: {lag: 1k, freshness: {p99: 30s}, success: 99.95%}\n"))
	write("%s", sometimes(t, "config", "config: {greeting: {default: "+quoted(line(t, "default"))+"}}\n"))
	write("%s", sometimes(t, "workload", "workload: {image: registry.example.com/a, cpu: 500m, memory: 128Mi, scale: {min: 1, max: auto}}\n"))
	fmt.Fprint(&over, "environments: {dev: {slo: {lag: 5}")
	if rapid.Bool().Draw(t, "overlay") {
		for name := range doc.Topics {
			fmt.Fprintf(&over, ", topics: {%s: {partitions: %s, retention: %s}}", quoted(name), oneOf(t, "in dev", "1", "6", "null"), oneOf(t, "kept in dev", "1d", "7d", "null"))
			break
		}
	}
	write("%s}}\n", over.String())
	files["slipway.yaml"] = &fstest.MapFile{Data: []byte(b.String())}
	files["clusters.yaml"] = &fstest.MapFile{Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka: {id: abc, bootstrap: {mtls: "a:9093, b:9093", scram: "a:9094"}, ca: {file: ca.crt}, defaults: {replicas: 3, partitions: 6}}
environments:
  dev: {default: {cluster: kafka, topicPrefix: dev.}, other: embedded}
  prod: {default: {cluster: kafka, topicPrefix: ` + oneOf(t, "prefix", "prod.", "p-") + `}, other: embedded}
naming: {topic: ".*"}
`)}
	return files
}

// entries are what the service writes and reads.
func entries(t *rapid.T, b *strings.Builder, topics map[string]map[string]any) {
	var produces, consumes strings.Builder
	for name, topic := range topics {
		cluster := ""
		if alias, ok := topic["cluster"]; ok {
			cluster = fmt.Sprintf(", cluster: %v", alias)
		}
		if rapid.Bool().Draw(t, "produces") {
			fmt.Fprintf(&produces, "  %s: {max: 16KiB%s}\n", quoted(name), cluster)
		}
		if rapid.Bool().Draw(t, "consumes") {
			fmt.Fprintf(&consumes, "  %s: {retry: {delays: [1s, 30s], then: %s}%s}\n", quoted(name), oneOf(t, "then", "park", "stop", "dead-letter"), cluster)
		}
		if rapid.Bool().Draw(t, "again") {
			fmt.Fprintf(&consumes, "  %s: {topic: %s%s%s}\n", quoted(name+".again"), quoted(name), oneOf(t, "as", ", as: table", fmt.Sprintf(", group: again%d, rate: 2k/s", consumes.Len())), cluster)
		}
	}
	if produces.Len() > 0 {
		b.WriteString("produces:\n" + produces.String())
	}
	if consumes.Len() > 0 {
		b.WriteString("consumes:\n" + consumes.String())
	}
}

func TestEveryContractComesBackFromItsDocument(t *testing.T) {
	t.Parallel()
	valid := 0
	rapid.Check(t, func(rt *rapid.T) {
		files := generated(rt)
		estate, problems := contract.Load(files, ".")
		if problems.Failed() {
			rt.Skip(problems) // such as a group that is not a name
		}
		for _, env := range []string{"dev", "prod"} {
			if _, problems := estate.In(env); problems.Failed() {
				rt.Skip(problems)
			}
			valid++
			for _, f := range documents(t, estate, env) {
				var doc map[string]any
				if err := yaml.Unmarshal(f.Content, &doc); err != nil {
					rt.Fatalf("%v\n%s", err, f.Content)
				}
				same(t, byFile(t, estate, f), returned(t, f))
				if t.Failed() {
					rt.Fatalf("%s\n%s", files["slipway.yaml"].Data, f.Content)
				}
			}
		}
	})
	if valid == 0 {
		t.Error("no generated contract was valid")
	}
}
