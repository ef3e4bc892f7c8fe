package credentials

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/principal"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// CertManager renders a Certificate of cert-manager for each service that logs in by
// mTLS. It says what slipway pki issue would put into one.
func CertManager() render.Target {
	return render.Target{Name: "certmanager", Summary: "cert-manager's Certificates for services that log in by mTLS", Render: certManager}
}

const certManagerText = `cert-manager makes the certificates, by which services log in to Kafka, and renews
them when a third of their life is left. A service uses the next one without a
restart. It makes no passwords: where the table names a Secret without a Certificate,
somebody else puts it there.`

func certManager(in render.Input) ([]render.File, error) {
	e, err := read(in, contract.FromCertManager)
	if err != nil {
		return nil, err
	}
	e.judgeAuthorities()
	for _, svc := range e.running() {
		e.certified(svc)
	}
	if err := e.faults.Err(); err != nil {
		return nil, err
	}
	e.summary(certManagerText, "| service | principal | Secret | keys | from |")
	return e.files, nil
}

// judgeAuthorities refuses brokers of different authorities where one issuer's is put
// beside every certificate: a service would not know the brokers of one of them.
func (e *estate) judgeAuthorities() {
	if e.platform.Credentials.Bundle != "" {
		return
	}
	var first *contract.Cluster
	told := make(map[string]bool)
	for _, svc := range e.running() {
		for _, s := range e.needs(svc) {
			if !s.certificate {
				continue
			}
			if first == nil {
				first = s.cluster
			}
			if s.cluster.CA != first.CA && !told[s.cluster.Name] {
				told[s.cluster.Name] = true
				e.faults.Add(diag.New(diag.RenderAuthorities, "the authority of brokers is %s for %s and %s for %s, and credentials.issuer is one, in environment %s",
					authority(first), first.Name, authority(s.cluster), s.cluster.Name, e.Env).
					At(e.Clusters.Position("platform/" + e.Env + "/credentials")))
			}
		}
	}
}

func authority(c *contract.Cluster) string { return cmp.Or(c.CA.File, "the system's") }

func (e *estate) certified(svc *contract.Service) {
	bundle := e.platform.Credentials.Bundle
	objects := map[string]manifest.Map{}
	var names []string
	var volumes []manifest.Map
	for _, s := range e.needs(svc) {
		name, from := svc.Name+"-"+s.name, "somebody"
		if s.certificate {
			subject, err := subjectOf(svc.User(), s.cluster.PKI.Principals)
			if err != nil {
				e.faults.Add(diag.New(diag.RenderNoCertificate, "service %s is %s to brokers of %s: %v", svc.Name, svc.Principal(), s.cluster.Name, err).
					At(svc.Position("adopt/principal")))
				return
			}
			objects[strings.Replace(s.name, "kafka", "certificate", 1)+".yaml"] = e.certificate(svc, s, subject)
			names, volumes = append(names, s.cluster.Name), append(volumes, e.bundled(svc, s, bundle))
			from = "Certificate " + code(name)
		}
		e.row(svc.Name, code(svc.Principal()), code(name), code(s.keys...), from)
	}
	if len(objects) == 0 {
		return
	}
	head := fmt.Sprintf("The certificate by which service %s logs in to cluster %s.", svc.Name, names[0])
	if len(names) > 1 {
		head = fmt.Sprintf("The certificates by which service %s logs in to the clusters %s, one for each.\nBrokers of all of them have to trust the issuer as the authority of clients.", svc.Name, strings.Join(names, " and "))
	}
	var patch *manifest.Map
	if bundle == "" {
		head += "\nca.crt of its Secret is the issuer's authority, which must have signed the brokers, too."
	} else {
		head += "\nca.crt of the brokers comes from ConfigMap " + bundle + ", not from this Certificate."
		patch = pods(svc, nil, manifest.Map{manifest.E("volumes", volumes)})
	}
	e.component(svc, patch, head, objects)
}

