package depot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki/depot"
)

const service = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %s, owner: team-shop}
identity: {auth: %s}
topics:
  %s.made.v1: {partitions: 3}
`

const consumes = `consumes:
  orders.made.v1: {retry: {delays: [1s], then: dead-letter}}
`

const clusters = `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka-prod:
    id: MkU3OEVBNTcwNTJENDM2Qk
    bootstrap: {mtls: "kafka.prod.example:9093,kafka-1.prod.example:9093", scram: "login.prod.example:9094"}
    ca: {file: ca.crt}
    nodes:
      kafka-0: {roles: [broker, controller], hosts: [kafka-0.prod.example, 10.20.0.4]}
      kafka-1: {hosts: [kafka-1.prod.example]}
      quorum-0: {roles: [controller], hosts: [quorum-0.prod.example]}
    pki: {clients: 7d, brokers: 60d}
environments:
  prod: {default: {cluster: kafka-prod, topicPrefix: "prod."}}
  stage: {default: {cluster: kafka-prod, topicPrefix: "stage."}}
  dev: {default: embedded}
`

func estate(t *testing.T) *contract.Estate {
	t.Helper()
	e, faults := contract.Load(fstest.MapFS{
		"ca.crt":                 {Data: []byte("-")},
		"clusters.yaml":          {Data: []byte(clusters)},
		"orders/slipway.yaml":    {Data: fmt.Appendf(nil, service, "orders", "mtls", "orders")},
		"payments/slipway.yaml":  {Data: fmt.Appendf(nil, service+consumes, "payments", "mtls", "payments")},
		"notifying/slipway.yaml": {Data: fmt.Appendf(nil, service, "notifying", "scram-sha-512", "notifying")},
	}, ".")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return e
}

// told writes wants down as one would tell them.
func told(wants []depot.Want) []string {
	var all []string
	for _, w := range wants {
		text := fmt.Sprintf("%s: %s %v, %v", w.ID, w.Request.CommonName, w.Request.Key, w.Request.Lifetime)
		if len(w.Request.DNSNames) > 0 {
			text += fmt.Sprint(", ", strings.Join(w.Request.DNSNames, " "), w.Request.IPs)
		}
		all = append(all, text)
	}
	return all
}

func TestWantsComeFromContractsAndClusters(t *testing.T) {
	t.Parallel()
	nodes := []string{
		"broker/kafka-0: kafka-0 ecdsa-p256, 1440h0m0s, kafka-0.prod.example kafka.prod.example login.prod.example[10.20.0.4]",
		"broker/kafka-1: kafka-1 ecdsa-p256, 1440h0m0s, kafka-1.prod.example kafka.prod.example login.prod.example[]",
		"controller/quorum-0: quorum-0 ecdsa-p256, 1440h0m0s, quorum-0.prod.example[]",
	}
	client := func(name string) string { return "client/" + name + ": " + name + " ecdsa-p256, 168h0m0s" }
	admin := func(env string) string { return "admin/admin-" + env + ": admin-" + env + " ecdsa-p256, 168h0m0s" }
	for name, tt := range map[string]struct {
		environments []string
		want         []string
	}{
		"one environment": {[]string{"prod"}, slices.Concat(nodes, []string{
			client("svc-orders-prod"), client("svc-payments-prod"), client("svc-payments-prod-redrive"), admin("prod"),
		})},
		"all of them": {nil, slices.Concat(nodes, []string{
			client("svc-orders-prod"), client("svc-orders-stage"), client("svc-payments-prod"), client("svc-payments-prod-redrive"),
			client("svc-payments-stage"), client("svc-payments-stage-redrive"), admin("prod"), admin("stage"),
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wants, err := depot.Derive(estate(t), "kafka-prod", tt.environments...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, told(wants)); diff != "" {
				t.Errorf("(-want +got) %s", diff)
			}
			p := newPlace(t)
			issue(t, p.Depot, wants...)
			if err := sound(p.dir, p.clock.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := depot.Derive(estate(t), "kafka-none"); !errors.Is(err, diag.ClusterUnknown) {
		t.Errorf("a cluster nobody declared: %v", err)
	}
	if _, err := depot.Derive(estate(t), "kafka-prod", "none"); !errors.Is(err, diag.ClusterEnvironment) {
		t.Errorf("an environment nobody declared: %v", err)
	}
}

// The probe's topic is on the default cluster, though all else is on another.
func TestAServiceThatOnlyProbesAClusterHasACertificateThere(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		probe string
		want  []string
	}{
		"it writes": {"workload: {probe: write}\n", []string{"client/svc-copies-prod", "admin/admin-prod"}},
		"it reads":  {"", []string{"admin/admin-prod"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, faults := contract.Load(fstest.MapFS{
				"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka-prod: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.prod.example:9093"}}
  analytics: {id: c3RhZ2luZy1jbHVzdGVyMDA, bootstrap: {mtls: "kafka.analytics.example:9093"}}
environments: {prod: {default: kafka-prod, analytics: analytics}}
`)},
				"copies/slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: copies, owner: team-data}
topics: {copies.made.v1: {cluster: analytics, partitions: 3}}
produces: {copies.made.v1: {cluster: analytics}}
` + tt.probe)},
			}, ".")
			if err := faults.Err(); err != nil {
				t.Fatal(err)
			}
			wants, err := depot.Derive(e, "kafka-prod", "prod")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range wants {
				got = append(got, w.ID.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got) %s", diff)
			}
		})
	}
}
