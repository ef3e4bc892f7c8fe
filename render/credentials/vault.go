package credentials

import (
	"fmt"
	"strconv"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// Vault renders what has the Vault agent injector put an agent into the pods of
// services, which writes their credentials where the service reads them, for as long
// as the pod lives.
func Vault() render.Target {
	return render.Target{Name: "vault", Summary: "annotations by which the Vault agent writes credentials into pods", Render: vault}
}

const vaultText = `The Vault agent logs in with a token of the pod's service account, which only the
agent can read and whose audience is ` + "`vault`" + `, and writes each key of an entry into a
file of that name, in memory. It goes on while the pod lives, and a service takes over
what has changed without a restart. Both versions of the key-value store will do.

Each role is bound to the service account of the service's name in namespace
%s with audience vault, and its policy allows ` + "`read`" + ` on the paths of that service.`

const (
	tokenVolume = "vault-token"
	audience    = "vault"

	// nonroot is the user that the pods of services run as. The agent runs as the same
	// one, so that nobody else may read what it writes.
	nonroot = "65532"
)

func vault(in render.Input) ([]render.File, error) {
	e, err := read(in, contract.FromVault)
	if err != nil {
		return nil, err
	}
	if e.platform.Credentials.Peer == nil {
		return nil, diag.New(diag.RenderNoVault, "platform.%s.credentials.peer is missing", e.Env).
			At(e.Clusters.Position("platform/" + e.Env + "/credentials"))
	}
	for _, svc := range e.running() {
		e.injected(svc)
	}
	e.summary(fmt.Sprintf(vaultText, code(e.platform.Namespace)), "| service | role | path | keys | files below |")
	return e.files, nil
}

func (e *estate) injected(svc *contract.Service) {
	role := e.named(e.platform.Credentials.Role, svc)
	annotations := manifest.Map{
		annotation("agent-inject", "true"),
		annotation("agent-inject-containers", container),
		annotation("agent-pre-populate-only", "false").From("the agent stays, so that what is renewed reaches the files"),
		annotation("agent-init-first", "true"),
		annotation("agent-run-as-user", nonroot).From("as the service, and nobody else reads the files"),
		annotation("agent-run-as-group", nonroot),
		annotation("agent-service-account-token-volume-name", tokenVolume),
		annotation("role", role).From("%s", e.given("role")),
	}
	var settings bool
	for _, s := range e.needs(svc) {
		s = inSettings(s)
		settings = settings || s.dir == settingsDir
		for i, key := range s.keys {
			annotations = append(annotations, e.injection(svc, s, i, key)...)
		}
		e.row(svc.Name, code(role), code(e.path(svc, s)), code(s.keys...), code(s.dir))
	}
	spec := manifest.Map{
		manifest.E("automountServiceAccountToken", false).From("the agent has a token of its own, for Vault alone"),
	}
	if settings {
		spec = append(spec, manifest.E("containers", []manifest.Map{e.unmounted(svc)}))
	}
	spec = append(spec, manifest.E("volumes", e.volumes(svc)))
	head := "The agent of Vault in the pods of service " + svc.Name + "."
	e.component(svc, pods(svc, annotations, spec), head, map[string]manifest.Map{"networkpolicy.yaml": e.reach(svc)})
}

func annotation(name, value string) manifest.Entry {
	return manifest.E("vault.hashicorp.com/"+name, value)
}

// inSettings has what a service otherwise takes from a variable come from a file:
// database.url is the key of its configuration for DATABASE_URL.
func inSettings(s secret) secret {
	if s.dir == "" {
		s.dir = settingsDir
	}
	return s
}

// file is what a key of an entry is called on disk.
func file(s secret, key string) string {
	if s.name == "database" {
		return "database.url"
	}
	return key
}

// injection has the agent write a key of an entry into a file. For a password it
// writes the next one, too: the same, as long as there is none.
func (e *estate) injection(svc *contract.Service, s secret, n int, key string) manifest.Map {
	write := func(name, file, value string) manifest.Map {
		name = s.short + "-" + name
		return manifest.Map{
			annotation("agent-inject-secret-"+name, e.path(svc, s)).From("%s", s.why),
			annotation("agent-inject-template-"+name, template(e.path(svc, s), value)),
			annotation("agent-inject-file-"+name, file),
			annotation("agent-inject-perms-"+name, "0400"),
			annotation("secret-volume-path-"+name, s.dir),
		}
	}
	name := key
	if s.name == "settings" { // its keys may be longer than the name of an annotation
		name = strconv.Itoa(n)
	}
	all := write(name, file(s, key), fmt.Sprintf("index $entry %q", key))
	if key == "password" {
		all = append(all, write("password.next", "password.next", `or (index $entry "password.next") (index $entry "password")`)...)
	}
	return all
}

// template is one of the agent's that writes a value of an entry, and nothing if there
// is none. The second version of the key-value store has the entry one level further
// down.
func template(path, value string) string {
	return fmt.Sprintf("{{- with secret %q -}}{{- $entry := .Data -}}{{- with index .Data \"data\" -}}{{- $entry = . -}}{{- end -}}{{- with %s -}}{{ . }}{{- end -}}{{- end -}}", path, value)
}

// volumes adds the agent's token, and takes away the Secret of settings, whose place
// the agent's files take.
func (e *estate) volumes(svc *contract.Service) []manifest.Map {
	all := []manifest.Map{{
		manifest.E("name", tokenVolume),
		manifest.E("projected", manifest.Map{manifest.E("sources", []manifest.Map{{
			manifest.E("serviceAccountToken", manifest.Map{
				manifest.E("audience", audience), manifest.E("expirationSeconds", 3600), manifest.E("path", "token"),
			}),
		}})}),
	}}
	if len(secretSettings(svc)) > 0 {
		all = append(all, manifest.Map{manifest.E("name", settingsVolume), manifest.E("$patch", "delete")})
	}
	return all
}

// unmounted is the container of a service that reads settings from the agent's files.
func (e *estate) unmounted(svc *contract.Service) manifest.Map {
	env := []manifest.Map{{manifest.E("name", "SECRETS_PATH"), manifest.E("value", settingsDir)}}
	if manifest.DatabaseOf(svc) == manifest.ServerDatabase {
		env = append(env, manifest.Map{
			manifest.E("name", "DATABASE_URL").From("database.url in SECRETS_PATH takes its place"), manifest.E("$patch", "delete"),
		})
	}
	c := manifest.Map{manifest.E("name", container), manifest.E("env", env)}
	if len(secretSettings(svc)) > 0 {
		c = append(c, manifest.E("volumeMounts", []manifest.Map{{manifest.E("mountPath", settingsDir), manifest.E("$patch", "delete")}}))
	}
	return c
}

// reach lets the agent call Vault, beside what the service may call.
func (e *estate) reach(svc *contract.Service) manifest.Map {
	peer := e.platform.Credentials.Peer
	var open []manifest.Map
	for _, p := range manifest.VaultPorts(peer) {
		open = append(open, manifest.Map{manifest.E("protocol", "TCP"), manifest.E("port", p)})
	}
	return manifest.Object("networking.k8s.io/v1", "NetworkPolicy", svc.Name+"-vault", e.platform.Namespace, manifest.Labels(svc), manifest.E("spec", manifest.Map{
		manifest.E("podSelector", manifest.Map{manifest.E("matchLabels", manifest.Selector(svc))}),
		manifest.E("policyTypes", []string{"Egress"}),
		manifest.E("egress", []manifest.Map{{
			manifest.E("to", e.to(peer)).From("%s", e.given("peer")),
			manifest.E("ports", open),
		}}),
	}))
}

func (e *estate) to(peer *contract.Peer) []manifest.Map {
	var all []manifest.Map
	if peer.Namespace != "" || len(peer.Pods) > 0 {
		var m, labels manifest.Map
		if peer.Namespace != "" {
			m = append(m, manifest.E("namespaceSelector", manifest.Map{manifest.E("matchLabels", manifest.Map{manifest.E("kubernetes.io/metadata.name", peer.Namespace)})}))
		}
		for _, name := range sortedKeys(peer.Pods) {
			labels = append(labels, manifest.E(name, peer.Pods[name].Value))
		}
		if len(labels) > 0 {
			m = append(m, manifest.E("podSelector", manifest.Map{manifest.E("matchLabels", labels)}))
		}
		all = append(all, m)
	}
	for _, cidr := range peer.CIDRs {
		all = append(all, manifest.Map{manifest.E("ipBlock", manifest.Map{manifest.E("cidr", cidr)})})
	}
	return all
}
