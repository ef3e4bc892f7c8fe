package acl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
)

// The estate of the bootstrap's tests: an own topic, one of others, entries with
// and without derived topics, a group with settings.
var bootstrapped = map[string]string{
	"clusters.yaml": sharedCluster,
	"external.yaml": crm,
	"orders":        orders,
	"s": "consumes:\n" +
		"  orders.created.v1: {protocol: consumer, session: 1m}\n" +
		"  crm.changed.v1: {group: crm}\n" +
		"  again: {topic: orders.created.v1, group: audit, protocol: consumer, retry: {then: stop}}\n",
	"t": "consumes: {crm.changed.v1: {as: table}}\ntopics: {far.away.v1: {cluster: far}}\nproduces: {far.away.v1: {cluster: far}}",
}

func TestABootstrapNamesWhatItIsFor(t *testing.T) {
	t.Parallel()
	for duty, want := range map[acl.Duty][]string{
		acl.Planning: {
			"DESCRIBE CLUSTER kafka-cluster",
			"DESCRIBE_CONFIGS CLUSTER kafka-cluster",
			"DESCRIBE_CONFIGS GROUP svc-s-staging",
			"DESCRIBE TOPIC staging.*",
			"DESCRIBE_CONFIGS TOPIC staging.crm.changed.v1",
			"DESCRIBE_CONFIGS TOPIC staging.orders.created.v1",
			"DESCRIBE TOPIC svc-*",
			"DESCRIBE_CONFIGS TOPIC svc-s-staging.*",
		},
		acl.Applying: {
			"ALTER CLUSTER kafka-cluster",
			"DESCRIBE_CONFIGS CLUSTER kafka-cluster",
			"READ GROUP slipway-apply-staging",
			"ALTER_CONFIGS GROUP svc-s-staging",
			"DESCRIBE TOPIC staging.*",
			"DESCRIBE_CONFIGS TOPIC staging.crm.changed.v1",
			"ALTER TOPIC staging.orders.created.v1",
			"ALTER_CONFIGS TOPIC staging.orders.created.v1",
			"CREATE TOPIC staging.orders.created.v1",
			"DESCRIBE TOPIC svc-*",
			"ALTER TOPIC svc-s-staging.*",
			"ALTER_CONFIGS TOPIC svc-s-staging.*",
			"CREATE TOPIC svc-s-staging.*",
		},
		acl.Deleting: {
			"ALTER CLUSTER kafka-cluster",
			"ALTER_CONFIGS CLUSTER kafka-cluster",
			"READ GROUP slipway-apply-staging",
			"ALTER_CONFIGS GROUP svc-*",
			"DELETE GROUP svc-*",
			"DELETE TOPIC staging.*",
			"DESCRIBE_CONFIGS TOPIC staging.crm.changed.v1",
			"ALTER TOPIC staging.orders.created.v1",
			"ALTER_CONFIGS TOPIC staging.orders.created.v1",
			"CREATE TOPIC staging.orders.created.v1",
			"DELETE TOPIC svc-*",
			"ALTER TOPIC svc-s-staging.*",
			"ALTER_CONFIGS TOPIC svc-s-staging.*",
			"CREATE TOPIC svc-s-staging.*",
		},
	} {
		t.Run(string(duty), func(t *testing.T) {
			t.Parallel()
			r := estate(t, "staging", bootstrapped)
			var got []string
			for _, g := range acl.Bootstrap(r, "one", "User:deployer", duty) {
				line, mine := strings.CutPrefix(g.Binding.String(), "User:deployer ")
				if !mine || len(g.Reasons) == 0 || g.Cluster != "one" {
					t.Errorf("%s on %s for %v", g.Binding, g.Cluster, g.Reasons)
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rights (-want +got):\n%s", diff)
			}
		})
	}
}

// The probe's topic is on the default cluster, whatever else the service has there.
func TestAProbeThatWritesIsProvidedForWhereItsTopicIs(t *testing.T) {
	t.Parallel()
	r := estate(t, "staging", map[string]string{
		"clusters.yaml": sharedCluster,
		"t": "quotas: {produce: 10MiB/s}\ntopics: {far.away.v1: {cluster: far}}\nproduces: {far.away.v1: {cluster: far}}\n" +
			"workload: {probe: write}\n",
	})
	for duty, want := range map[acl.Duty][]string{
		acl.Planning: {"DESCRIBE_CONFIGS CLUSTER kafka-cluster", "DESCRIBE_CONFIGS TOPIC svc-t-staging.probe"},
		acl.Applying: {"ALTER_CONFIGS CLUSTER kafka-cluster", "ALTER TOPIC svc-t-staging.probe", "ALTER_CONFIGS TOPIC svc-t-staging.probe", "CREATE TOPIC svc-t-staging.probe"},
	} {
		var got []string
		for _, g := range acl.Bootstrap(r, "one", "User:deployer", duty) {
			if line := strings.TrimPrefix(g.Binding.String(), "User:deployer "); strings.HasSuffix(line, ".probe") || strings.Contains(line, "_CONFIGS CLUSTER") {
				got = append(got, line)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rights of %s (-want +got):\n%s", duty, diff)
		}
	}
}

func TestQuotasNeedTheSettingsOfTheCluster(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{"orders": orders + "\nquotas: {produce: 10MiB/s}"})
	for duty, want := range map[acl.Duty]acl.Operation{acl.Planning: acl.DescribeConfigs, acl.Applying: acl.AlterConfigs, acl.Deleting: acl.AlterConfigs} {
		found := false
		for _, g := range acl.Bootstrap(r, "embedded", "User:deployer", duty) {
			found = found || g.ResourceType == acl.Cluster && g.Operation == want
		}
		if !found {
			t.Errorf("%s has no %s on the cluster", duty, want)
		}
	}
}
