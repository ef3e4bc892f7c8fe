package autoscaling_test

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/autoscaling"
	"github.com/slipway-go/slipway/render/rendertest"
)

// Each way to scale is in one of them: KEDA with keys and with passwords, and an HPA
// with its adapter.
func TestGoldenTrees(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ estate, env string }{
		"shop-prod":          {"shop", "prod"},
		"everything-dev":     {"everything", "dev"},
		"everything-staging": {"everything", "staging"},
		"everything-prod":    {"everything", "prod"},
		"several-dev":        {"several", "dev"},
		"several-test":       {"several", "test"},
		"several-prod":       {"several", "prod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := rendered(t, rendertest.Estate(t, tt.estate), tt.env)
			rendertest.Objects(t, files)
			rendertest.Golden(t, "testdata/"+name, files)
		})
	}
}

func TestNothingScalesWhatHasOneSize(t *testing.T) {
	t.Parallel()
	for estate, env := range map[string]string{"minimal": "prod", "shop": "dev", "hostile": "no"} {
		if files := rendered(t, rendertest.Estate(t, estate), env); len(files) > 0 {
			t.Errorf("%s has %s", estate, files[0].Path)
		}
	}
}

func rendered(t testing.TB, estate *contract.Estate, env string) []render.File {
	t.Helper()
	files, err := autoscaling.Target().Files(render.Input{Estate: estate, Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A setting is an estate of the service stock in environment prod, and of the topics
// it reads: orders of 6 partitions, prices of 4, foreign of somebody else.
type setting struct {
	body, platform, external, cluster string
}

func (s setting) files() fstest.MapFS {
	platform, cluster := cmp.Or(s.platform, "{autoscaler: keda}"), cmp.Or(s.cluster, "kafka")
	return fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka:
    id: MkU3OEVBNTcwNTJENDM2Qk
    bootstrap: {mtls: "kafka.example:9093", scram: "kafka.example:9094"}
    defaults: {partitions: 4}
environments: {prod: {default: {cluster: ` + cluster + `, topicPrefix: p.}}}
platform: {prod: ` + platform + `}
`)},
		"external.yaml":     {Data: []byte("apiVersion: slipway.dev/v1\nkind: External\ntopics: {foreign.seen.v1: {" + s.external + "}}\n")},
		"shop/slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: shop, owner: a}\ntopics: {orders.made.v1: {partitions: 6}, prices.set.v1: {}, places.v1: {compact: true, key: id}}\n")},
		"slipway.yaml":      {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: stock, owner: b}\n" + s.body)},
	}
}

// load loads the estate as it is, whatever validate says of it.
func (s setting) load(t testing.TB) *contract.Estate {
	t.Helper()
	estate, problems := contract.Load(s.files(), ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return estate
}

// object is the one of a kind.
func object(t testing.TB, files []render.File, kind string) rendertest.Object {
	t.Helper()
	for _, o := range rendertest.Objects(t, files) {
		if o.Kind() == kind {
			return o
		}
	}
	t.Fatalf("there is no %s among %d files", kind, len(files))
	return rendertest.Object{}
}

func TestThereAreNeverMoreInstancesThanPartitionsCanUse(t *testing.T) {
	t.Parallel()
	const orders, both = "consumes: {orders.made.v1: {}}\n", "consumes: {orders.made.v1: {}, prices.set.v1: {}}\n"
	for name, tt := range map[string]struct {
		body     string
		min, max int
	}{
		"auto":                                 {orders + "workload: {}", 1, 6},
		"fewer than partitions":                {orders + "workload: {scale: {max: 4}}", 1, 4},
		"more than partitions":                 {orders + "workload: {scale: {max: 40}}", 1, 6},
		"a group's topics add up":              {both + "workload: {scale: {max: 40}}", 1, 10},
		"neighbours go to the same instance":   {"consumes: {orders.made.v1: {assignment: range}, prices.set.v1: {assignment: range}}\nworkload: {scale: {max: 40}}", 1, 6},
		"every instance is in all groups":      {"consumes: {orders.made.v1: {}, prices.set.v1: {group: x}}\nworkload: {scale: {max: 40}}", 1, 6},
		"one that answers requests, auto":      {orders + "workload: {http: 8080}", 1, 6},
		"one that answers requests, by number": {orders + "workload: {http: 8080, scale: {max: 40}}", 1, 40},
		"a share group, by number":             {"consumes: {orders.made.v1: {as: share, order: none}}\nworkload: {scale: {max: 40}}", 1, 40},
		"a topic of somebody else":             {"consumes: {foreign.seen.v1: {}}\nworkload: {scale: {max: 40}}", 1, 9},
		"it may rest":                          {orders + "workload: {scale: {min: 0}}", 0, 6},
		"it may rest, but a record waits":      {"consumes: {orders.made.v1: {retry: {delays: [1m]}}}\nworkload: {scale: {min: 0}}", 1, 6},
		"it may rest, but it answers requests": {orders + "workload: {http: 8080, scale: {min: 0}}", 1, 6},
		"it reads nothing":                     {"workload: {scale: {min: 0, max: 3}}", 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := rendered(t, setting{body: tt.body, external: "partitions: 9"}.load(t), "prod")
			spec := object(t, files, "ScaledObject").At("spec")
			got := rendertest.Object{Body: spec.(map[string]any)}
			if diff := gocmp.Diff([]any{tt.min, tt.max}, []any{got.At("minReplicaCount"), got.At("maxReplicaCount")}); diff != "" {
				t.Errorf("least and most (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheLagIsAskedForAsTheServiceReads(t *testing.T) {
	t.Parallel()
	body := "consumes: {orders.made.v1: {start: refuse}, places.v1: {as: table}, seen: {topic: foreign.seen.v1, group: x}, prices.set.v1: {as: share, order: none, group: y}}\nslo: {lag: 900}\nworkload: {scale: {max: 9}, http: 80}"
	files := rendered(t, setting{body: body}.load(t), "prod")
	o := object(t, files, "ScaledObject")
	type trigger struct{ kind, group, topic, threshold, reset any }
	var got []trigger
	for i := range o.At("spec", "triggers").([]any) {
		of := func(key string) any { return o.At("spec", "triggers", i, "metadata", key) }
		got = append(got, trigger{o.At("spec", "triggers", i, "type"), of("consumerGroup"), of("topic"), of("lagThreshold"), of("offsetResetPolicy")})
	}
	want := []trigger{
		{"kafka", "svc-stock-prod", "p.orders.made.v1", "100", "latest"},
		{"kafka", "svc-stock-prod.x", "p.foreign.seen.v1", "100", "earliest"},
		{"cpu", nil, nil, nil, nil},
	}
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(trigger{})); diff != "" {
		t.Errorf("triggers (-want +got):\n%s", diff)
	}
	for _, f := range files {
		if strings.Contains(string(f.Content), "memory") {
			t.Errorf("%s scales on memory", f.Path)
		}
	}
}

func TestStepsAreLateAndFew(t *testing.T) {
	t.Parallel()
	step := func(stabilize, percent, period int) any {
		return map[string]any{"stabilizationWindowSeconds": stabilize, "policies": []any{map[string]any{"type": "Percent", "value": percent, "periodSeconds": period}}}
	}
	want := map[string]any{"scaleUp": step(60, 100, 30), "scaleDown": step(300, 50, 60)}
	const body = "consumes: {orders.made.v1: {}}\nworkload: {}"
	keda := object(t, rendered(t, setting{body: body}.load(t), "prod"), "ScaledObject")
	hpa := object(t, rendered(t, setting{body: body, platform: "{autoscaler: hpa}"}.load(t), "prod"), "HorizontalPodAutoscaler")
	if diff := gocmp.Diff(want, keda.At("spec", "advanced", "horizontalPodAutoscalerConfig", "behavior")); diff != "" {
		t.Errorf("KEDA (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(want, hpa.At("spec", "behavior")); diff != "" {
		t.Errorf("HPA (-want +got):\n%s", diff)
	}
}

func TestAnOutageOfTheBrokersStopsNobody(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]any{
		"consumes: {orders.made.v1: {}}\nworkload: {scale: {min: 3}}": map[string]any{"failureThreshold": 3, "replicas": 3, "behavior": "currentReplicasIfHigher"},
		"consumes: {orders.made.v1: {}}\nworkload: {scale: {min: 0}}": map[string]any{"failureThreshold": 3, "replicas": 1, "behavior": "currentReplicasIfHigher"},
		"workload: {scale: {max: 3}}":                                 nil, // KEDA refuses a fallback beside CPU alone
	} {
		o := object(t, rendered(t, setting{body: body}.load(t), "prod"), "ScaledObject")
		if diff := gocmp.Diff(want, o.At("spec", "fallback")); diff != "" {
			t.Errorf("%s: fallback (-want +got):\n%s", body, diff)
		}
	}
}

func TestKEDALogsInWithWhatTheServiceHas(t *testing.T) {
	t.Parallel()
	refs := func(pairs ...string) any {
		var all []any
		for i := 0; i < len(pairs); i += 3 {
			all = append(all, map[string]any{"parameter": pairs[i], "name": pairs[i+1], "key": pairs[i+2]})
		}
		return all
	}
	const secret, body = "stock-kafka", "consumes: {orders.made.v1: {}}\nworkload: {}"
	for name, tt := range map[string]struct {
		setting
		secrets, maps any
	}{
		"a key": {setting{body: body}, refs("cert", secret, "tls.crt", "key", secret, "tls.key", "ca", secret, "ca.crt"), nil},
		"a key, of another authority than the brokers'": {
			setting{body: body, platform: "{credentials: {from: cert-manager, issuer: Issuer/kafka, bundle: brokers}}"},
			refs("cert", secret, "tls.crt", "key", secret, "tls.key"), refs("ca", "brokers", "ca.crt"),
		},
		"a password": {
			setting{body: "identity: {auth: scram-sha-512}\n" + body},
			refs("password", secret, "password", "ca", secret, "ca.crt"), refs("username", "stock-keda", "username"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := object(t, rendered(t, tt.load(t), "prod"), "TriggerAuthentication")
			if diff := gocmp.Diff([]any{tt.secrets, tt.maps}, []any{o.At("spec", "secretTargetRef"), o.At("spec", "configMapTargetRef")}); diff != "" {
				t.Errorf("of Secrets and of ConfigMaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeScaledIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		setting
		want        diag.Code
		place, says string
	}{
		"auto, of partitions that nobody knows": {setting{body: "consumes: {foreign.seen.v1: {}}\nworkload: {scale: {min: 2}}"}, diag.RenderScaleUnknown, "slipway.yaml:5:", "foreign.seen.v1"},
		"more at least than partitions":         {setting{body: "consumes: {orders.made.v1: {assignment: range}, prices.set.v1: {assignment: range}}\nworkload: {scale: {min: 8}}"}, diag.RenderScaleIdle, "slipway.yaml:5:", "at least 8 instances, and 6"},
		"a database of each":                    {setting{body: "consumes: {orders.made.v1: {dedup: {by: 'header:id', ttl: 1d}}}\nworkload: {}"}, diag.RenderScaleFile, "slipway.yaml:4:", "1 to 6 instances"},
		"keys that only the pod sees":           {setting{body: "consumes: {orders.made.v1: {}}\nworkload: {}", platform: "{credentials: {from: vault}}"}, diag.RenderScaleBlind, "clusters.yaml:", "vault"},
		"brokers that are nowhere":              {setting{body: "consumes: {orders.made.v1: {}}\nworkload: {}", cluster: "embedded"}, diag.RenderAddress, "clusters.yaml:", "cluster embedded, which has no address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := autoscaling.Target().Files(render.Input{Estate: tt.load(t), Environment: "prod"})
			all := diag.Of(err)
			if len(all) != 1 || !errors.Is(err, tt.want) || !strings.HasPrefix(all[0].Position.String(), tt.place) || !strings.Contains(all[0].Message, tt.says) {
				t.Errorf("Files() = %v, want one %s at %s that says %q", err, tt.want, tt.place, tt.says)
			}
		})
	}
}

func TestAnHPACountsOfEachPartitionWhatOneInstanceIsGiven(t *testing.T) {
	t.Parallel()
	body := "consumes: {orders.made.v1: {}, prices.set.v1: {as: share, order: none, group: y}}\nslo: {lag: 600}\nworkload: {scale: {min: 0, max: 6}}"
	files := rendered(t, setting{body: body, platform: "{autoscaler: hpa}"}.load(t), "prod")
	hpa := object(t, files, "HorizontalPodAutoscaler")
	if got := hpa.At("spec", "minReplicas"); got != 1 {
		t.Errorf("minReplicas = %v: an HPA never wakes anybody up", got)
	}
	metric, _ := hpa.At("spec", "metrics", 0, "external", "metric", "name").(string)
	rules, _ := object(t, files, "ConfigMap").At("data", "config.yaml").(string)
	adapter := rendertest.Objects(t, []render.File{{Path: "config.yaml", Content: []byte("apiVersion: kustomize.config.k8s.io/none\n" + rules)}})[0]
	const series = `slipway_group_lag{consumer_group=~"svc-stock-prod|svc-stock-prod\\.y",topic=~"p\\.orders\\.made\\.v1|p\\.prices\\.set\\.v1"}`
	want := map[string]any{
		"seriesQuery":  series,
		"resources":    map[string]any{"namespaced": false},
		"name":         map[string]any{"as": metric},
		"metricsQuery": "max(sum by (consumer_group) (clamp_max(max by (consumer_group, topic, partition) (" + series + "), 100)))",
	}
	if diff := gocmp.Diff([]any{want}, adapter.At("externalRules")); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestEveryContractIsScaledWithinItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		estate := rendertest.Any(t)
		in := render.Input{Estate: estate, Environment: "prod"}
		files, err := autoscaling.Target().Files(in)
		if err != nil {
			if list := diag.Of(err); len(list) == 0 || list[0].Position.Line == 0 {
				t.Fatalf("Files() = %v, which says not where", err)
			}
			return
		}
		for _, o := range rendertest.Objects(t, files) {
			least, most := o.At("spec", "minReplicaCount"), o.At("spec", "maxReplicaCount")
			switch o.Kind() {
			case "HorizontalPodAutoscaler":
				least, most = o.At("spec", "minReplicas"), o.At("spec", "maxReplicas")
			case "ScaledObject":
			default:
				continue
			}
			name, _ := o.At("metadata", "name").(string)
			if err := bounded(estate, name, least.(int), most.(int)); err != nil {
				t.Errorf("%s: %v", o.Path, err)
			}
		}
		if again, _ := autoscaling.Target().Files(in); !reflect.DeepEqual(files, again) {
			t.Error("the same contracts gave something else")
		}
	})
}

// bounded judges the bounds by counting, not as the target does.
func bounded(estate *contract.Estate, name string, least, most int) error {
	r, _ := estate.In("prod")
	svc := r.Service(name)
	var sum int
	idle := svc.Workload.HTTP == 0 && svc.Workload.GRPC == 0
	for _, c := range svc.Consumes {
		idle = idle && c.As == contract.Stream
		for _, owner := range r.Services {
			if topic := owner.Topics[c.Topic]; topic != nil && topic.Partitions > 0 {
				sum += topic.Partitions
			} else if topic != nil {
				sum += r.Cluster("kafka").Defaults.Partitions
			}
		}
	}
	switch stated := svc.Workload.Scale; {
	case least > most, least < stated.Min, stated.Max > 0 && most > stated.Max:
		return fmt.Errorf("%d to %d, and the contract has %+v", least, most, stated)
	case idle && most > sum:
		return fmt.Errorf("%d instances for %d partitions", most, sum)
	}
	return nil
}
