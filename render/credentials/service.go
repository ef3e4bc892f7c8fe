package credentials

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// Where a service reads its credentials, and what the manifests that run it call the
// volumes.
const (
	container = "service"

	settingsVolume, settingsDir = "settings", "/etc/slipway/settings"
)

// A secret is what a service must be given: a Secret of Kubernetes, or files.
type secret struct {
	name  string // after the service's name and a hyphen, and in the store below its path
	short string // has no alias in it, whose length nobody knows
	dir   string // where it is mounted; empty for a variable
	keys  []string
	why   string // where it follows from

	cluster     *contract.Cluster // that it logs in to; nil for other secrets
	certificate bool              // it logs in by one
}

// An estate is one environment, as this package looks at it.
type estate struct {
	*contract.Resolved
	platform *contract.Platform

	files  []render.File
	rows   []string // of the summary
	faults diag.List
}

// read resolves the environment, whose credentials must come from the source that
// the target is of.
func read(in render.Input, from contract.CredentialSource) (*estate, error) {
	r, err := in.Resolve()
	if err != nil {
		return nil, err
	}
	e := &estate{Resolved: r, platform: r.Clusters.Platform(r.Env)}
	if is := e.platform.Credentials.From; is != from {
		return nil, diag.New(diag.RenderCredentialSource, "platform.%s.credentials.from is %s, and this target is of %s", r.Env, is, from).
			At(r.Clusters.Position("platform/"+r.Env+"/credentials/from")).
			WithFix("write platform: {%s: {credentials: %s}} in %s, or render the target of %s", r.Env, example(from), contract.ClustersFile, is)
	}
	return e, nil
}

// example is what the platform says of credentials from a source.
func example(from contract.CredentialSource) string {
	switch from {
	case contract.FromCertManager:
		return "{from: cert-manager, issuer: ClusterIssuer/kafka-clients}"
	case contract.FromExternalSecrets:
		return "{from: external-secrets, store: ClusterSecretStore/vault}"
	default:
		return fmt.Sprintf("{from: %s, peer: {namespace: vault}}", from)
	}
}

// running are the services that have a workload, and so pods.
func (e *estate) running() []*contract.Service {
	return slices.DeleteFunc(slices.Clone(e.Services), func(s *contract.Service) bool { return s.Workload == nil })
}

// needs are the credentials of a service: for each Kafka cluster and its registry, and
// its own.
func (e *estate) needs(svc *contract.Service) []secret {
	var all []secret
	for i, c := range manifest.Logins(e.Resolved, svc) {
		all = append(all, e.login(svc, c, i))
		if reg := c.Cluster.Registry; reg != nil && reg.Auth == "basic" {
			all = append(all, secret{
				name: c.Named("registry"), short: numbered("registry", i), dir: c.Dir("registry"), keys: []string{"auth"},
				why: e.at("clusters/" + c.Cluster.Name + "/registry/auth"),
			})
		}
	}
	if manifest.DatabaseOf(svc) == manifest.ServerDatabase {
		all = append(all, secret{name: "database", short: "database", keys: []string{"url"}, why: manifest.At(svc, "workload/egress/"+manifest.DatabaseEgress)})
	}
	if names := secretSettings(svc); len(names) > 0 {
		all = append(all, secret{name: "settings", short: "settings", dir: settingsDir, keys: names, why: manifest.At(svc, "config/"+names[0])})
	}
	return all
}

// login is by what a service logs in to a cluster, of which it is the nth.
func (e *estate) login(svc *contract.Service, c manifest.Connection, n int) secret {
	s := secret{
		name: c.Named("kafka"), short: numbered("kafka", n), dir: c.Dir("kafka"), keys: []string{"password"},
		why: manifest.At(svc, "identity/auth"), cluster: c.Cluster,
	}
	if svc.AuthOn(c.Cluster.Name) == contract.MTLS {
		s.certificate, s.keys = true, []string{"tls.crt", "tls.key"}
	}
	s.keys = append(s.keys, "ca.crt")
	return s
}

