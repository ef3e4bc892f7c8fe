package contract_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

const withConnectors = minimal + `quotas: {produce: 10MiB/s, requests: 250%}
connectors:
  orders-sink:
    file: connectors/sink.json
    config: {tasks.max: 2, errors.tolerance: all}
  heartbeat:
    config: {connector.class: a.Heartbeat, enabled: true, version: 1.10}
environments:
  prod:
    quotas: {produce: 20MiB/s, requests: null}
    connectors:
      orders-sink: {config: {tasks.max: 8, errors.tolerance: null, batch.size: 500}}
`

const sinkFile = `{
  "connector.class": "a.Sink", "topics": "orders.created.v1",
  "tasks.max": 1, "flush.ms": 1e3, "verbose": false, "connection.password": "${file:/etc/secrets/db:password}"
}`

func connected(t *testing.T, files map[string]string) *contract.Service {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, list := contract.Parse(fsys, "slipway.yaml")
	if list != nil {
		t.Fatal(list)
	}
	return s
}

func config(t *testing.T, s *contract.Service, name string) map[string]string {
	t.Helper()
	got, err := s.ConnectorConfig(s.Connectors[name])
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestSettingsAreTheFileThenTheContractThenTheEnvironment takes values as they
// are written, numbers and booleans included.
func TestSettingsAreTheFileThenTheContractThenTheEnvironment(t *testing.T) {
	t.Parallel()
	s := connected(t, map[string]string{"slipway.yaml": withConnectors, "connectors/sink.json": sinkFile})
	dev, list := s.In("dev")
	if list != nil {
		t.Fatal(list)
	}
	want := map[string]string{
		"name": "svc-a-dev.orders-sink", "connector.class": "a.Sink", "topics": "orders.created.v1", "tasks.max": "2", "flush.ms": "1e3",
		"verbose": "false", "connection.password": "${file:/etc/secrets/db:password}", "errors.tolerance": "all",
	}
	if diff := cmp.Diff(want, config(t, dev, "orders-sink")); diff != "" {
		t.Errorf("dev (-want +got):\n%s", diff)
	}
	prod, list := s.In("prod")
	if list != nil {
		t.Fatal(list)
	}
	want["name"], want["tasks.max"], want["batch.size"] = "svc-a-prod.orders-sink", "8", "500"
	delete(want, "errors.tolerance")
	if diff := cmp.Diff(want, config(t, prod, "orders-sink")); diff != "" {
		t.Errorf("prod (-want +got):\n%s", diff)
	}
	want = map[string]string{"name": "svc-a-prod.heartbeat", "connector.class": "a.Heartbeat", "enabled": "true", "version": "1.10"}
	if diff := cmp.Diff(want, config(t, prod, "heartbeat")); diff != "" {
		t.Errorf("heartbeat (-want +got):\n%s", diff)
	}
	if *dev.Quotas != (contract.Quotas{Produce: 10 << 20, Requests: 250}) || *prod.Quotas != (contract.Quotas{Produce: 20 << 20}) {
		t.Errorf("quotas are %v in dev and %v in prod", dev.Quotas, prod.Quotas)
	}
	if text := dev.Quotas.String(); text != "produce 10MiB/s, requests 250%" {
		t.Errorf("quotas are told as %q", text)
	}
}

// TestAConnectorsFileIsPartOfTheContract changes the file and looks at the hash.
func TestAConnectorsFileIsPartOfTheContract(t *testing.T) {
	t.Parallel()
	one := connected(t, map[string]string{"slipway.yaml": withConnectors, "connectors/sink.json": sinkFile})
	two := connected(t, map[string]string{"slipway.yaml": withConnectors, "connectors/sink.json": strings.Replace(sinkFile, "orders.", "order.", 1)})
	if one.Hash() == two.Hash() {
		t.Error("two files have one hash")
	}
}

// TestWhatIsPostedToConnectIsTakenToo reads the form with the settings below
// config, and a name that is the connector's own.
func TestWhatIsPostedToConnectIsTakenToo(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"heartbeat", "svc-a-dev.heartbeat"} {
		s := connected(t, map[string]string{
			"slipway.yaml": minimal + "connectors: {heartbeat: {file: c.json}}\n",
			"c.json":       `{"name": "` + name + `", "config": {"connector.class": "a.Heartbeat"}}`,
		})
		in, list := s.In("dev")
		if list != nil {
			t.Fatal(list)
		}
		want := map[string]string{"name": "svc-a-dev.heartbeat", "connector.class": "a.Heartbeat"}
		if diff := cmp.Diff(want, config(t, in, "heartbeat")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, list := s.In("prod"); name != "heartbeat" && !hasCode(list, diag.ContractConnector) {
			t.Errorf("a name of dev in prod: %v, want %s", list, diag.ContractConnector)
		}
	}
}

// TestNoFaultRepeatsASecret looks for the canaries of the archive in what is
// told of it.
func TestNoFaultRepeatsASecret(t *testing.T) {
	t.Parallel()
	s, list := contract.Parse(fstest.MapFS{
		"slipway.yaml": {Data: []byte(minimal + "connectors: {s: {file: c.json, config: {connector.class: a.B, db.password: canary, x.token: [canary], name: other}}}\n")},
		"c.json":       {Data: []byte(`{"a.password": "canary", "b": {"password": "canary"}, "c.secret": "canary` + "\u202e" + `", "canary`)},
	}, "slipway.yaml")
	if s == nil || len(list) < 3 {
		t.Fatal(list)
	}
	if text := list.Text(); strings.Contains(text, "canary") {
		t.Errorf("a secret is told:\n%s", text)
	}
}

func TestALineWithASecretIsKnown(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		`config: {connector.class: a.B, db.password: x}`:         true,
		`  "connection.password": "x",`:                          true,
		`sasl.jaas.config: 'a.B required username="u" ;'`:        true,
		`url: jdbc:x://db?user=u&password=x`:                     true,
		`hosts: mongodb://u:x@db`:                                true,
		`{"aws.secret.access.key" : "x"}`:                        true,
		`consumes: {orders.created.v1: {retry: {delays: [1s]}}}`: false,
		`key: order_id`: false,
		`metadata: {name: secrets, owner: team-tokens}`: false,
	} {
		if got := contract.SecretLine(line); got != want {
			t.Errorf("%s: %t, want %t", line, got, want)
		}
	}
}

