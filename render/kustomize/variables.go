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
	s.kafkaVariables(set)
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

// kafkaVariables say where the cluster is and who the service is to it.
func (s *site) kafkaVariables(set setter) {
	name := s.cluster()
	known := s.env.Cluster(name)
	auth := s.svc.AuthOn(name)
	set("BOOTSTRAP_SERVERS", manifest.Bootstrap(s.env.Resolved, s.svc, name),
		manifest.AtClusters(s.env.Clusters, "clusters/"+name+"/bootstrap/"+listener(auth)))
	set("TLS_CA_PATH", kafkaDir+"/ca.crt", "mounted")
	if auth == contract.MTLS {
		set("TLS_CERT_PATH", kafkaDir+"/tls.crt", "mounted; "+s.at("identity/auth"))
		set("TLS_KEY_PATH", kafkaDir+"/tls.key", "mounted; "+s.at("identity/auth"))
	} else {
		set("SASL_PASSWORD_PATH", kafkaDir+"/password", "mounted; "+s.at("identity/auth"))
	}
	set("ACL_PRINCIPAL", s.svc.Principal(), "who the service is; it is asserted, and chooses nothing")
	set("TOPIC_PREFIX", s.env.Bindings[s.aliases()[0]].TopicPrefix, manifest.AtClusters(s.env.Clusters, "environments/"+s.env.Env+"/"+s.aliases()[0]+"/topicPrefix"))
	if known.Registry != nil {
		set("SCHEMA_REGISTRY_URL", known.Registry.URL, manifest.AtClusters(s.env.Clusters, "clusters/"+name+"/registry"))
		if known.Registry.Auth == "basic" {
			set("SCHEMA_REGISTRY_AUTH_PATH", registryDir+"/auth", "mounted; "+manifest.AtClusters(s.env.Clusters, "clusters/"+name+"/registry/auth"))
		}
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
