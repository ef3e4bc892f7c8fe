package credentials_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"text/template"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/principal"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/credentials"
	"github.com/slipway-go/slipway/render/rendertest"
)

// estate is one of a service stock in environment prod, with credentials as said.
func estate(t rapid.TB, credentials, cluster, body string) *contract.Estate {
	t.Helper()
	estate, problems := contract.Load(fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "k.example:9093", scram: "k.example:9094"}, cidrs: [10.0.0.0/8]` + cluster + `}
environments: {prod: {default: kafka}}
platform: {prod: {namespace: shop, credentials: ` + credentials + `}}
`)},
		"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: stock, owner: team-goods}\n" + body)},
	}, ".")
	if err := append(problems, estate.Validate()...).Err(); err != nil {
		t.Fatalf("load: %v", err)
	}
	return estate
}

const (
	certManager = "{from: cert-manager, issuer: ClusterIssuer/kafka}"
	externals   = "{from: external-secrets, store: SecretStore/aws}"
	vault       = "{from: vault, peer: {namespace: vault}}"
	runs        = "workload: {image: \"registry.example.com/stock:v1\"}\n"
)

// objects are what a target makes, by their files.
func objects(t rapid.TB, target render.Target, in *contract.Estate) map[string]map[string]any {
	t.Helper()
	files, err := target.Files(render.Input{Estate: in, Environment: "prod"})
	if err != nil {
		t.Fatalf("render: %v", err)
	}
	all := map[string]map[string]any{}
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ".yaml") {
			continue
		}
		dec := yaml.NewDecoder(bytes.NewReader(f.Content))
		object := map[string]any{}
		if err := dec.Decode(&object); err != nil {
			t.Fatalf("%s is no YAML: %v\n%s", f.Path, err, f.Content)
		}
		if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
			t.Errorf("%s has more than one document", f.Path)
		}
		all[f.Path] = object
	}
	return all
}

func at(object any, path ...string) any {
	for _, key := range path {
		m, _ := object.(map[string]any)
		object = m[key]
	}
	return object
}

func TestBrokersMakeTheServiceOfItsCertificate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		principals, user string
		subject, want    string
	}{
		"its identity":           {"", "", "commonName", "svc-stock-prod"},
		"an adopted name":        {"", "adopt: {principal: old-stock}\n", "commonName", "old-stock"},
		"brokers without rules":  {`, pki: {principals: DEFAULT}`, "adopt: {principal: CN=stock}\n", "commonName", "stock"},
		"a whole subject":        {`, pki: {principals: DEFAULT}`, "adopt: {principal: 'CN=stock,OU=goods,O=Example'}\n", "literalSubject", "CN=stock,OU=goods,O=Example"},
		"brokers that lower all": {`, pki: {principals: 'RULE:^CN=([^,]*).*$/$1/L'}`, "", "commonName", "svc-stock-prod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := estate(t, certManager, tt.principals, runs+tt.user)
			got := objects(t, credentials.CertManager(), in)["stock/certificate.yaml"]
			if is := at(got, "spec", tt.subject); is != tt.want {
				t.Fatalf("%s is %v, want %s", tt.subject, is, tt.want)
			}
			r, _ := in.In("prod")
			rules, err := principal.Parse(r.Cluster("kafka").PKI.Principals)
			if err != nil {
				t.Fatal(err)
			}
			subject := tt.want
			if tt.subject == "commonName" {
				subject = "CN=" + subject
			}
			if user, err := rules.Apply(subject); err != nil || "User:"+user != r.Services[0].Principal() {
				t.Errorf("brokers make %s of %s (%v), and the rights are those of %s", user, subject, err, r.Services[0].Principal())
			}
		})
	}
}

func TestACertificateIsRenewedWhileAThirdOfItsLifeIsLeft(t *testing.T) {
	t.Parallel()
	for life, want := range map[string][2]string{"30d": {"720h", "240h"}, "7d": {"168h", "56h"}, "4h": {"4h", "1h20m0s"}} {
		got := objects(t, credentials.CertManager(), estate(t, certManager, ", pki: {key: ecdsa-p384, clients: "+life+"}", runs))["stock/certificate.yaml"]
		if is := [2]string{fmt.Sprint(at(got, "spec", "duration")), fmt.Sprint(at(got, "spec", "renewBefore"))}; is != want {
			t.Errorf("a life of %s is %v, want %v", life, is, want)
		}
		if key := at(got, "spec", "privateKey"); at(key, "algorithm") != "ECDSA" || at(key, "size") != 384 || at(key, "rotationPolicy") != "Always" {
			t.Errorf("the key is %v", key)
		}
	}
}

func TestTheAuthorityOfTheBrokersComesFromTheBundle(t *testing.T) {
	t.Parallel()
	in := estate(t, "{from: cert-manager, issuer: Issuer/kafka, bundle: kafka-brokers}", "", runs)
	patch := objects(t, credentials.CertManager(), in)["stock/patch.yaml"]
	volume := at(patch, "spec", "template", "spec", "volumes").([]any)[0]
	sources := at(volume, "projected", "sources").([]any)
	if at(volume, "name") != "kafka" || at(sources[0], "secret", "name") != "stock-kafka" || at(sources[1], "configMap", "name") != "kafka-brokers" {
		t.Errorf("the volume is %v", volume)
	}
}

func TestAPasswordHasNoCertificate(t *testing.T) {
	t.Parallel()
	files, err := credentials.CertManager().Files(render.Input{Estate: estate(t, certManager, "", runs+"identity: {auth: scram-sha-512}\n"), Environment: "prod"})
	if err != nil || len(files) != 1 || files[0].Path != "README.md" || !strings.Contains(string(files[0].Content), "| `stock-kafka` | `password` `ca.crt` | somebody |") {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestTheAgentWritesWhatIsInTheStoreWhateverItsVersion(t *testing.T) {
	t.Parallel()
	in := estate(t, vault, "", runs+"identity: {auth: scram-sha-512}\n")
	annotations := at(objects(t, credentials.Vault(), in)["stock/patch.yaml"], "spec", "template", "metadata", "annotations")
	entry := map[string]any{"password": "s3cret<&", "ca.crt": "-----BEGIN"}
	rotated := map[string]any{"password": "old", "password.next": "new", "ca.crt": "x"}
	for name, tt := range map[string]struct {
		file string
		data map[string]any
		want string
	}{
		"the first version":                      {"password", entry, "s3cret<&"},
		"the second version":                     {"password", map[string]any{"data": entry, "metadata": map[string]any{}}, "s3cret<&"},
		"a password that is not being rotated":   {"password.next", entry, "s3cret<&"},
		"a password that is being rotated":       {"password.next", rotated, "new"},
		"a password that is still the old one":   {"password", map[string]any{"data": rotated}, "old"},
		"an entry without it leaves the file be": {"ca.crt", map[string]any{"password": "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, _ := at(annotations, "vault.hashicorp.com/agent-inject-template-kafka-"+tt.file).(string)
			agent := template.FuncMap{"secret": func(path string) any {
				if path != "kafka/prod/stock/kafka" {
					t.Errorf("it reads %s", path)
				}
				return struct{ Data map[string]any }{tt.data}
			}}
			var b strings.Builder
			if err := template.Must(template.New("").Funcs(agent).Parse(text)).Execute(&b, nil); err != nil || b.String() != tt.want {
				t.Errorf("%s makes %q, %v; want %q", text, b.String(), err, tt.want)
			}
		})
	}
}

func TestWhatCannotBeRenderedIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target                     render.Target
		credentials, cluster, body string
		code                       diag.Code
		place, word                string
	}{
		"credentials from elsewhere":     {credentials.CertManager(), "secret", "", runs, diag.RenderCredentialSource, "clusters.yaml:6", "write platform: {prod: {credentials: {from: cert-manager, issuer: ClusterIssuer/kafka-clients}}}"},
		"a store, and not cert-manager":  {credentials.ExternalSecrets(), certManager, "", runs, diag.RenderCredentialSource, "clusters.yaml:6", "is cert-manager, and this target is of external-secrets; write platform: {prod: {credentials: {from: external-secrets, store: "},
		"a Secret, and not Vault":        {credentials.Vault(), "secret", "", runs, diag.RenderCredentialSource, "clusters.yaml:6", "{from: vault, peer: {namespace: vault}}"},
		"a Vault that nobody can find":   {credentials.Vault(), "vault", "", runs, diag.RenderNoVault, "clusters.yaml:6", "platform.prod.credentials.peer"},
		"a principal of no certificate":  {credentials.CertManager(), certManager, "", runs + "adopt: {principal: 'CN=stock,OU=goods'}\n", diag.RenderNoCertificate, "slipway.yaml:5", "CN=stock,OU=goods"},
		"a name that is no common name":  {credentials.CertManager(), certManager, "", runs + "adopt: {principal: " + strings.Repeat("x", 65) + "}\n", diag.RenderNoCertificate, "slipway.yaml:5", "64"},
		"rules that nobody can be under": {credentials.CertManager(), certManager, ", pki: {principals: 'RULE:^OU=(.*)$/$1/'}", runs, diag.RenderNoCertificate, "slipway.yaml", "svc-stock-prod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.target.Files(render.Input{Estate: estate(t, tt.credentials, tt.cluster, tt.body), Environment: "prod"})
			if !errors.Is(err, tt.code) || !strings.Contains(err.Error(), tt.place) || !strings.Contains(err.Error()+"; "+diag.Of(err)[0].Fix, tt.word) {
				t.Errorf("Files() = %v, want %s at %s that says %q", err, tt.code, tt.place, tt.word)
			}
		})
	}
	for _, target := range []render.Target{credentials.CertManager(), credentials.ExternalSecrets(), credentials.Vault()} {
		if _, err := target.Files(render.Input{Estate: rendertest.Estate(t, "minimal"), Environment: "nowhere"}); !errors.Is(err, diag.ClusterEnvironment) {
			t.Errorf("%s of an environment that is not there: %v", target.Name, err)
		}
	}
}

// leaked is what a secret value would look like: a Secret with data, or PEM.
var leaked = regexp.MustCompile(`(?m)^(kind: Secret$|(stringD|d)ata:)|-----BEGIN`)

func TestForEveryContractThereIsAnOwnerAndNoSecret(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := runs
		if rapid.Bool().Draw(t, "database") {
			body = "workload: {image: \"registry.example.com/stock:v1\", egress: {database: {namespace: db, ports: [5432]}}}\n"
		}
		body += "identity: {auth: " + rapid.SampledFrom([]string{"mtls", "scram-sha-512", "scram-sha-256"}).Draw(t, "auth") + "}\n"
		if rapid.Bool().Draw(t, "settings") {
			body += "config:\n"
			for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,20}\.[a-z]{1,20}`), 1, 3, rapid.ID).Draw(t, "names") {
				body += "  " + name + ": {secret: true, doc: A key.}\n"
			}
		}
		cluster := rapid.SampledFrom([]string{"", `, registry: {url: "https://r.example", auth: basic}`, `, registry: {url: "https://r.example", auth: mtls}`}).Draw(t, "registry")
		which := rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "target")
		target := []render.Target{credentials.CertManager(), credentials.ExternalSecrets(), credentials.Vault()}[which]
		in := estate(t, []string{certManager, externals, vault}[which], cluster, body)
		for path, object := range objects(t, target, in) {
			switch kind := at(object, "kind"); kind {
			case "Component":
			case "Deployment", "StatefulSet": // a patch of what has its labels
				annotations, _ := at(object, "spec", "template", "metadata", "annotations").(map[string]any)
				for name := range annotations {
					if _, short, _ := strings.Cut(name, "/"); len(short) > 63 {
						t.Errorf("%s: %s is too long for an annotation", path, name)
					}
				}
			default:
				if at(object, "metadata", "labels", "slipway.dev/owner") != "team-goods" || at(object, "metadata", "namespace") != "shop" {
					t.Errorf("%s has the metadata %v", path, at(object, "metadata"))
				}
			}
		}
		files, err := target.Files(render.Input{Estate: in, Environment: "prod"})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if bad := leaked.Find(f.Content); bad != nil {
				t.Errorf("%s has %q:\n%s", f.Path, bad, f.Content)
			}
		}
	})
}
