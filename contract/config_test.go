package contract_test

import (
	"maps"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
)

func TestAnEstateKnowsTheConfigurationBesideItsContracts(t *testing.T) {
	t.Parallel()
	estate, problems := contract.Load(fstest.MapFS{
		"a/slipway.yaml":       {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: a, owner: o}\nenvironments: {dev: {workload: {cpu: 1}}}\nworkload: {}\n")},
		"a/config/common.yaml": {Data: []byte("log: {level: warn}\n")},
		"a/config/dev.yaml":    {Data: []byte("# nothing\n")},
		"a/config/config.go":   {Data: []byte("package config\n")},
		"b/slipway.yaml":       {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: b, owner: o}\n")},
	}, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	resolved, problems := estate.In("dev")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"common.yaml": "log: {level: warn}\n", "dev.yaml": "# nothing\n"}
	if diff := cmp.Diff(want, maps.Collect(resolved.Service("a").ConfigFiles())); diff != "" {
		t.Errorf("a (-want +got):\n%s", diff)
	}
	if got := maps.Collect(resolved.Service("b").ConfigFiles()); len(got) != 0 {
		t.Errorf("b has %v", got)
	}
}
