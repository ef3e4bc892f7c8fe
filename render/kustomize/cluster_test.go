package kustomize_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
	"github.com/slipway-go/slipway/render/rendertest"
)

// variables are those of a service in an environment.
func variables(t *testing.T, all map[string]string, service, env string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(all[service+"/overlays/"+env+"/variables.env"]) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			found[name] = value
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no variables in %s", service, env)
	}
	return found
}

// started reads an overlay as the service does when it starts: the contract that it is
// built with, the variables, the mounted configuration, and Secrets of settings.
func started(t *testing.T, all map[string]string, svc *contract.Service, env string, vars map[string]string) slipway.Environment {
	t.Helper()
	mounted := map[string]string{"CONFIG_PATH": t.TempDir(), "SECRETS_PATH": t.TempDir()}
	write := func(variable, name, text string) {
		if err := os.WriteFile(filepath.Join(mounted[variable], name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"common.yaml", env + ".yaml"} {
		if text, found := all[svc.Name+"/overlays/"+env+"/config/"+name]; found {
			write("CONFIG_PATH", name, text)
		}
	}
	for name, setting := range svc.Config {
		if setting.Secret {
			write("SECRETS_PATH", name, "a secret")
		}
	}
	known := []string{"ENVIRONMENT", "CONFIG_PATH", "SECRETS_PATH", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"}
	for _, k := range config.KeysOf(svc) {
		known = append(known, k.Variables...)
	}
	var environ []string
	for name, value := range vars {
		if !slices.Contains(known, name) {
			t.Errorf("nobody reads the variable %s of %s in %s", name, svc.Name, env)
		}
		environ = append(environ, name+"="+cmp.Or(mounted[name], value))
	}
	loader, err := config.New(config.Config{Contract: svc, Environ: environ})
	if err != nil {
		t.Fatalf("%s does not start in %s: %v", svc.Name, env, err)
	}
	values, err := loader.Load(t.Context())
	if err != nil {
		t.Fatalf("%s does not start in %s: %v", svc.Name, env, err)
	}
	if list := values.Warnings(); len(list) > 0 {
		t.Errorf("%s warns in %s: %v", svc.Name, env, list)
	}
	found, err := slipway.EnvironmentOf(env, values)
	if err != nil {
		t.Fatalf("%s does not start in %s: %v", svc.Name, env, err)
	}
	return found
}

// requireReached checks that a service that has started so reaches its clusters, each as
// who it is there, and is told nothing else.
func requireReached(t *testing.T, r *contract.Resolved, svc *contract.Service, env slipway.Environment) {
	t.Helper()
	if env.Principal != svc.Principal() {
		t.Errorf("%s is %s in %s, want %s", svc.Name, env.Principal, r.Env, svc.Principal())
	}
	if env.BootstrapServers != "" && !slices.Contains(svc.Clusters(), contract.DefaultAlias) {
		t.Errorf("%s is told in %s where the default cluster is, and has nothing there", svc.Name, r.Env)
	}
	for _, alias := range svc.Clusters() {
		at, cluster := env.At(alias), r.ClusterName(alias)
		type reached struct{ Bootstrap, Prefix, Registry string }
		want := reached{manifest.Bootstrap(r, svc, cluster), r.Bindings[alias].TopicPrefix, ""}
		auth := ""
		if reg := r.Cluster(cluster).Registry; reg != nil {
			want.Registry, auth = reg.URL, reg.Auth
		}
		if diff := gocmp.Diff(want, reached{at.BootstrapServers, at.TopicPrefix, at.RegistryURL}); diff != "" || want.Bootstrap == "" {
			t.Errorf("%s finds cluster %s in %s (-want +found):\n%s", svc.Name, alias, r.Env, diff)
		}
		mtls := svc.AuthOn(cluster) == contract.MTLS
		if mtls != (at.CertFile != "" && at.KeyFile != "") || mtls == (at.PasswordFile != "") || at.CAFile == "" {
			t.Errorf("%s logs in to %s by %s in %s with %q and %q", svc.Name, alias, svc.AuthOn(cluster), r.Env, at.CertFile, at.PasswordFile)
		}
		if (auth == "basic") != (at.RegistryAuthFile != "") {
			t.Errorf("%s logs in to the registry of %s in %s with %q", svc.Name, alias, r.Env, at.RegistryAuthFile)
		}
	}
}

func TestAServiceStartsWithItsVariablesAndFindsEachOfItsClusters(t *testing.T) {
	t.Parallel()
	for estate, env := range map[string]string{"minimal": "prod", "shop": "prod", "everything": "prod", "hostile": "no", "several": "prod"} {
		t.Run(estate, func(t *testing.T) {
			t.Parallel()
			estate := rendertest.Estate(t, estate)
			all := rendered(t, estate, env)
			for env := range estate.Clusters.Platforms {
				r, problems := estate.In(env)
				if err := problems.Err(); err != nil {
					t.Fatal(err)
				}
				for i, svc := range r.Services {
					if svc.Workload != nil {
						requireReached(t, r, svc, started(t, all, estate.Services[i], env, variables(t, all, svc.Name, env)))
					}
				}
			}
		})
	}
}

// A user has one password on a cluster, whatever leads there.
func TestTwoAliasesOfOneClusterHaveOneSecret(t *testing.T) {
	t.Parallel()
	all := rendered(t, rendertest.Estate(t, "several"), "prod")
	vars := variables(t, all, "archive", "dev")
	if vars["CLUSTERS_ANALYTICS_TLS_KEY_PATH"] != vars["TLS_KEY_PATH"] || vars["TOPIC_PREFIX"] == vars["CLUSTERS_ANALYTICS_TOPIC_PREFIX"] {
		t.Errorf("archive has the variables %v", vars)
	}
	if base := all["archive/base/deployment.yaml"]; !strings.Contains(base, "secretName: archive-kafka-analytics") {
		t.Errorf("the base lacks the Secret that other environments have:\n%s", base)
	}
	if patch := all["archive/overlays/dev/patch-deployment.yaml"]; strings.Count(patch, "$patch: delete") != 2 {
		t.Errorf("dev keeps a volume or a mount that nothing needs there:\n%s", patch)
	}
}
