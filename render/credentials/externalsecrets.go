package credentials

import (
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// ExternalSecrets renders what external-secrets makes the Secrets of services from.
func ExternalSecrets() render.Target {
	return render.Target{Name: "externalsecrets", Summary: "ExternalSecrets for the credentials of Kafka, registry and database", Render: externalSecrets}
}

// refresh is how often the store is asked, and so how long a rotated credential takes
// to arrive.
const refresh = "15m"

const externalSecretsText = `external-secrets copies entries of the store into Secrets, every 15 minutes. Each entry
holds the keys that the table names, under these names. For a password that is being
rotated it holds password.next beside them.`

func externalSecrets(in render.Input) ([]render.File, error) {
	e, err := read(in, contract.FromExternalSecrets)
	if err != nil {
		return nil, err
	}
	for _, svc := range e.running() {
		objects := map[string]manifest.Map{}
		for _, s := range e.needs(svc) {
			objects["externalsecret-"+s.name+".yaml"] = e.externalSecret(svc, s)
			e.row(svc.Name, code(e.path(svc, s)), code(s.keys...), code(svc.Name+"-"+s.name))
		}
		e.component(svc, nil, fmt.Sprintf("A credential of service %s, from the store.", svc.Name), objects)
	}
	e.summary(externalSecretsText, "| service | entry of the store | keys | Secret |")
	return e.files, nil
}

// externalSecret takes over an entry as it is, so that a key that comes for a while,
// as password.next does, needs no change here. A certificate without its key is
// refused by the type of the Secret.
func (e *estate) externalSecret(svc *contract.Service, s secret) manifest.Map {
	name := svc.Name + "-" + s.name
	kind, store, _ := strings.Cut(e.platform.Credentials.Store, "/")
	form := "Opaque"
	if s.certificate {
		form = "kubernetes.io/tls"
	}
	return manifest.Object("external-secrets.io/v1", "ExternalSecret", name, e.platform.Namespace, manifest.Labels(svc), manifest.E("spec", manifest.Map{
		manifest.E("refreshInterval", refresh),
		manifest.E("secretStoreRef", manifest.Map{manifest.E("kind", kind), manifest.E("name", store).From("%s", e.given("store"))}),
		manifest.E("target", manifest.Map{
			manifest.E("name", name),
			manifest.E("creationPolicy", "Owner"),
			manifest.E("deletionPolicy", "Retain").From("a store that is away, or emptied by mistake, takes no credential from what runs"),
			manifest.E("template", manifest.Map{
				manifest.E("type", form).From("%s", s.why),
				manifest.E("metadata", manifest.Map{manifest.E("labels", manifest.Labels(svc))}),
			}),
		}),
		manifest.E("dataFrom", []manifest.Map{{
			manifest.E("extract", manifest.Map{
				manifest.E("key", e.path(svc, s)).From("%s; with %s", e.given("path"), strings.Join(s.keys, ", ")),
				manifest.E("conversionStrategy", "Default").From("defaults, said because Argo CD takes what the server adds to a list for a change"),
				manifest.E("decodingStrategy", "None"),
				manifest.E("metadataPolicy", "None"),
			}),
		}}),
	}))
}
