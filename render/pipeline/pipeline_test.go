package pipeline_test

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/pipeline"
	"github.com/slipway-go/slipway/render/rendertest"
)

var goldens = map[string]string{"minimal": "prod", "shop": "dev", "everything": "prod", "hostile": "no"}

func TestTheWorkflowsOfTheEstatesAreTheOnesThatWereReviewed(t *testing.T) {
	t.Parallel()
	for name, env := range goldens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := pipeline.Target().Files(render.Input{Estate: rendertest.Estate(t, name), Environment: env})
			if err != nil {
				t.Fatal(err)
			}
			rendertest.Golden(t, path.Join("testdata", name), files)
		})
	}
}

// service is an estate of one service, in a directory, with an image.
func service(dir, image, owner string) fstest.MapFS {
	return fstest.MapFS{
		path.Join(dir, contract.ServiceFile): {Data: fmt.Appendf(nil, "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: %q}\nworkload: {image: %q}\n", owner, image)},
		contract.ClustersFile: {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters: {kafka: {id: abc, bootstrap: {scram: "kafka:9093"}, ca: {file: ca.crt}, registry: {url: "https://r.example", auth: basic}}}
environments: {prod: {default: kafka}}
`)},
		"ca.crt": {},
	}
}

// A job is what these tests look at.
type job struct {
	If          string            `yaml:"if"`
	Env         map[string]string `yaml:"env"`
	Permissions map[string]string `yaml:"permissions"`
	Timeout     int               `yaml:"timeout-minutes"`
	Environment struct{ Name string }
	Steps       []step
}

type step struct {
	Uses, Run string
	Env       map[string]string
	With      map[string]any
}

type file struct {
	On          map[string]any `yaml:"on"`
	Permissions map[string]string
	Jobs        map[string]job
}

// workflows are those of an estate, by path.
func workflows(t testing.TB, estate *contract.Estate, env string) map[string]file {
	t.Helper()
	files, err := pipeline.Target().Files(render.Input{Estate: estate, Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]file)
	for _, f := range files {
		var w file
		if err := yaml.Unmarshal(f.Content, &w); err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		all[f.Path] = w
	}
	return all
}

// A GitHub environment has one password for a registry, which no other registry may see.
func TestEachClusterIsPlannedWithALoginOfItsOwn(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]map[string]string{
		"prod": {"plan-kafka-prod": "prod-plan", "plan-kafka-analytics": "prod-plan-kafka-analytics"},
		"dev":  {"plan-kafka-dev": "dev-plan"},
	} {
		got := map[string]string{}
		for id, j := range workflows(t, rendertest.Estate(t, "several"), env)[".github/workflows/_slipway.yaml"].Jobs {
			if strings.HasPrefix(id, "plan-") {
				got[id] = j.Environment.Name
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("GitHub environments of %s (-want +got):\n%s", env, diff)
		}
	}
}

var pinned = regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)

func TestAJobHasNoRightThatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	for name, env := range goldens {
		for at, w := range workflows(t, rendertest.Estate(t, name), env) {
			if diff := cmp.Diff(map[string]string{"contents": "read"}, w.Permissions); diff != "" {
				t.Errorf("%s: permissions (-want +got):\n%s", at, diff)
			}
			if _, found := w.On["pull_request_target"]; found {
				t.Errorf("%s runs code from elsewhere with the repository's secrets", at)
			}
			for id, j := range w.Jobs {
				check(t, at+" "+id, j)
			}
		}
	}
}

func check(t *testing.T, at string, j job) {
	t.Helper()
	if j.Timeout == 0 {
		t.Errorf("%s has no timeout", at)
	}
	if j.Permissions["id-token"] != "" && !strings.Contains(j.If, "github.event_name == 'push'") {
		t.Errorf("%s has an identity in a pull request", at)
	}
	for _, s := range j.Steps {
		if s.Uses != "" && !pinned.MatchString(s.Uses) {
			t.Errorf("%s uses %s, which is not pinned", at, s.Uses)
		}
		if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
			t.Errorf("%s leaves the token in the checkout", at)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s fills something into a script: %s", at, s.Run)
		}
		for name, value := range s.Env {
			if strings.Contains(value, "secrets.") && !strings.Contains(j.If, "'push'") && !strings.Contains(j.If, "head.repo.full_name == github.repository") {
				t.Errorf("%s gives %s to code from elsewhere", at, name)
			}
		}
	}
}

// scripts are all that a shell is given.
func scripts(all map[string]file) []string {
	var lines []string
	for _, w := range all {
		for _, j := range w.Jobs {
			for _, s := range j.Steps {
				lines = append(lines, s.Run)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func TestNothingThatAContractSaysIsRun(t *testing.T) {
	t.Parallel()
	want := scripts(workflows(t, rendertest.Load(t, service("orders", "registry.example.com/orders", "team")), "prod"))
	rapid.Check(t, func(rt *rapid.T) {
		image := rapid.StringMatching("[a-z./:@;&|`'\"#*~!$-]{1,20}").Draw(rt, "image")
		if strings.Contains(image, "$(") || strings.Contains(image, "${") {
			rt.Skip("a contract refuses it")
		}
		dir := rapid.StringMatching("[a-z;&|`'\"#~$-]{1,10}").Draw(rt, "directory")
		owner := rapid.StringMatching("[a-z;&|`'#: ]{0,10}x").Draw(rt, "owner")
		estate, problems := contract.Load(service(dir, "registry.example.com/"+image, owner), ".")
		if problems.Failed() {
			rt.Skip(problems)
		}
		if diff := cmp.Diff(want, scripts(workflows(t, estate, "prod"))); diff != "" {
			rt.Fatalf("the scripts (-of another service +of this one):\n%s", diff)
		}
	})
}