func numbered(thing string, n int) string {
	if n == 0 {
		return thing
	}
	return thing + "-" + strconv.Itoa(n+1)
}

// secretSettings are the service's own settings that are secret, sorted.
func secretSettings(svc *contract.Service) []string {
	var names []string
	for _, name := range sortedKeys(svc.Config) {
		if svc.Config[name].Secret {
			names = append(names, name)
		}
	}
	return names
}

// at is the place of an element of clusters.yaml.
func (e *estate) at(element string) string { return manifest.AtClusters(e.Clusters, element) }

// given is the place of what the platform says of credentials.
func (e *estate) given(key string) string {
	return e.at("platform/" + e.Env + "/credentials/" + key)
}

// named puts a service's names into a text of the platform's.
func (e *estate) named(text string, svc *contract.Service) string {
	return strings.NewReplacer("{service}", svc.Name, "{environment}", e.Env).Replace(text)
}

// path is where a secret is in the store.
func (e *estate) path(svc *contract.Service, s secret) string {
	return strings.TrimSuffix(e.named(e.platform.Credentials.Path, svc), "/") + "/" + s.name
}

// component adds a directory of a service's: objects by the names of their files, and
// what they change of the objects that run it.
func (e *estate) component(svc *contract.Service, patch *manifest.Map, head string, objects map[string]manifest.Map) {
	var names []string
	for _, name := range sortedKeys(objects) {
		names = append(names, name)
		e.files = append(e.files, manifest.File(svc.Name+"/"+name, head, objects[name]))
	}
	component := manifest.Map{manifest.E("apiVersion", "kustomize.config.k8s.io/v1alpha1"), manifest.E("kind", "Component")}
	if len(names) > 0 {
		component = append(component, manifest.E("resources", names))
	}
	if patch != nil {
		e.files = append(e.files, manifest.File(svc.Name+"/patch.yaml", head, *patch))
		component = append(component, manifest.E("patches", []manifest.Map{{
			manifest.E("target", manifest.Map{manifest.E("kind", manifest.Controller(svc)), manifest.E("name", svc.Name)}),
			manifest.E("path", "patch.yaml"),
		}}))
	}
	e.files = append(e.files, manifest.File(svc.Name+"/kustomization.yaml", "An overlay takes this in under components.", component))
}

// pods is a patch of what runs a service: annotations, and a part of the pods' spec.
func pods(svc *contract.Service, annotations, spec manifest.Map) *manifest.Map {
	template := manifest.Map{manifest.E("spec", spec)}
	if len(annotations) > 0 {
		template = append(manifest.Map{manifest.E("metadata", manifest.Map{manifest.E("annotations", annotations)})}, template...)
	}
	return &manifest.Map{
		manifest.E("apiVersion", "apps/v1"),
		manifest.E("kind", manifest.Controller(svc)),
		manifest.E("metadata", manifest.Map{manifest.E("name", svc.Name)}),
		manifest.E("spec", manifest.Map{manifest.E("template", template)}),
	}
}

// summary is the table of who gets what, for whoever fills the store.
func (e *estate) summary(text, columns string) {
	if len(e.rows) == 0 {
		return
	}
	rule := strings.Repeat("|---", strings.Count(columns, "|")-1) + "|"
	e.files = append(e.files, render.File{Path: "README.md", Content: fmt.Appendf(nil, "# Credentials of environment %s\n\n%s\n\n%s\n%s\n%s\n",
		e.Env, text, columns, rule, strings.Join(e.rows, "\n"))})
}

// row is a line of the table.
func (e *estate) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", "\\|")
	}
	e.rows = append(e.rows, "| "+strings.Join(cells, " | ")+" |")
}

// code are words as Markdown shows code.
func code(words ...string) string {
	var all []string
	for _, w := range words {
		all = append(all, "`"+w+"`")
	}
	return strings.Join(all, " ")
}