// subjectOf is what a certificate must say so that the rules make the user of it: a
// common name, or a whole distinguished name.
func subjectOf(user, principals string) (manifest.Entry, error) {
	rules, err := principal.Parse(principals)
	if err != nil {
		return manifest.Entry{}, err
	}
	for _, cn := range []string{user, strings.TrimPrefix(user, "CN=")} {
		if strings.ContainsAny(cn, `,+="\<>;#`) || len(cn) > maxCommonName {
			continue
		}
		if got, err := rules.Apply("CN=" + cn); err == nil && got == user {
			return manifest.E("commonName", cn), nil
		}
	}
	if got, err := rules.Apply(user); err == nil && got == user && strings.Contains(user, "=") {
		return manifest.E("literalSubject", user), nil
	}
	return manifest.Entry{}, errors.New("the rules make it of no common name of at most 64 characters")
}

// maxCommonName is X.509's bound.
const maxCommonName = 64

func (e *estate) certificate(svc *contract.Service, s secret, subject manifest.Entry) manifest.Map {
	life, pki := s.cluster.PKI.Clients, "clusters/"+s.cluster.Name+"/pki/"
	name := svc.Name + "-" + s.name
	kind, issuer, _ := strings.Cut(e.platform.Credentials.Issuer, "/")
	algorithm, size := keyOf(s.cluster.PKI.Key)
	return manifest.Object("cert-manager.io/v1", "Certificate", name, e.platform.Namespace, manifest.Labels(svc), manifest.E("spec", manifest.Map{
		manifest.E("secretName", name),
		manifest.E("secretTemplate", manifest.Map{manifest.E("labels", manifest.Labels(svc))}),
		subject.From("brokers make %s of it", svc.Principal()),
		manifest.E("duration", hours(life)).From("%s", e.at(pki+"clients")),
		manifest.E("renewBefore", hours(life/3)).From("a third of it, so that an issuer that is away is noticed in time"),
		manifest.E("privateKey", manifest.Map{
			manifest.E("algorithm", algorithm).From("%s", e.at(pki+"key")), manifest.E("size", size),
			manifest.E("encoding", "PKCS8"),
			manifest.E("rotationPolicy", "Always").From("a new certificate has a new key"),
		}),
		manifest.E("usages", []string{"digital signature", "client auth"}).From("it logs in, and serves nobody"),
		manifest.E("issuerRef", manifest.Map{
			manifest.E("group", "cert-manager.io"), manifest.E("kind", kind), manifest.E("name", issuer).From("%s", e.given("issuer")),
		}),
	}))
}

// bundled is the volume of a service's credentials when the brokers' authority is
// another than the issuer's.
func (e *estate) bundled(svc *contract.Service, s secret, bundle string) manifest.Map {
	item := func(key string) manifest.Map {
		return manifest.Map{manifest.E("key", key), manifest.E("path", key)}
	}
	return manifest.Map{
		manifest.E("name", s.name),
		manifest.E("secret", manifest.Map{manifest.E("$patch", "delete")}),
		manifest.E("projected", manifest.Map{
			manifest.E("defaultMode", 0o440).From("0440"),
			manifest.E("sources", []manifest.Map{
				{manifest.E("secret", manifest.Map{manifest.E("name", svc.Name+"-"+s.name), manifest.E("items", []manifest.Map{item("tls.crt"), item("tls.key")})})},
				{manifest.E("configMap", manifest.Map{manifest.E("name", bundle).From("%s", e.given("bundle")), manifest.E("items", []manifest.Map{item("ca.crt")})})},
			}),
		}),
	}
}

// keyOf is a kind of key in cert-manager's words.
func keyOf(kind string) (algorithm string, size int) {
	switch kind {
	case "ecdsa-p384":
		return "ECDSA", 384
	case "rsa-3072":
		return "RSA", 3072
	case "rsa-4096":
		return "RSA", 4096
	default:
		return "ECDSA", 256
	}
}

// hours is a duration as cert-manager has them, in hours where it is whole hours.
func hours(d time.Duration) string {
	d = d.Truncate(time.Second)
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
