package kustomize

import (
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// Where what is mounted is found. All of it is mounted as directories: a file that is
// mounted by itself (subPath) never changes.
const (
	kafkaDir    = "/etc/slipway/kafka"
	registryDir = "/etc/slipway/registry"
	settingsDir = "/etc/slipway/settings"
	configDir   = "/etc/slipway/config"
	dataDir     = "/var/lib/slipway"

	dataVolume = "data"
)

// A mount is a volume and where it is.
type mount struct {
	name, dir string
	from      string
	source    manifest.Entry // the zero value of a claim
	writable  bool
}

// mounted are the volumes of the pod, sorted by how they matter.
func (s *site) mounted() []mount {
	all := []mount{{name: "config", dir: configDir, source: configMap(s.svc.Name + "-config"), from: "settings, which the service follows while it runs"}}
	if !s.injected() {
		all = append(all, mount{name: "kafka", dir: kafkaDir, source: secret(s.svc.Name+"-kafka", false), from: s.at("identity/auth") + ": " + kafkaKeys(s.svc)})
		if s.registryAuth() == "basic" {
			all = append(all, mount{name: "registry", dir: registryDir, source: secret(s.svc.Name+"-registry", false), from: "user and password for the schema registry"})
		}
	}
	if name := s.secretSetting(); name != "" {
		all = append(all, mount{name: "settings", dir: settingsDir, source: secret(s.svc.Name+"-settings", true), from: s.at("config/"+name) + ": a file for each secret setting. Optional: they may come from elsewhere"})
	}
	if manifest.Volume(s.svc) > 0 {
		all = append(all, mount{name: dataVolume, dir: dataDir, writable: true, from: s.why()})
	}
	return append(all, mount{name: "tmp", dir: "/tmp", writable: true, source: manifest.E("emptyDir", manifest.Map{manifest.E("sizeLimit", "64Mi")}), from: "the root filesystem is read-only"})
}

// injected reports whether the Vault agent writes the credentials into the pod, where
// Secrets are mounted otherwise: see target vault.
func (s *site) injected() bool {
	return s.env != nil && s.env.platform.Credentials.From == contract.FromVault
}

func kafkaKeys(svc *contract.Service) string {
	if svc.Auth == contract.MTLS {
		return "tls.crt, tls.key, ca.crt"
	}
	return "password, ca.crt"
}

// secretSetting is the first of the service's own settings that is secret, or empty.
func (s *site) secretSetting() string {
	first := ""
	for name, setting := range s.svc.Config {
		if setting.Secret && (first == "" || strings.Compare(name, first) < 0) {
			first = name
		}
	}
	return first
}

// registryAuth is how the service logs in to the schema registry; empty if there is
// none.
func (s *site) registryAuth() string {
	if s.env == nil {
		return ""
	}
	known := s.env.Cluster(s.cluster())
	if known == nil || known.Registry == nil {
		return ""
	}
	return known.Registry.Auth
}

func (s *site) mounts() []manifest.Map {
	var all []manifest.Map
	for _, m := range s.mounted() {
		all = append(all, manifest.Map{
			manifest.E("name", m.name),
			manifest.E("mountPath", m.dir).From("%s", m.from),
			manifest.If(!m.writable, manifest.E("readOnly", true)),
		})
	}
	return all
}

func (s *site) volumes() []manifest.Map {
	var all []manifest.Map
	for _, m := range s.mounted() {
		if m.source.Key != "" {
			all = append(all, manifest.Map{manifest.E("name", m.name), m.source})
		}
	}
	return all
}

func configMap(name string) manifest.Entry {
	return manifest.E("configMap", manifest.Map{manifest.E("name", name)})
}

// readable is the mode of secret files: for the user and group of the pod alone.
const readable = 0o440

func secret(name string, optional bool) manifest.Entry {
	return manifest.E("secret", manifest.Map{
		manifest.E("secretName", name),
		manifest.E("defaultMode", readable).From("0440"),
		manifest.If(optional, manifest.E("optional", true)),
	})
}
