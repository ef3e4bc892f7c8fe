package asyncapi_test

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/asyncapi"
	"github.com/slipway-go/slipway/render/rendertest"
)

// documents are those of an estate in an environment, by service.
func documents(t testing.TB, estate *contract.Estate, env string) []render.File {
	t.Helper()
	files, err := asyncapi.Target().Files(render.Input{Estate: estate, Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// goldens are the environments whose documents are read in review.
var goldens = map[string]string{"minimal": "prod", "shop": "prod", "everything": "staging", "hostile": "no"}

func TestTheDocumentsOfTheEstatesAreTheOnesThatWereReviewed(t *testing.T) {
	t.Parallel()
	for name, env := range goldens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rendertest.Golden(t, path.Join("testdata", name), documents(t, rendertest.Estate(t, name), env))
		})
	}
}

// Each topic is on the servers of its own cluster.
func TestAServiceOnTwoClustersHasTheServersOfBoth(t *testing.T) {
	t.Parallel()
	type reference struct {
		Ref string `yaml:"$ref"`
	}
	var doc struct {
		Servers map[string]struct {
			Host     string
			Bindings struct {
				Kafka struct {
					Registry string `yaml:"schemaRegistryUrl"`
				}
			}
		}
		Channels map[string]struct {
			Address string
			Servers []reference
		}
	}
	files := documents(t, rendertest.Estate(t, "several"), "prod")
	i := slices.IndexFunc(files, func(f render.File) bool { return path.Dir(f.Path) == "archive" })
	if err := yaml.Unmarshal(files[i].Content, &doc); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for id, server := range doc.Servers {
		got[id] = []string{server.Host, server.Bindings.Kafka.Registry}
	}
	for _, c := range doc.Channels {
		for _, server := range c.Servers {
			got[c.Address] = append(got[c.Address], server.Ref)
		}
	}
	others := []string{"#/servers/kafka-analytics", "#/servers/kafka-analytics-2"}
	want := map[string][]string{
		"kafka-prod":             {"events-kafka-bootstrap.kafka.svc:9093", "https://registry.kafka.svc"},
		"kafka-analytics":        {"kafka-0.analytics.example:9193", "https://registry.analytics.example:8443"},
		"kafka-analytics-2":      {"kafka-1.analytics.example:9193", "https://registry.analytics.example:8443"},
		"sales.made.v1":          {"#/servers/kafka-prod"},
		"shop.sales.archived.v1": others,
		"shop.audits.asked.v1":   others,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("servers, and those of each topic (-want +got):\n%s", diff)
	}
}

// returned reads a document back as a contract.
func returned(t testing.TB, f render.File) *contract.Service {
	t.Helper()
	draft, problems := asyncapi.Parse(f.Path, f.Content)
	if len(problems) > 0 {
		t.Fatalf("read %s: %v\n%s", f.Path, problems, f.Content)
	}
	if len(draft.Open) > 0 {
		t.Errorf("%s leaves open %v", f.Path, draft.Open)
	}
	files := fstest.MapFS{}
	for _, f := range draft.Files {
		files[f.Path] = &fstest.MapFile{Data: f.Content}
	}
	svc, problems := contract.Parse(files, contract.ServiceFile)
	if err := problems.Err(); err != nil {
		t.Fatalf("%s came back as a contract that is not valid: %v", f.Path, err)
	}
	return svc
}

// same compares what two contracts say, in every environment, and the files they
// name.
func same(t testing.TB, want, got *contract.Service) {
	t.Helper()
	unexported := cmpopts.IgnoreUnexported(contract.Service{})
	if diff := cmp.Diff(want, got, unexported); diff != "" {
		t.Errorf("%s (-written +returned):\n%s", want.Name, diff)
	}
	for _, env := range append(slices.Clone(want.Environments), "elsewhere") {
		a, _ := want.In(env)
		b, _ := got.In(env)
		if diff := cmp.Diff(a, b, unexported); diff != "" {
			t.Errorf("%s in %s (-written +returned):\n%s", want.Name, env, diff)
		}
	}
	a, b := maps.Collect(want.Files()), maps.Collect(got.Files())
	for name, content := range a {
		if b[name] != content && !sameJSON(content, b[name]) {
			t.Errorf("%s: the file %s came back as\n%q\nand was\n%q", want.Name, name, b[name], content)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%s: %d files came back, and there were %d", want.Name, len(b), len(a))
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && cmp.Equal(x, y)
}

func TestAContractComesBackFromItsDocumentInWhatEnvironmentItWasWritten(t *testing.T) {
	t.Parallel()
	for _, name := range rendertest.Estates() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			estate := rendertest.Estate(t, name)
			for env := range estate.Clusters.Environments {
				if testing.Short() && env != goldens[name] {
					continue
				}
				for _, f := range documents(t, estate, env) {
					same(t, byFile(t, estate, f), returned(t, f))
				}
			}
		})
	}
}

// byFile is the service that a document is about.
func byFile(t testing.TB, estate *contract.Estate, f render.File) *contract.Service {
	t.Helper()
	i := slices.IndexFunc(estate.Services, func(s *contract.Service) bool { return s.Name == path.Dir(f.Path) })
	if i < 0 {
		t.Fatalf("%s is about no service", f.Path)
	}
	return estate.Services[i]
}
