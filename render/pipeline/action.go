package pipeline

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/render/manifest"
)

// An action is one that workflows use, at the commit of a release.
type action struct{ name, commit, release string }

var (
	checkout       = action{"actions/checkout", "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"}
	setupGo        = action{"actions/setup-go", "b7ad1dad31e06c5925ef5d2fc7ad053ef454303e", "v7.0.0"}
	uploadArtifact = action{"actions/upload-artifact", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"}
	cosign         = action{"sigstore/cosign-installer", "6f9f17788090df1f26f669e9d70d6ae9567deba6", "v4.1.2"}
)

// The versions of what is run by go run.
const (
	goVersion   = "1.26"
	golangciAt  = "v2.15.0"
	vulncheckAt = "v1.8.0"
)

// uses is a step that runs the action.
func (a action) uses(with ...manifest.Entry) manifest.Map {
	step := manifest.Map{manifest.E("uses", a.name+"@"+a.commit).From("%s", a.release)}
	if len(with) > 0 {
		step = append(step, manifest.E("with", manifest.Map(with)))
	}
	return step
}

// run is a step that runs lines of a script.
func run(name string, lines ...string) manifest.Map {
	script := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: strings.Join(lines, "\n") + "\n"}
	return manifest.Map{manifest.E("name", name), manifest.E("run", script)}
}

// prepared are the first steps of every job: the sources with their history, from
// which versions are derived, and Go with what it has compiled before.
func prepared() []manifest.Map {
	return []manifest.Map{
		checkout.uses(manifest.E("fetch-depth", 0).From("versions are derived from tags"), manifest.E("persist-credentials", false)),
		setupGo.uses(manifest.E("go-version", goVersion), manifest.E("cache-dependency-path", "**/go.sum")),
	}
}

// slipway is a step that installs the command, as the version that the program in a
// directory links.
func slipway(dir string) manifest.Map {
	return append(run("Install slipway", `go install "github.com/slipway-go/slipway/cmd/slipway@$(go list -m -f '{{.Version}}' github.com/slipway-go/slipway)"`),
		manifest.E("working-directory", dir).From("the version that the program links"))
}

// job is one that may read the repository, and no more unless it says so.
func job(minutes int, entries ...manifest.Entry) manifest.Map {
	return append(manifest.Map{manifest.E("runs-on", "ubuntu-24.04"), manifest.E("timeout-minutes", minutes)}, entries...)
}

// workflow is a file of jobs, which a newer commit of the same pull request ends.
func workflow(name string, jobs manifest.Map) manifest.Map {
	return manifest.Map{
		manifest.E("name", name),
		manifest.E("on", manifest.Map{
			manifest.E("push", manifest.Map{manifest.E("branches", []string{"main"}), manifest.E("tags", []string{"v*"})}),
			manifest.E("pull_request", manifest.Map{}),
		}),
		manifest.E("permissions", manifest.Map{manifest.E("contents", "read")}),
		manifest.E("concurrency", manifest.Map{
			manifest.E("group", "${{ github.workflow }}-${{ github.ref }}"),
			manifest.E("cancel-in-progress", "${{ github.event_name == 'pull_request' }}"),
		}),
		manifest.E("defaults", manifest.Map{manifest.E("run", manifest.Map{manifest.E("shell", "bash")})}).From("which ends at the first command that fails, in a pipe too"),
		manifest.E("jobs", jobs),
	}
}
