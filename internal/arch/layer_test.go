package arch_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers lists every package, lowest layer first. A package imports only
// packages of strictly lower layers, so neither a cycle nor a sideways import
// can appear, and each package can be read after those above it in this list.
var layers = [][]string{
	{"diag", "internal/frontier", "internal/lag", "internal/database", "internal/lane", "internal/proc", "internal/protect", "internal/secret", "slipwaytest/history"},
	{"contract", "internal/postgres", "internal/principal", "internal/record", "internal/secure"},
	{"schema", "acl", "pki", "internal/auth", "internal/parking", "internal/postgres/pgtest", "internal/spill", "config"},
	{"schema/avro", "schema/jsonvalue", "schema/proto", "internal/retrylog", "pki/inspect", "pki/keystore"},
	{"internal/kafka", "internal/connect", "internal/connect/connecttest", "internal/typegen", "pki/depot"},
	{".", "plan", "dlq", "group", "internal/compat"},
	{"outbox", "internal/embedded/registry", "internal/lagexport", "render", "telemetry"},
	{"outbox/pgxbox", "saga", "serve", "serve/profile", "serve/rpc", "internal/embedded", "render/manifest", "render/monitoring", "render/rendertest", "telemetry/otlp", "telemetry/prometheus"},
	{"slipwaytest", "internal/dev", "image", "render/argocd", "render/asyncapi", "render/autoscaling", "render/broker", "render/credentials", "render/istio", "render/kustomize", "render/pipeline", "render/strimzi"},
	{"internal/dev/devtest", "render/compose", "internal/up", "internal/scaffold", "internal/share", "internal/share/registrytest", "internal/importer"},
	{"internal/cli/view"},
	{"internal/cli"},
	{"internal/gen", "cmd/slipway"},
	{"internal/arch"},
}

// only names the packages that may import what nobody else may. Tests may
// import what they need, except where the list is empty: then nobody may.
var only = map[string][]string{
	"github.com/spf13/cobra":             {"internal/cli"},
	"github.com/spf13/pflag":             {"internal/cli"},
	"github.com/twmb/franz-go/pkg/kadm":  {"internal/kafka"},
	"github.com/twmb/franz-go/pkg/kfake": {"internal/embedded", "slipwaytest"},
	"github.com/twmb/avro":               {"schema/avro", "internal/compat", "internal/embedded/registry", "internal/typegen"},
	"cel.dev/cel-go":                     {"dlq"},
	"testing":                            {"slipwaytest", "internal/dev/devtest", "internal/postgres/pgtest", "render/rendertest"},
	"log":                                {},
	"io/ioutil":                          {},
	"math/rand":                          {},

	"github.com/opencontainers/image-spec/specs-go":    {"image", "internal/share"},
	"github.com/opencontainers/image-spec/specs-go/v1": {"image", "internal/share"},
	"oras.land/oras-go/v2/content":                     {"internal/share"},
	"oras.land/oras-go/v2/errdef":                      {"internal/share"},
	"oras.land/oras-go/v2/registry":                    {"internal/share"},
	"oras.land/oras-go/v2/registry/remote":             {"internal/share"},
	"oras.land/oras-go/v2/registry/remote/auth":        {"internal/share"},
	"oras.land/oras-go/v2/registry/remote/credentials": {"internal/share"},
	"oras.land/oras-go/v2/registry/remote/errcode":     {"internal/share"},
	"oras.land/oras-go/v2/registry/remote/retry":       {"internal/share"},
}

// within reports whether an import path is a prefix or lies below it.
func within(imp, prefix string) bool {
	return imp == prefix || strings.HasPrefix(imp, prefix+"/")
}

func TestAPackageImportsLowerLayersOnly(t *testing.T) {
	t.Parallel()
	layer := map[string]int{}
	for n, dirs := range layers {
		for _, dir := range dirs {
			if _, twice := layer[dir]; twice {
				t.Errorf("%s is in two layers", dir)
			}
			layer[dir] = n
		}
	}
	exists := map[string]bool{}
	for _, s := range tree(t) {
		if !s.product() {
			continue
		}
		own, ok := layer[s.dir()]
		if !ok && !exists[s.dir()] {
			t.Errorf("%s is in no layer: add it here and to docs/architecture.md", s.dir())
		}
		exists[s.dir()] = true
		for _, imp := range s.imports() {
			if !ok || !within(imp, module) {
				continue
			}
			target := path.Clean(strings.TrimPrefix(strings.TrimPrefix(imp, module), "/"))
			if n, known := layer[target]; known && n >= own {
				t.Errorf("%s imports %s, which is not in a lower layer", s.path, target)
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(layer)) {
		if !exists[dir] {
			t.Errorf("the layers list %s, which does not exist", dir)
		}
	}
}

func TestWhatFewMayImportOnlyTheyDo(t *testing.T) {
	t.Parallel()
	for _, s := range tree(t) {
		if s.ast == nil {
			continue
		}
		for _, imp := range s.imports() {
			dirs, restricted := only[imp]
			switch {
			case !restricted || slices.Contains(dirs, s.dir()):
			case len(dirs) == 0:
				t.Errorf("%s imports %s; nobody may", s.path, imp)
			case s.product():
				t.Errorf("%s imports %s; only %s may", s.path, imp, strings.Join(dirs, ", "))
			}
		}
	}
}

// A shop is a user's repository: what it cannot import, users cannot either.
func TestExamplesImportNothingInternal(t *testing.T) {
	t.Parallel()
	for _, s := range tree(t) {
		if s.ast == nil || !strings.HasPrefix(s.nested, "examples/") {
			continue
		}
		for _, imp := range s.imports() {
			if within(imp, module+"/internal") {
				t.Errorf("%s imports %s, as no user could", s.path, imp)
			}
		}
	}
}

func TestPackagesAreNamedForWhatTheyProvide(t *testing.T) {
	t.Parallel()
	vague := []string{"util", "utils", "common", "helper", "helpers", "types", "models", "misc", "base"}
	for _, s := range tree(t) {
		if s.ast != nil && slices.Contains(vague, s.ast.Name.Name) {
			t.Errorf("%s: a package named %s says nothing of what it provides", s.path, s.ast.Name.Name)
		}
	}
}