func TestADirectoryThatGitHubWouldFillInIsRefused(t *testing.T) {
	t.Parallel()
	estate := rendertest.Load(t, service("${{ github.token }}", "registry.example.com/orders", "team"))
	_, err := pipeline.Target().Files(render.Input{Estate: estate, Environment: "prod"})
	if !errors.Is(err, diag.PipelineDirectory) {
		t.Errorf("error %v, want %s", err, diag.PipelineDirectory)
	}
}

func TestAnImageGoesToItsRegistryUnderTheVersionThatWasBuilt(t *testing.T) {
	t.Parallel()
	for image, want := range map[string][2]string{
		"registry.example.com/shop/orders":           {"registry.example.com/shop/orders", "registry.example.com"},
		"registry.example.com:5000/orders:v1":        {"registry.example.com:5000/orders", "registry.example.com:5000"},
		"ghcr.io/shop/orders@sha256:0123":            {"ghcr.io/shop/orders", "ghcr.io"},
		"shop/orders:latest":                         {"shop/orders", "docker.io"},
		"localhost/orders:v1@sha256:0123456789abcde": {"localhost/orders", "localhost"},
	} {
		w := workflows(t, rendertest.Load(t, service("orders", image, "team")), "prod")[".github/workflows/orders.yaml"]
		j := w.Jobs["image"]
		i := slices.IndexFunc(j.Steps, func(s step) bool { return strings.Contains(s.Run, "docker login") })
		if i < 0 || j.Steps[i].Env["REGISTRY"] != want[1] {
			t.Errorf("%s: the login is to %v, want %s", image, j.Steps, want[1])
		}
		if j.Env["IMAGE"] != want[0] {
			t.Errorf("%s is pushed as %s, want %s", image, j.Env["IMAGE"], want[0])
		}
		if (j.Permissions["packages"] == "write") != (want[1] == "ghcr.io") {
			t.Errorf("%s: the rights are %v", image, j.Permissions)
		}
	}
}

func TestNoImageIsMadeOfAContractThatIsNotValidOrOfManifestsThatDiffer(t *testing.T) {
	t.Parallel()
	w := workflows(t, rendertest.Load(t, service("orders", "registry.example.com/orders", "team")), "prod")
	gate := steps(w[".github/workflows/_slipway.yaml"].Jobs["validate"])
	got := steps(w[".github/workflows/orders.yaml"].Jobs["image"])
	built := slices.IndexFunc(got, func(run string) bool { return strings.HasPrefix(run, "slipway image build") })
	if built < len(gate) {
		t.Fatalf("the image is built by step %d of\n%s", built, strings.Join(got, "\n"))
	}
	if diff := cmp.Diff(gate, got[:len(gate)]); diff != "" {
		t.Errorf("what comes before the image (-as the contracts are judged +got):\n%s", diff)
	}
}

// steps are the scripts of a job, in order.
func steps(j job) (scripts []string) {
	for _, s := range j.Steps {
		if s.Run != "" {
			scripts = append(scripts, s.Run)
		}
	}
	return scripts
}
