package kustomize

import (
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// Where what is mounted is found. All of it is mounted as directories: a file that is
// mounted by itself (subPath) never changes.
const (
	settingsDir = "/etc/slipway/settings"
	configDir   = "/etc/slipway/config"
	dataDir     = "/var/lib/slipway"

	dataVolume = "data"
)

// What a Kafka cluster has Secrets for; see [manifest.Connection].
const (
	kafka    = "kafka"
	registry = "registry"

	basic = "basic" // how a registry asks for a password
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
		all = append(all, s.credentials()...)
	}
	if name := s.secretSetting(); name != "" {
		all = append(all, mount{name: "settings", dir: settingsDir, source: secret(s.svc.Name+"-settings", true), from: s.at("config/"+name) + ": a file for each secret setting. Optional: they may come from elsewhere"})
	}
	if manifest.Volume(s.svc) > 0 {
		all = append(all, mount{name: dataVolume, dir: dataDir, writable: true, from: s.why()})
	}
	return append(all, mount{name: "tmp", dir: "/tmp", writable: true, source: manifest.E("emptyDir", manifest.Map{manifest.E("sizeLimit", "64Mi")}), from: "the root filesystem is read-only"})
}

// credentials are those for each cluster and its registry.
func (s *site) credentials() []mount {
	var all []mount
	for _, c := range s.logins() {
		of := ""
		if c.Alias != contract.DefaultAlias {
			of = " of cluster " + c.Alias
		}
		add := func(thing, from string) {
			all = append(all, mount{name: c.Named(thing), dir: c.Dir(thing), source: secret(s.svc.Name+"-"+c.Named(thing), false), from: from + of})
		}
		add(kafka, s.at("identity/auth")+": "+kafkaKeys(s.svc))
		if reg := c.Cluster.Registry; reg != nil && reg.Auth == basic {
			add(registry, "user and password for the schema registry")
		}
	}
	return all
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
