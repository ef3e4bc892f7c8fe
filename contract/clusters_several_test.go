package contract_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// several is a contract with entries on two clusters.
func several(consumes, produces string) fstest.MapFS {
	return fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: copier, owner: team-data}
topics:
  copies.made.v1: {cluster: analytics}
produces:
  copies.made.v1: {cluster: analytics` + produces + `}
consumes:
  orders.placed.v1:
    order: key
` + consumes)}}
}

func TestATransactionIsOfOneCluster(t *testing.T) {
	t.Parallel()
	_, list := contract.Parse(several("", ", via: transaction"), "slipway.yaml")
	err := list.Err()
	if !errors.Is(err, diag.TransactionClusters) {
		t.Fatalf("Parse() = %v, want %s", err, diag.TransactionClusters)
	}
	for _, part := range []string{"consumes/orders.placed.v1: it is on cluster default and produces/copies.made.v1 is on analytics", "slipway.yaml:9:"} {
		if !strings.Contains(list[0].Position.String()+" "+list[0].Error(), part) {
			t.Errorf("a user reads %v %v, want %q in it", list[0].Position, list[0], part)
		}
	}
	for name, files := range map[string]fstest.MapFS{
		"direct across clusters":    several("", ", via: direct"),
		"transactions on one":       several("    cluster: analytics\n", ", via: transaction"),
		"a table of another":        several("    cluster: analytics\n  prices.set.v1: {as: table}\n", ", via: transaction"),
		"an outbox across clusters": several("", ", via: outbox"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, list := contract.Parse(files, "slipway.yaml"); list.Err() != nil {
				t.Errorf("Parse() = %v, want no fault", list.Err())
			}
		})
	}
}

func TestClustersAreThoseThatTheRunningServiceReaches(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		consumes, more string
		want           []string
	}{
		"two":                     {want: []string{"analytics", "default"}},
		"one that is not default": {consumes: "    cluster: analytics\n", want: []string{"analytics"}},
		"the probe is on default": {consumes: "    cluster: analytics\n", more: "workload: {image: registry.example.com/copier, probe: write}\n", want: []string{"analytics", "default"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, list := contract.Parse(several(tt.consumes+tt.more, ""), "slipway.yaml")
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, svc.Clusters()); diff != "" {
				t.Errorf("Clusters() (-want +got)\n%s", diff)
			}
		})
	}
}

func TestTwoClustersMayHaveAGroupOfOneNameAndTheirEntriesDiffer(t *testing.T) {
	t.Parallel()
	entries := "  payments.taken.v1: {order: key, cluster: analytics, start: latest, preset: throughput}\n"
	if _, list := contract.Parse(several(entries, ""), "slipway.yaml"); list.Err() != nil {
		t.Errorf("Parse() = %v, want no fault: the groups have only their name in common", list.Err())
	}
}

// Every instance is in both groups, so that as many work as the larger one has
// partitions, and not as many as both.
func TestIdleInstancesAreJudgedOnEachCluster(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		analytics, shared string
		refused           bool
	}{
		"two clusters":                      {"kafka-analytics", "", true},
		"two aliases of one cluster":        {"{cluster: kafka, topicPrefix: analytics.}", "", false},
		"neighbours to the same instances":  {"{cluster: kafka, topicPrefix: analytics.}", ", protocol: classic, assignment: range", true},
		"partitions of both are shared out": {"{cluster: kafka, topicPrefix: analytics.}", ", protocol: classic, assignment: sticky", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			estate, list := contract.Load(fstest.MapFS{
				"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093"}}
  kafka-analytics: {id: c3RhZ2luZy1jbHVzdGVyMDA, bootstrap: {mtls: "kafka.analytics.example:9093"}}
environments: {prod: {default: {cluster: kafka, topicPrefix: shop.}, analytics: ` + tt.analytics + `}}
`)},
				"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: copier, owner: team-data}
topics: {orders.placed.v1: {partitions: 3}, audits.asked.v1: {cluster: analytics, partitions: 4}}
produces: {orders.placed.v1: {}, audits.asked.v1: {cluster: analytics}}
consumes: {orders.placed.v1: {order: none` + tt.shared + `}, audits.asked.v1: {cluster: analytics, order: none` + tt.shared + `}}
workload: {scale: {min: 5, max: 5}}
`)},
			}, ".")
			list = append(list, estate.Validate()...)
			if got := errors.Is(list.Err(), diag.EstateIdleInstances); got != tt.refused {
				t.Errorf("five instances of four and three partitions are refused: %v, want %v: %v", got, tt.refused, list)
			}
			if tt.refused && !strings.Contains(list.Err().Error(), "5 instances for 4 partitions") {
				t.Errorf("a user reads %v", list.Err())
			}
		})
	}
}
