package autoscaling_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/rendertest"
)

// of are the files of one service.
func of(service string, files []render.File) []render.File {
	return slices.DeleteFunc(slices.Clone(files), func(f render.File) bool { return path.Dir(f.Path) != service })
}

// Every instance is a member of a group on either cluster, so that the larger one
// decides. In dev both aliases mean one cluster, and so one group.
func TestGroupsOfOneNameOnTwoClustersAreTwo(t *testing.T) {
	t.Parallel()
	estate := rendertest.Estate(t, "several")
	if got := object(t, of("archive", rendered(t, estate, "prod")), "ScaledObject").At("spec", "maxReplicaCount"); got != 6 {
		t.Errorf("archive has at most %v instances in prod, want 6, as many as the larger group has partitions", got)
	}
	if got := object(t, of("archive", rendered(t, estate, "dev")), "HorizontalPodAutoscaler").At("spec", "maxReplicas"); got != 9 {
		t.Errorf("archive has at most %v instances in dev, want 9, as many as the group has partitions", got)
	}
}

func TestKEDALogsInToTheClusterThatItAsks(t *testing.T) {
	t.Parallel()
	files := of("archive", rendered(t, rendertest.Estate(t, "several"), "prod"))
	secrets := map[any]any{} // of what KEDA logs in with, by the name of the login
	for _, o := range rendertest.Objects(t, files) {
		if o.Kind() == "TriggerAuthentication" {
			secrets[o.At("metadata", "name")] = o.At("spec", "secretTargetRef", 0, "name")
		}
	}
	got := map[any][]any{}
	scaled := object(t, files, "ScaledObject")
	for i := range scaled.At("spec", "triggers").([]any) {
		trigger := func(keys ...any) any { return scaled.At(append([]any{"spec", "triggers", i}, keys...)...) }
		if trigger("type") == "kafka" {
			got[trigger("metadata", "topic")] = []any{trigger("metadata", "bootstrapServers"), secrets[trigger("authenticationRef", "name")]}
		}
	}
	want := map[any][]any{
		"sales.made.v1":        {"events-kafka-bootstrap.kafka.svc:9093", "archive-kafka"},
		"shop.audits.asked.v1": {"kafka-0.analytics.example:9193,kafka-1.analytics.example:9193", "archive-kafka-analytics"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("brokers and Secret by topic (-want +got):\n%s", diff)
	}
}

// Lags of one group are added up, and those of its namesake on another cluster are
// not: every instance is in both. A metric of its own for each has the autoscaler stop
// nobody while one of the clusters' exporters is away.
func TestAnHPAHasAMetricForEachCluster(t *testing.T) {
	t.Parallel()
	files := rendered(t, rendertest.Estate(t, "several"), "test")
	scaler, asked := object(t, of("archive", files), "HorizontalPodAutoscaler"), map[any]any{}
	for i := range scaler.At("spec", "metrics").([]any) {
		if scaler.At("spec", "metrics", i, "type") == "External" {
			asked[scaler.At("spec", "metrics", i, "external", "metric", "name")] = nil
		}
	}
	rules, _ := object(t, files, "ConfigMap").At("data", "config.yaml").(string)
	adapter := rendertest.Objects(t, []render.File{{Path: "config.yaml", Content: []byte("apiVersion: kustomize.config.k8s.io/none\n" + rules)}})[0]
	for i := range adapter.At("externalRules").([]any) {
		name := adapter.At("externalRules", i, "name", "as")
		if _, found := asked[name]; found {
			asked[name] = adapter.At("externalRules", i, "metricsQuery")
		}
	}
	const lag = `max(sum by (consumer_group) (clamp_max(max by (consumer_group, topic, partition) (slipway_group_lag{consumer_group=~"svc-archive-test",topic=~"test\\.%s\\.v1"}), 1000)))`
	want := map[any]any{
		"slipway_usable_lag_test_archive":           strings.Replace(lag, "%s", `sales\\.made`, 1),
		"slipway_usable_lag_test_archive:analytics": strings.Replace(lag, "%s", `audits\\.asked`, 1),
	}
	if diff := gocmp.Diff(want, asked); diff != "" {
		t.Errorf("what archive asks for (-want +got):\n%s", diff)
	}
}
