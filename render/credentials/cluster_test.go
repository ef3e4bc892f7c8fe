package credentials_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/credentials"
	"github.com/slipway-go/slipway/render/rendertest"
)

// onTwo is an estate of a service stock on the default cluster and one of an alias,
// with the authorities of their brokers.
func onTwo(t *testing.T, alias, credentials, ca, othersCA string) *contract.Estate {
	t.Helper()
	return rendertest.Load(t, fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "k.example:9093", scram: "k.example:9094"}` + ca + `}
  others: {id: c3RhZ2luZy1jbHVzdGVyMDA, bootstrap: {mtls: "o.example:9093", scram: "o.example:9094"}` + othersCA + `}
environments: {prod: {default: kafka, ` + alias + `: others}}
platform: {prod: {credentials: ` + credentials + `}}
`)},
		"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: stock, owner: team-goods}
topics: {stock.here.v1: {}, stock.there.v1: {cluster: ` + alias + `}}
produces: {stock.here.v1: {}, stock.there.v1: {cluster: ` + alias + `}}
` + runs)},
	})
}

// The issuer's authority is put beside each certificate, and there is one issuer.
func TestOneIssuerIsNotTheAuthorityOfTwoClusters(t *testing.T) {
	t.Parallel()
	const bundle = "{from: cert-manager, issuer: ClusterIssuer/kafka, bundle: brokers}"
	for name, tt := range map[string]struct {
		credentials, ca, othersCA string
		refused                   bool
	}{
		"authorities of their own":             {certManager, ", ca: a.crt", ", ca: b.crt", true},
		"an authority, and the system's":       {certManager, ", ca: a.crt", "", true},
		"the same authority":                   {certManager, ", ca: a.crt", ", ca: a.crt", false},
		"authorities of their own in a bundle": {bundle, ", ca: a.crt", ", ca: b.crt", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := credentials.CertManager().Files(render.Input{Estate: onTwo(t, "far", tt.credentials, tt.ca, tt.othersCA), Environment: "prod"})
			if !tt.refused {
				if err != nil || len(files) < 4 {
					t.Fatalf("Files() = %d files, %v", len(files), err)
				}
				return
			}
			all := diag.Of(err)
			if len(all) != 1 || !errors.Is(err, diag.RenderAuthorities) || !strings.HasPrefix(all[0].Position.String(), "clusters.yaml:7:") || !strings.Contains(all[0].Message, "is a.crt for kafka and ") {
				t.Errorf("Files() = %v, want one %s at clusters.yaml:7", err, diag.RenderAuthorities)
			}
		})
	}
}

// The rules of a cluster say what its brokers make of a certificate, and its clients'
// certificates live as long as it says.
func TestEachClusterHasACertificateAsItAsksForThem(t *testing.T) {
	t.Parallel()
	const bundle = "{from: cert-manager, issuer: ClusterIssuer/kafka, bundle: brokers}"
	all := objects(t, credentials.CertManager(), onTwo(t, "far", bundle, "", ", pki: {key: rsa-4096, clients: 7d}"))
	for file, want := range map[string][3]any{
		"stock/certificate.yaml":     {"stock-kafka", "720h", 256},
		"stock/certificate-far.yaml": {"stock-kafka-far", "168h", 4096},
	} {
		spec := at(all[file], "spec")
		if got := [3]any{at(spec, "secretName"), at(spec, "duration"), at(spec, "privateKey", "size")}; got != want {
			t.Errorf("%s has %v, want %v", file, got, want)
		}
		if at(spec, "commonName") != "svc-stock-prod" {
			t.Errorf("%s is for %v", file, at(spec, "commonName"))
		}
	}
	volumes, _ := at(all["stock/patch.yaml"], "spec", "template", "spec", "volumes").([]any)
	if len(volumes) != 2 || at(volumes[1], "name") != "kafka-far" || at(at(volumes[1], "projected", "sources").([]any)[0], "secret", "name") != "stock-kafka-far" {
		t.Errorf("the volumes are %v", volumes)
	}
}

// A name of an annotation has 63 characters, and an alias may have 40.
func TestALongAliasHasAnnotationsToo(t *testing.T) {
	t.Parallel()
	alias := strings.Repeat("a", 40)
	patch := objects(t, credentials.Vault(), onTwo(t, alias, vault, "", ""))["stock/patch.yaml"]
	annotations, _ := at(patch, "spec", "template", "metadata", "annotations").(map[string]any)
	dirs := map[string]bool{}
	for name, value := range annotations {
		_, short, _ := strings.Cut(name, "/")
		if len(short) > 63 {
			t.Errorf("%s is too long for an annotation", name)
		}
		if strings.HasPrefix(short, "secret-volume-path-") {
			dirs[fmt.Sprint(value)] = true
		}
	}
	if !dirs["/etc/slipway/kafka"] || !dirs["/etc/slipway/kafka-"+alias] {
		t.Errorf("the agent writes to %v", dirs)
	}
}
