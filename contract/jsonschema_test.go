package contract_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(contract.JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("slipway.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("slipway.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// instance is a file as an editor hands it to the schema.
func instance(t *testing.T, data []byte) (any, error) {
	t.Helper()
	var v any
	if err := yaml.Load(data, &v); err != nil {
		return nil, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

func TestEveryValidFilePassesTheJSONSchema(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	err := filepath.WalkDir("testdata/estate", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		v, err := instance(t, data)
		if err != nil {
			return err
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// structural are the faults that a JSON Schema can see.
var structural = map[diag.Code]bool{
	diag.ContractUnknownKey: true, diag.ContractType: true, diag.ContractUnit: true,
	diag.ContractRequired: true, diag.ContractVersion: true, diag.ContractOverlay: true,
	diag.ContractName: true, diag.ContractValue: true,
}

// TestTheJSONSchemaAndParseAgree gives every file of testdata/faults to both:
// a file in which Parse finds nothing structural passes the schema, and one
// that the schema refuses has something that Parse refuses.
func TestTheJSONSchemaAndParseAgree(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	files, _ := filepath.Glob("testdata/faults/*.txtar")
	var both int
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list := judge(archive)
		for _, f := range archive.Files {
			if !strings.HasSuffix(f.Name, ".yaml") || strings.HasPrefix(f.Name, "sub/") {
				continue
			}
			v, err := instance(t, f.Data)
			if err != nil {
				continue // not YAML that editors read
			}
			var found, refused bool
			for _, d := range list {
				if d.Position.File == f.Name && d.Severity == diag.Error {
					refused = true
					found = found || structural[d.Code]
				}
			}
			switch err := schema.Validate(v); {
			case err == nil && found && !beyondSchema[filepath.Base(file)]:
				t.Errorf("%s: %s passes the schema, and Parse refuses it", file, f.Name)
			case err != nil && !refused:
				t.Errorf("%s: %s does not pass the schema, and Parse has nothing against it: %v", file, f.Name, err)
			case err != nil:
				both++
			}
		}
	}
	if both < 15 {
		t.Errorf("only %d files were refused by both", both)
	}
}

// beyondSchema are the files whose faults a schema cannot express.
var beyondSchema = map[string]bool{
	"schema-format.txtar": true,
	"redrive.txtar":       true, // a name that is taken
}

// full is a contract that has every key.
const full = `{
"apiVersion": "slipway.dev/v1", "kind": "Service",
"metadata": {"name": "a", "owner": "team-a", "description": "d"},
"identity": {"auth": "mtls"},
"topics": {"x.y.v1": {"cluster": "default", "key": {"field": "id", "format": "string"}, "partitions": 3, "replicas": 3,
  "partitioner": "java", "retention": "7d", "compact": true, "maxMessage": "2MiB",
  "schema": {"format": "protobuf", "file": "x.avsc", "compatibility": "full", "message": "x.Y", "subject": "record", "id": "header",
    "references": {"y": {"file": "x.avsc", "subject": "y", "version": 1}}},
  "readers": ["b"], "writers": ["b"], "protect": ["delete"]}},
"produces": {"x.y.v1": {"cluster": "default", "via": "direct", "max": "1MiB", "away": "spill", "oldBrokers": "allow",
  "buffer": {"bytes": "32MiB", "records": 50000}, "compression": "zstd", "linger": "5ms", "timeout": "1m",
  "spill": {"sync": "interval", "max": "2GiB", "age": "1h"}}},
"consumes": {"x": {"topic": "x.y.v1", "cluster": "default", "as": "stream", "order": "key", "schema": {"format": "protobuf", "file": "x.avsc", "message": "x.Y",
    "references": {"y": {"file": "x.avsc", "subject": "y", "version": 1}}},
  "isolation": "committed", "concurrency": 64, "batch": 10, "timeout": "10s", "start": "earliest", "gap": "stop", "stuck": "5m",
  "retry": {"delays": [], "backoff": {"first": "1s", "factor": 1.5, "max": "30s", "attempts": 4, "budget": "5m"}, "inPlace": "5s", "then": "stop"},
  "dedup": {"by": "header:ce_id", "ttl": "1d"}, "breaker": {"failures": 5, "open": "1m", "probes": 2}, "bulkhead": 10, "rate": "2k/s",
  "preset": "latency", "protocol": "classic", "assignment": "sticky", "static": true, "session": "45s", "heartbeat": "15s", "group": "g"}},
"quotas": {"produce": "10MiB/s", "consume": "20MiB/s", "requests": "50%"},
"connectors": {"sink": {"cluster": "default", "file": "x.json", "config": {"tasks.max": 2}}},
"outbox": {"relay": "debezium", "database": {"host": "h", "port": 5432, "name": "n", "schema": "public", "user": "u", "password": "${file:/p:p}", "tls": "require"}},
"config": {"x.limit": {"type": "integer", "default": 3, "min": 1, "max": 9, "values": [1, 3], "env": "X_LIMIT", "live": true, "secret": false, "doc": "d"}},
"slo": {"lag": 1000, "freshness": {"p99": "30s"}, "success": "99.95%"},
"workload": {"image": "i", "cpu": "500m", "memory": "128Mi", "scale": {"min": 1, "max": 2}, "http": 80, "grpc": 81, "probe": "write", "volume": "2GiB",
  "egress": {"db": {"namespace": "database", "pods": {"app": {"value": "pg"}}, "cidrs": ["10.0.0.0/8"], "ports": [5432]}}, "access": {"callers": ["b"], "scopes": ["s"]}},
"launch": {"canary": ["5%", "100%"], "bake": "2m"},
"adopt": {"group": "g", "principal": "p", "transactionalPrefix": "t.", "clientId": "c"},
"environments": {"dev": {}}
}`

// TestParseAndTheJSONSchemaAgreeOnEveryKey puts values of every type in the
// place of every key of a contract that has them all.
func TestParseAndTheJSONSchemaAgreeOnEveryKey(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	if !agree(t, schema, "", nil, []byte(full)) {
		t.Fatal("the contract with every key is refused")
	}
	var taken, refused int
	values := []any{
		nil, true, 0, 5, -1, 1.5, "", "x", "X Y", "${X}", "7d", "1h30m", "1.5h", "10", "d", "64KiB", "64K", "128Mi", "2k", "2k/s", "2K/s", "500m", "0.5",
		"99.95%", "50%", "10MiB/s", "101", "auto", "forever", "java", "header:a", "svc-", "..", "a_b", []any{}, []any{"a", "a"}, []any{"5%"}, []any{1}, map[string]any{}, map[string]any{"zzz": 1},
	}
	for _, k := range contract.Keys() {
		if k.Kind != "Service" {
			continue
		}
		for _, v := range values {
			var doc map[string]any
			if err := json.Unmarshal([]byte(full), &doc); err != nil {
				t.Fatal(err)
			}
			replace(doc, strings.Split(regexp.MustCompile("<[a-z]+>").ReplaceAllString(k.Path, "*"), "."), v)
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if agree(t, schema, k.Path, v, text) {
				taken++
			} else {
				refused++
			}
		}
	}
	if taken < 200 || refused < 1000 {
		t.Errorf("%d documents were taken and %d refused", taken, refused)
	}
}

// replace puts v at a path, of which * is the only entry of a mapping.
func replace(doc map[string]any, path []string, v any) {
	step := path[0]
	if step == "*" {
		for only := range doc {
			step = only
		}
	}
	if len(path) == 1 {
		doc[step] = v
		return
	}
	replace(doc[step].(map[string]any), path[1:], v)
}

func agree(t *testing.T, schema *jsonschema.Schema, path string, v any, text []byte) (valid bool) {
	t.Helper()
	_, list := contract.Parse(fstest.MapFS{"slipway.yaml": {Data: text}, "x.avsc": {Data: []byte(`"string"`)}, "x.json": {Data: []byte(`{"connector.class": "a.B"}`)}}, "slipway.yaml")
	var sees diag.List
	for _, d := range list {
		bounds := d.Code == diag.ContractValue && strings.Contains(d.Message, "is not between")
		if structural[d.Code] && !bounds && !strings.Contains(d.Message, "does not tell the schema's format") {
			sees.Add(d)
		}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	err = schema.Validate(doc)
	switch {
	case err == nil && len(sees) > 0:
		t.Errorf("%s: %#v passes the schema, and Parse says %v", path, v, sees)
	case err != nil && !list.Failed():
		t.Errorf("%s: %#v does not pass the schema, and Parse has nothing against it: %v", path, v, err)
	}
	return err == nil && !list.Failed()
}

func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	for _, k := range contract.Keys() {
		switch {
		case k.Doc == "" || k.Type == "" || k.Path == "" || k.Since == "":
			t.Errorf("%s %s: incomplete: %+v", k.Kind, k.Path, k)
		case k.Required && k.Default != "":
			t.Errorf("%s %s is required and has a default", k.Kind, k.Path)
		}
	}
}

func TestKeysNameEveryKeyOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]contract.KeyDoc{}
	for _, k := range contract.Keys() {
		if _, twice := seen[k.Kind+" "+k.Path]; twice {
			t.Errorf("%s %s is there twice", k.Kind, k.Path)
		}
		seen[k.Kind+" "+k.Path] = k
	}
	got := seen["Service topics.<topic>.partitions"]
	if got.Type != "integer" || got.Bounds != "1 to 100000" || got.Fixed {
		t.Errorf("partitions: %+v", got)
	}
	if got := seen["Service topics.<topic>.schema.file"]; !got.Required || !got.Fixed {
		t.Errorf("a schema's file is required and the same everywhere: %+v", got)
	}
	if got := seen["Clusters environments.<environment>.<alias>.cluster"]; !got.Required {
		t.Errorf("a binding's cluster: %+v", got)
	}
	if got := seen["Service launch.canary"]; got.Default != "[100%]" || got.Bounds != "0.01% to 100%" {
		t.Errorf("canary: %+v", got)
	}
}
