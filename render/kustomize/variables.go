package kustomize

import (
	"fmt"
	"maps"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

const (
	variablesFile = "variables.env"
	commonFile    = "common.yaml" // of the configuration of all environments

	variablesHead = `# The variables of %s in %s, as docs/reference/configuration.md explains them.
# A running process never sees a change of a variable. So the ConfigMap that is made
# of this file has a new name after each change, and the pods are replaced.
`
	configHead = "# Nothing differs in %s from what the image holds.\n"
)

// variables writes the variables of the service, and none that is secret.
func (s *site) variables(dir string) render.File {
	var b strings.Builder
	fmt.Fprintf(&b, variablesHead, s.svc.Name, s.env.Env)
	set := func(name, value, from string) {
		if value != "" {
			fmt.Fprintf(&b, "\n# %s\n%s=%s\n", from, name, value)
		}
	}
	set("ENVIRONMENT", s.env.Env, "the overlay")
	set("ACL_PRINCIPAL", s.svc.Principal(), "who the service is; it is asserted, and chooses nothing")
	all := s.connections()
	if all[0].Alias != contract.DefaultAlias {
		s.identity(all[0], set) // no service starts without one
	}
	for _, c := range all {
		s.kafkaVariables(c, set)
	}
	s.stateVariables(set)
	set("CONFIG_PATH", configDir, "mounted; its files are laid over those of the image")
	if name := s.secretSetting(); name != "" {
		set("SECRETS_PATH", settingsDir, "mounted; "+s.at("config/"+name))
	}
	if name, port := s.health(); s.svc.Workload.HTTP == 0 {
		set("HEALTH_ADDRESS", fmt.Sprintf("0.0.0.0:%d", port), "the port "+name+", because there is no workload.http")
	}
	if s.configured("log", "format") == nil {
		set("LOG_FORMAT", "json", "a collector reads the container's log")
	}
	s.telemetryVariables(set)
	return render.File{Path: dir + variablesFile, Content: []byte(b.String())}
}

type setter func(name, value, from string)

// kafkaVariables say where a cluster is and who the service is to it. Those of the
// default cluster are bare, and others have its alias before them. What others have is
// said though it may be the same: what is not said would be the default cluster's.
func (s *site) kafkaVariables(c manifest.Connection, to setter) {
	set := func(name, value, from string) { to(c.Variable(name), value, from) }
	at := func(element string) string { return manifest.AtClusters(s.env.Clusters, element) }
	name := "clusters/" + c.Cluster.Name
	set("BOOTSTRAP_SERVERS", c.Bootstrap, at(name+"/bootstrap/"+listener(s.svc.AuthOn(c.Cluster.Name))))
	s.identity(c, set)
	set("TOPIC_PREFIX", c.Prefix, at("environments/"+s.env.Env+"/"+c.Alias+"/topicPrefix"))
	if reg := c.Cluster.Registry; reg != nil {
		set("SCHEMA_REGISTRY_URL", reg.URL, at(name+"/registry"))
		if reg.Auth == basic {
			set("SCHEMA_REGISTRY_AUTH_PATH", c.Dir(registry)+"/auth", "mounted; "+at(name+"/registry/auth"))
		}
	}
}

// identity says who the service is to a cluster, and by what it knows the brokers.
func (s *site) identity(c manifest.Connection, set setter) {
	dir, from := c.Dir(kafka), "mounted; "+s.at("identity/auth")
	set("TLS_CA_PATH", dir+"/ca.crt", "mounted")
	if s.svc.AuthOn(c.Cluster.Name) == contract.MTLS {
		set("TLS_CERT_PATH", dir+"/tls.crt", from)
		set("TLS_KEY_PATH", dir+"/tls.key", from)
	} else {
		set("SASL_PASSWORD_PATH", dir+"/password", from)
	}
}

// listener is the key of the address at which a service proves who it is.
func listener(auth contract.Auth) string {
	switch auth {
	case contract.MTLS:
		return "mtls"
	case contract.Plain:
		return "plain"
	default:
		return "scram"
	}
}

// stateVariables say where the service keeps what it has to keep.
func (s *site) stateVariables(set setter) {
	if manifest.DatabaseOf(s.svc) == manifest.FileDatabase {
		set("DATABASE_URL", "sqlite:"+dataDir+"/"+s.svc.Name+".db", "a file on the instance's volume: no workload.egress."+manifest.DatabaseEgress+" leads to a server")
	}
	if spills := manifest.Spills(s.svc); len(spills) > 0 {
		set("SPILL_PATH", dataDir+"/spill", s.at("produces/"+spills[0].Topic+"/away")+": on the instance's volume")
	}
}

// telemetryVariables say where traces go. Metrics are scraped.
func (s *site) telemetryVariables(set setter) {
	t := s.env.platform.Telemetry
	if t == nil {
		return
	}
	protocol := "http/protobuf"
	if portOf(t.Endpoint) == otlpGRPC {
		protocol = "grpc"
	}
	set("OTEL_EXPORTER_OTLP_ENDPOINT", t.Endpoint, s.platformAt("telemetry/endpoint"))
	set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "what collectors speak at that port")
}

// otlpGRPC is the port at which collectors speak gRPC.
const otlpGRPC = 4317

// config copies the configuration files of the environment into the overlay:
// kustomize takes no file from outside of it. One for the environment has to be there.
func (s *site) config(dir string) []render.File {
	files := maps.Collect(s.svc.ConfigFiles())
	own := s.env.Env + ".yaml"
	if _, found := files[own]; !found {
		files[own] = fmt.Sprintf(configHead, s.env.Env)
	}
	var all []render.File
	for _, name := range []string{commonFile, own} {
		if text, found := files[name]; found {
			all = append(all, render.File{Path: dir + "config/" + name, Content: []byte(text)})
		}
	}
	return all
}
