package contract_test

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func fixture(t *testing.T, name string) *contract.Service {
	t.Helper()
	sub, err := fs.Sub(os.DirFS("testdata/estate"), name)
	if err != nil {
		t.Fatal(err)
	}
	s, list := contract.Parse(sub, "slipway.yaml")
	if list != nil {
		t.Fatal(list)
	}
	return s
}

var exported = cmp.Options{
	cmpopts.IgnoreUnexported(contract.Service{}),
	cmpopts.EquateEmpty(),
}

// TestAContractIsReadWhole compares every value of the design's example.
func TestAContractIsReadWhole(t *testing.T) {
	t.Parallel()
	want := &contract.Service{
		Name: "inventory", Owner: "team-warehouse", Description: "Reserves stock for orders", Auth: contract.MTLS,
		Topics: map[string]*contract.Topic{"inventory.reserved.v1": {
			Name: "inventory.reserved.v1", Cluster: "default", Key: contract.Key{Field: "order_id", Format: contract.KeyString},
			Partitions: 6, Partitioner: contract.Java, Retention: 7 * 24 * time.Hour,
			Schema:  &contract.Schema{Format: contract.Avro, File: "schemas/reserved.avsc", Compatibility: contract.BackwardTransitive, References: map[string]*contract.SchemaReference{}, Subject: contract.SubjectTopic, ID: contract.IDPrefix},
			Readers: []string{"orders", "payments"}, Protect: []contract.Protection{contract.ProtectDelete, contract.ProtectRepartition},
		}},
		Produces: map[string]*contract.Produce{"inventory.reserved.v1": {
			Topic: "inventory.reserved.v1", Cluster: "default", Via: contract.Outbox, Max: 64 << 10, Away: contract.Block,
			Buffer: contract.Buffer{Bytes: 32 << 20, Records: 50_000}, Compression: contract.Snappy, Timeout: 2 * time.Minute, Spill: contract.SpillPolicy{Sync: contract.SyncAlways, Max: 1 << 30, Age: 24 * time.Hour}, OldBrokers: contract.RefuseOld,
		}},
		Consumes: map[string]*contract.Consume{"orders.created.v1": {
			Name: "orders.created.v1", Topic: "orders.created.v1", Cluster: "default", As: contract.Stream, Order: contract.ByKey,
			Schema:    &contract.Schema{Format: contract.Avro, File: "schemas/order-seen.avsc", References: map[string]*contract.SchemaReference{}},
			Isolation: contract.Committed, Concurrency: 64, Batch: 100, Timeout: 10 * time.Second, Start: contract.StartEarliest, Gap: contract.GapStop,
			Retry:   contract.Retry{Delays: []time.Duration{time.Second, 30 * time.Second, 10 * time.Minute}, InPlace: 5 * time.Second, Then: contract.DeadLetter},
			Stuck:   5 * time.Minute,
			Dedup:   &contract.Dedup{By: "header:ce_id", TTL: 24 * time.Hour},
			Breaker: &contract.Breaker{Failures: 5, Open: time.Minute, Probes: 1}, Bulkhead: 32, Rate: 2000,
			Preset: contract.Throughput, Protocol: contract.Classic, Assignment: contract.Cooperative,
			Session: contract.DefaultSession, Heartbeat: contract.DefaultHeartbeat,
		}},
		SLO:          contract.SLO{Lag: 1000, FreshnessP99: 30 * time.Second, Success: 0.9995},
		Workload:     &contract.Workload{Image: "registry.example.com/inventory", CPU: 500, Memory: 128 << 20, Scale: contract.Scale{Min: 2}, HTTP: 8080, GRPC: 9090, Probe: contract.ProbeMetadata},
		Launch:       &contract.Launch{Canary: []float64{0.05, 0.25, 1}, Bake: 2 * time.Minute},
		Adopt:        &contract.Adopt{Group: "legacy-inventory-group"},
		Environments: []string{"dev"},
	}
	if diff := cmp.Diff(want, fixture(t, "inventory"), exported); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestAbsentKeysHaveTheirDefaults reads entries that say nothing.
func TestAbsentKeysHaveTheirDefaults(t *testing.T) {
	t.Parallel()
	s, list := parse(minimal + "topics: {x.y.v1: {key: id}}\nproduces: {x.y.v1: {}}\nconsumes: {x.y.v1: {retry: {backoff: {}}, breaker: {}, dedup: {by: \"field:id\"}}}\nworkload: {}\nlaunch: {}\n")
	if list != nil {
		t.Fatal(list)
	}
	want := &contract.Service{
		Name: "a", Owner: "team-a", Auth: contract.MTLS,
		Topics: map[string]*contract.Topic{"x.y.v1": {Name: "x.y.v1", Cluster: "default", Key: contract.Key{Field: "id", Format: contract.KeyString}, Partitioner: contract.Java}},
		Produces: map[string]*contract.Produce{"x.y.v1": {Topic: "x.y.v1", Cluster: "default", Via: contract.Direct, Max: 1 << 20, Away: contract.Block,
			Buffer: contract.Buffer{Bytes: 32 << 20, Records: 50_000}, Compression: contract.Snappy, Timeout: 2 * time.Minute, Spill: contract.SpillPolicy{Sync: contract.SyncAlways, Max: 1 << 30, Age: 24 * time.Hour}, OldBrokers: contract.RefuseOld}},
		Consumes: map[string]*contract.Consume{"x.y.v1": {
			Name: "x.y.v1", Topic: "x.y.v1", Cluster: "default", As: contract.Stream, Order: contract.ByKey,
			Isolation: contract.Committed, Concurrency: 16, Batch: 100, Timeout: 10 * time.Second, Start: contract.StartEarliest, Gap: contract.GapStop,
			Retry: contract.Retry{
				Backoff: &contract.Backoff{First: time.Second, Factor: 2, Max: 30 * time.Second, Attempts: 4, Budget: 5 * time.Minute},
				InPlace: 5 * time.Second, Then: contract.DeadLetter,
			},
			Stuck: 5 * time.Minute, Preset: contract.Latency, Protocol: contract.Classic, Assignment: contract.Cooperative,
			Session: 45 * time.Second, Heartbeat: 3 * time.Second,
			Breaker: &contract.Breaker{Failures: 5, Open: time.Minute, Probes: 1}, Dedup: &contract.Dedup{By: "field:id", TTL: 24 * time.Hour},
		}},
		Workload: &contract.Workload{CPU: 500, Memory: 128 << 20, Scale: contract.Scale{Min: 1}, Probe: contract.ProbeMetadata},
		Launch:   &contract.Launch{Canary: []float64{1}, Bake: 2 * time.Minute},
	}
	if diff := cmp.Diff(want, s, exported); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if s.Topics["x.y.v1"].Readers != nil {
		t.Error("absent readers must be nil, which means any service")
	}
}

func TestYesAndNoAreTextWhereTextIsWanted(t *testing.T) {
	t.Parallel()
	s, list := parse("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: no, owner: yes, description: 2026-01-01}\ntopics: {x.y.v1: {key: y, compact: true}}\nproduces: {x.y.v1: {}}\n")
	if list != nil || s.Name != "no" || s.Owner != "yes" || s.Description != "2026-01-01" || s.Topics["x.y.v1"].Key.Field != "y" || !s.Topics["x.y.v1"].Compact {
		t.Errorf("got %+v, %v", s, list)
	}
}

func TestAPositionIsThatOfTheElementOrOfWhatHoldsIt(t *testing.T) {
	t.Parallel()
	s := fixture(t, "orders")
	dev, list := s.In("dev")
	if list != nil {
		t.Fatal(list)
	}
	for element, want := range map[string]struct{ written, dev string }{
		"metadata/name":                                 {"slipway.yaml:4:3", "slipway.yaml:4:3"},
		"topics/orders.created.v1":                      {"slipway.yaml:8:3", "slipway.yaml:32:14"},
		"topics/orders.created.v1/partitions":           {"slipway.yaml:10:5", "slipway.yaml:32:34"},
		"topics/orders.created.v1/retention":            {"slipway.yaml:11:5", "slipway.yaml:11:5"},
		"topics/orders.created.v1/readers/1":            {"slipway.yaml:13:26", "slipway.yaml:13:26"},
		"topics/orders.created.v1/compact":              {"slipway.yaml:8:3", "slipway.yaml:32:14"},
		"consumes/inventory.reserved.v1/retry/delays/2": {"slipway.yaml:19:31", "slipway.yaml:19:31"},
		"nothing/like/that":                             {"slipway.yaml:1:1", "slipway.yaml:1:1"},
	} {
		if got := s.Position(element).String(); got != want.written {
			t.Errorf("%s: got %s, want %s", element, got, want.written)
		}
		if got := dev.Position(element).String(); got != want.dev {
			t.Errorf("%s in dev: got %s, want %s", element, got, want.dev)
		}
	}
	if a, b := s.Position("topics", "orders.created.v1", "partitions"), s.Position("topics/orders.created.v1/partitions"); a != b {
		t.Errorf("steps one by one: %v, with slashes: %v", a, b)
	}
	if got := (&contract.Service{}).Position("metadata"); !got.IsZero() {
		t.Errorf("a service that was not parsed: %v", got)
	}
}

func TestAnEnvironmentIsLaidOverTheContract(t *testing.T) {
	t.Parallel()
	s, list := parse(minimal + `
topics: {x.y.v1: {key: id, partitions: 6, readers: [a], retention: 7d}}
produces: {x.y.v1: {}}
consumes: {x.y.v1: {retry: {delays: [1s, 2s], then: park}, rate: 2k/s}}
workload: {cpu: 2, scale: {min: 2, max: 6}}
environments:
  dev:
    topics: {x.y.v1: {partitions: 3, readers: null, retention: forever}}
    consumes: {x.y.v1: {retry: {delays: [5s]}, rate: ~, breaker: {open: 1s}}}
    workload: {scale: {min: 1}}
    launch: {bake: 0s}
    adopt: {group: legacy-dev}
`)
	if list != nil {
		t.Fatal(list)
	}
	dev, list := s.In("dev")
	if list != nil {
		t.Fatal(list)
	}
	topic, entry := dev.Topics["x.y.v1"], dev.Consumes["x.y.v1"]
	if topic.Partitions != 3 || topic.Readers != nil || topic.Retention != contract.Forever || topic.Key.Field != "id" {
		t.Errorf("topic: %+v", topic)
	}
	if diff := cmp.Diff(contract.Retry{Delays: []time.Duration{5 * time.Second}, InPlace: 5 * time.Second, Then: contract.Park}, entry.Retry); diff != "" || entry.Rate != 0 || entry.Breaker.Failures != 5 {
		t.Errorf("entry: %+v\n%s", entry, diff)
	}
	if dev.Workload.CPU != 2000 || dev.Workload.Scale != (contract.Scale{Min: 1, Max: 6}) || dev.Launch.Bake != 0 {
		t.Errorf("workload: %+v, launch: %+v", dev.Workload, dev.Launch)
	}
	if dev.GroupID(entry) != "legacy-dev" || dev.Env != "dev" || dev.Hash() != s.Hash() {
		t.Errorf("group %s, environment %s", dev.GroupID(entry), dev.Env)
	}
	prod, list := dev.In("prod")
	if list != nil || prod.Topics["x.y.v1"].Partitions != 6 || prod.Adopt != nil || prod.Env != "prod" {
		t.Errorf("prod of dev is not the contract as written: %+v, %v", prod, list)
	}
	if s.Topics["x.y.v1"].Partitions != 6 || s.Env != "" {
		t.Errorf("the contract itself was changed: %+v", s)
	}
}

func TestAnEnvironmentsFaultsAreToldAtItsLines(t *testing.T) {
	t.Parallel()
	s, list := parse(minimal + "consumes: {x.y.v1: {retry: {delays: [1s]}}}\nenvironments:\n  prod:\n    consumes: {x.y.v1: {retry: {delays: [2s, 1s]}}}\n")
	if list != nil {
		t.Fatal(list)
	}
	if _, list := s.In("prod"); !told(list, diag.ContractRetryOrder, "slipway.yaml:7:46") {
		t.Errorf("got %v", list)
	}
	if _, list := s.In("Prod-1"); !hasCode(list, diag.ContractName) {
		t.Errorf("got %v, want %s", list, diag.ContractName)
	}
}

func TestTheHashIsOfTheContractAndItsSchemas(t *testing.T) {
	t.Parallel()
	text := minimal + "topics: {x.y.v1: {key: id, schema: {file: s.avsc}}}\nproduces: {x.y.v1: {}}\n"
	hash := func(dir string, files map[string]string) string {
		fsys := fstest.MapFS{}
		for name, data := range files {
			fsys[dir+name] = &fstest.MapFile{Data: []byte(data)}
		}
		s, list := contract.Parse(fsys, dir+"slipway.yaml")
		if list != nil {
			t.Fatal(list)
		}
		return s.Hash()
	}
	base := hash("", map[string]string{"slipway.yaml": text, "s.avsc": `"string"`})
	for name, tt := range map[string]struct {
		dir   string
		files map[string]string
		same  bool
	}{
		"elsewhere in an estate": {"services/a/", map[string]string{"slipway.yaml": text, "s.avsc": `"string"`}, true},
		"with other files":       {"", map[string]string{"slipway.yaml": text, "s.avsc": `"string"`, "main.go": "package main"}, true},
		"another schema":         {"", map[string]string{"slipway.yaml": text, "s.avsc": `"int"`}, false},
		"another contract":       {"", map[string]string{"slipway.yaml": text + "\n", "s.avsc": `"string"`}, false},
	} {
		if got := hash(tt.dir, tt.files); (got == base) != tt.same {
			t.Errorf("%s: %s, base %s", name, got, base)
		}
	}
}

func TestASchemasTextIsThatOfTheFileNextToTheContract(t *testing.T) {
	t.Parallel()
	s := fixture(t, "inventory")
	text, err := s.SchemaText(s.Consumes["orders.created.v1"].Schema)
	want, _ := os.ReadFile("testdata/estate/inventory/schemas/order-seen.avsc")
	if err != nil || text != string(want) {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := s.SchemaText(&contract.Schema{File: "../orders/schemas/created.avsc"}); err == nil {
		t.Error("a file that the contract does not name was read")
	}
}
