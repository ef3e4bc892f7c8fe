package slipway

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is secret of one cluster is shown to another only where both have the
// same identity, or the same registry.
func TestAClusterInheritsNoHalfOfAnIdentity(t *testing.T) {
	t.Parallel()
	home := Environment{
		Name: "dev", BootstrapServers: "home:1", CAFile: "ca", CertFile: "cert", KeyFile: "key", RegistryURL: "https://home", RegistryAuthFile: "auth",
		TopicPrefix: "dev.", SpillDir: "/spill",
	}
	like := func(change func(*Environment)) Environment {
		e := home
		e.BootstrapServers, e.TopicPrefix = "there:1", ""
		change(&e)
		return e
	}
	for name, tt := range map[string]struct {
		cluster Cluster
		want    Environment
	}{
		"addresses alone": {Cluster{BootstrapServers: "there:1"}, like(func(*Environment) {})},
		"a prefix":        {Cluster{BootstrapServers: "there:1", TopicPrefix: "eu."}, like(func(e *Environment) { e.TopicPrefix = "eu." })},
		"an authority":    {Cluster{BootstrapServers: "there:1", CAFile: "other"}, like(func(e *Environment) { e.CAFile = "other" })},
		"a password":      {Cluster{BootstrapServers: "there:1", PasswordFile: "pw"}, like(func(e *Environment) { e.CertFile, e.KeyFile, e.PasswordFile = "", "", "pw" })},
		"a registry":      {Cluster{BootstrapServers: "there:1", RegistryURL: "https://there"}, like(func(e *Environment) { e.RegistryURL, e.RegistryAuthFile = "https://there", "" })},
		"another reader":  {Cluster{BootstrapServers: "there:1", RegistryAuthFile: "mine"}, like(func(e *Environment) { e.RegistryAuthFile = "mine" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := home
			e.Clusters = map[string]Cluster{"there": tt.cluster}
			got := e.at("there")
			got.Clusters = nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("at() (-want +got)\n%s", diff)
			}
		})
	}
}