func TestConfigOfAConnectorWhoseFileIsGoneIsAnError(t *testing.T) {
	t.Parallel()
	s := &contract.Service{Name: "a", Env: "dev"}
	if got, err := s.ConnectorConfig(&contract.Connector{Name: "c", File: "gone.json"}); err == nil {
		t.Errorf("got %v", got)
	}
}

// FuzzConnectorFile holds the reading of a connector's file to: it ends, every
// fault has a place in the file, and what is taken has a name for each value.
func FuzzConnectorFile(f *testing.F) {
	for _, s := range []string{sinkFile, `{"name": "c", "config": {}}`, `{"a": {"b": [1, {"c": null}]}}`, `[`, `{"a": 1`, "\xff", `{"a": 1} {"b": 2}`, `{"a": 1, "a": 2}`, `{"config": {"config": {"config": 1}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, list := contract.Parse(fstest.MapFS{
			"slipway.yaml": {Data: []byte(minimal + "connectors: {c: {file: c.json}}\n")}, "c.json": {Data: data},
		}, "slipway.yaml")
		for _, d := range list {
			if d.Position.File == "" || d.Remedy() == "" || d.Position.Line > strings.Count(string(data), "\n")+len(minimal) {
				t.Errorf("incomplete: %#v", d)
			}
		}
		if list.Failed() {
			return
		}
		config, err := s.ConnectorConfig(s.Connectors["c"])
		if err != nil || slices.Contains(slices.Collect(maps.Keys(config)), "") {
			t.Errorf("got %v, %v", config, err)
		}
	})
}
