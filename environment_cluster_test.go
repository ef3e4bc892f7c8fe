package slipway_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
)

// atClusters are values that the variables of a service with a cluster whose
// alias has a hyphen give.
func atClusters(t *testing.T, environ ...string) *config.Values {
	t.Helper()
	files := severalFiles()
	files["slipway.yaml"].Data = []byte(strings.ReplaceAll(string(files["slipway.yaml"].Data), "cluster: analytics", "cluster: eu-analytics"))
	svc, list := contract.Parse(files, "slipway.yaml")
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	loader, err := config.New(config.Config{Contract: svc, Files: files, Environ: append([]string{
		"ENVIRONMENT=dev", "BOOTSTRAP_SERVERS=kafka-0:9094", "TLS_CA_PATH=/ca.crt", "TOPIC_PREFIX=dev.", "SASL_PASSWORD_PATH=/password",
	}, environ...)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := loader.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if list := v.Warnings(); len(list) > 0 {
		t.Errorf("warnings: %v", list)
	}
	return v
}

func TestVariablesOfAClusterStandBehindItsAlias(t *testing.T) {
	t.Parallel()
	env, err := slipway.EnvironmentOf("dev", atClusters(t,
		"CLUSTERS_EU_ANALYTICS_BOOTSTRAP_SERVERS=a-0:9094,a-1:9094", "SLIPWAY_CLUSTERS_EU_ANALYTICS_TLS_CA_PATH=/a/ca.crt",
		"CLUSTERS_EU_ANALYTICS_TLS_CERT_PATH=/a/tls.crt", "CLUSTERS_EU_ANALYTICS_TLS_KEY_PATH=/a/tls.key",
		"CLUSTERS_EU_ANALYTICS_SCHEMA_REGISTRY_URL=https://registry.a", "CLUSTERS_EU_ANALYTICS_SCHEMA_REGISTRY_AUTH_PATH=/a/registry",
		"CLUSTERS_EU_ANALYTICS_TOPIC_PREFIX=eu.", "CLUSTERS_EU_ANALYTICS_SASL_PASSWORD_PATH=/a/password",
	))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]slipway.Cluster{"eu-analytics": {
		BootstrapServers: "a-0:9094,a-1:9094", CAFile: "/a/ca.crt", CertFile: "/a/tls.crt", KeyFile: "/a/tls.key", PasswordFile: "/a/password",
		RegistryURL: "https://registry.a", RegistryAuthFile: "/a/registry", TopicPrefix: "eu.",
	}}
	if diff := cmp.Diff(want, env.Clusters); diff != "" {
		t.Errorf("Clusters (-want +got)\n%s", diff)
	}
	if env.BootstrapServers != "kafka-0:9094" || env.CAFile != "/ca.crt" || env.CertFile != "" {
		t.Errorf("environment = %+v, want the default cluster as it was", env)
	}
}

func TestWhatIsMissingOfAClusterIsToldByItsVariables(t *testing.T) {
	t.Parallel()
	_, err := slipway.EnvironmentOf("dev", atClusters(t, "CLUSTERS_EU_ANALYTICS_TLS_CERT_PATH=/a/tls.crt"))
	for _, part := range []string{"CLUSTERS_EU_ANALYTICS_BOOTSTRAP_SERVERS is not set", "only one of CLUSTERS_EU_ANALYTICS_TLS_CERT_PATH and CLUSTERS_EU_ANALYTICS_TLS_KEY_PATH"} {
		if err == nil || !strings.Contains(told(err), part) {
			t.Errorf("EnvironmentOf() = %v, want %q in it", err, part)
		}
	}
}

func TestAServiceOnOtherClustersAloneNeedsNoDefaultOne(t *testing.T) {
	t.Parallel()
	vars := map[string]string{
		"ENVIRONMENT": "dev", "TLS_CA_PATH": "/ca.crt", "SASL_PASSWORD_PATH": "/password", "CLUSTERS_EU_ANALYTICS_BOOTSTRAP_SERVERS": "a-0:9094",
	}
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	if _, err := slipway.EnvironmentFrom(lookup, "eu-analytics"); err != nil {
		t.Errorf("EnvironmentFrom() = %v, want no fault: whether BOOTSTRAP_SERVERS is needed is the contract's to say", err)
	}
	if _, err := slipway.EnvironmentFrom(lookup); !strings.Contains(told(err), "BOOTSTRAP_SERVERS is not set") {
		t.Errorf("EnvironmentFrom() = %v, want it to miss BOOTSTRAP_SERVERS", err)
	}
}

// What is secret of one cluster is shown to another only where both have the
// same identity, or the same registry.
func TestAClusterInheritsNoHalfOfAnIdentity(t *testing.T) {
	t.Parallel()
	home := slipway.Environment{
		Name: "dev", BootstrapServers: "home:1", CAFile: "ca", CertFile: "cert", KeyFile: "key", RegistryURL: "https://home", RegistryAuthFile: "auth",
		TopicPrefix: "dev.", SpillDir: "/spill",
	}
	like := func(change func(*slipway.Environment)) slipway.Environment {
		e := home
		e.BootstrapServers, e.TopicPrefix = "there:1", ""
		change(&e)
		return e
	}
	for name, tt := range map[string]struct {
		cluster slipway.Cluster
		want    slipway.Environment
	}{
		"addresses alone": {slipway.Cluster{BootstrapServers: "there:1"}, like(func(*slipway.Environment) {})},
		"a prefix":        {slipway.Cluster{BootstrapServers: "there:1", TopicPrefix: "eu."}, like(func(e *slipway.Environment) { e.TopicPrefix = "eu." })},
		"an authority":    {slipway.Cluster{BootstrapServers: "there:1", CAFile: "other"}, like(func(e *slipway.Environment) { e.CAFile = "other" })},
		"a password":      {slipway.Cluster{BootstrapServers: "there:1", PasswordFile: "pw"}, like(func(e *slipway.Environment) { e.CertFile, e.KeyFile, e.PasswordFile = "", "", "pw" })},
		"a registry":      {slipway.Cluster{BootstrapServers: "there:1", RegistryURL: "https://there"}, like(func(e *slipway.Environment) { e.RegistryURL, e.RegistryAuthFile = "https://there", "" })},
		"another reader":  {slipway.Cluster{BootstrapServers: "there:1", RegistryAuthFile: "mine"}, like(func(e *slipway.Environment) { e.RegistryAuthFile = "mine" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := home
			e.Clusters = map[string]slipway.Cluster{"there": tt.cluster}
			got := e.At("there")
			got.Clusters = nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("At() (-want +got)\n%s", diff)
			}
		})
	}
}
