package kustomize_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/kustomize"
	"github.com/slipway-go/slipway/render/rendertest"
)

const (
	inNetwork = `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  events: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka:9093"}, cidrs: [10.0.0.0/8]}
environments:
  dev: {default: {cluster: events, topicPrefix: dev.}}
  prod: {default: {cluster: events, topicPrefix: prod.}}
`
	twoClusters = `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  events: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka:9093"}, cidrs: [10.0.0.0/8]}
  others: {id: c3RhZ2luZy1jbHVzdGVyMDA, bootstrap: {mtls: "kafka:9093"}, cidrs: [10.9.0.0/16]}
environments: {prod: {default: events, other: others}}
`
	onTwo = `topics: {orders.created.v1: {partitions: 6}, orders.seen.v1: {cluster: other, partitions: 6}}
produces: {orders.created.v1: {}, orders.seen.v1: {cluster: other}}
workload: {image: 'orders:v1'}
`
	head = "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: team-shop}\n"
)

func estate(t *testing.T, clusters, service string) *contract.Estate {
	t.Helper()
	return rendertest.Load(t, fstest.MapFS{"clusters.yaml": {Data: []byte(clusters)}, "orders/slipway.yaml": {Data: []byte(head + service)}})
}

func TestWhatCannotBeRenderedIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	nowhere := strings.ReplaceAll(inNetwork, ", cidrs: [10.0.0.0/8]", "")
	for name, tt := range map[string]struct {
		clusters, service, env string
		want                   diag.Code
		place, says            string
	}{
		"no image":                          {inNetwork, "workload: {cpu: 1}\n", "prod", diag.RenderImage, "orders/slipway.yaml:4:", "orders has no workload.image, in environment prod; write workload: {image: registry.example.com/shop/orders}"},
		"no tag":                            {inNetwork, "workload: {image: 'registry:5000/orders'}\n", "prod", diag.RenderImageMoves, "orders/slipway.yaml:4:12", "registry:5000/orders does not say which orders runs"},
		"latest":                            {inNetwork, "workload: {image: 'orders:v1'}\nenvironments: {prod: {workload: {image: 'orders:latest'}}}\n", "prod", diag.RenderImageMoves, "orders/slipway.yaml:5:34", "orders:latest"},
		"no workload":                       {inNetwork, "", "prod", diag.RenderRunsNowhere, "", "no service of the estate has a workload"},
		"no listener":                       {strings.Replace(inNetwork, "{cluster: events, topicPrefix: dev.}", "embedded", 1), "workload: {image: 'orders:v1'}\n", "dev", diag.RenderAddress, "clusters.yaml:6:", "embedded has no address that pods could reach"},
		"no listener below platform":        {strings.Replace(inNetwork, "{cluster: events, topicPrefix: dev.}", "embedded", 1) + "platform: {dev: {}}\n", "workload: {image: 'orders:v1'}\n", "dev", diag.RenderAddress, "clusters.yaml:6:", "or render another one and take this one out of platform"},
		"brokers nowhere":                   {nowhere, "workload: {image: 'orders:v1'}\n", "prod", diag.RenderBrokersNowhere, "clusters.yaml:4:", "where in the network the brokers of events are"},
		"registry nowhere":                  {strings.Replace(nowhere, `"kafka:9093"}`, `"kafka:9093"}, registry: 'https://registry.example'`, 1) + "platform: {prod: {kafka: {namespace: kafka}}}\n", "workload: {image: 'orders:v1'}\n", "prod", diag.RenderRegistryNowhere, "clusters.yaml:4:", "where in the network the schema registry of events is"},
		"a shared file":                     {inNetwork, "topics: {orders.created.v1: {partitions: 6}}\nproduces: {orders.created.v1: {via: outbox}}\nworkload: {image: 'orders:v1', http: 8080, scale: {min: 1, max: 3}}\n", "prod", diag.RenderFileShared, "orders/slipway.yaml:6:60", "produces.orders.created.v1.via"},
		"a small volume":                    {inNetwork, "topics: {orders.created.v1: {partitions: 6}}\nproduces: {orders.created.v1: {away: spill, spill: {max: 5GiB}}}\nworkload: {image: 'orders:v1', volume: 1GiB}\n", "prod", diag.RenderVolumeSmall, "orders/slipway.yaml:6:32", "up to 5GiB"},
		"another cluster nowhere":           {strings.Replace(twoClusters, ", cidrs: [10.9.0.0/16]", "", 1), onTwo, "prod", diag.RenderBrokersNowhere, "clusters.yaml:5:", "where in the network the brokers of others are"},
		"the default cluster nowhere":       {strings.Replace(twoClusters, ", cidrs: [10.0.0.0/8]", "", 1), onTwo, "prod", diag.RenderBrokersNowhere, "clusters.yaml:4:", "where in the network the brokers of events are"},
		"another cluster without listeners": {strings.Replace(twoClusters, "other: others", "other: embedded", 1), onTwo, "prod", diag.RenderAddress, "clusters.yaml:6:", "embedded has no address that pods could reach"},
		"no default cluster":                {strings.Replace(twoClusters, "default: events, ", "", 1), "workload: {image: 'orders:v1'}\n", "prod", diag.RenderAddress, "clusters.yaml:6:", "alias default"},
		"gRPC among probes":                 {inNetwork, "workload: {image: 'orders:v1', grpc: 8081}\n", "prod", diag.RenderHealthPort, "orders/slipway.yaml:4:", "gRPC at 8081"},
		"no database": {
			strings.Replace(inNetwork, `"kafka:9093"}`, `"kafka:9093"}, connect: {url: 'http://connect:8083', principal: connect}`, 1),
			"topics: {orders.created.v1: {key: id, partitions: 6}}\nproduces: {orders.created.v1: {via: outbox}}\noutbox: {relay: debezium, database: {host: db, name: orders, user: relay, password: '${file:/a:b}'}}\nworkload: {image: 'orders:v1', http: 8080}\n",
			"prod", diag.RenderDatabaseNowhere, "orders/slipway.yaml:7:", "nothing says where that is",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := kustomize.Target().Files(render.Input{Estate: estate(t, tt.clusters, tt.service), Environment: tt.env})
			var list diag.List
			if !errors.As(err, &list) || len(list) != 1 || files != nil {
				t.Fatalf("Files() = %d files, %v, want one %s", len(files), err, tt.want)
			}
			d := list[0]
			if d.Code != tt.want || !strings.HasPrefix(d.Position.String(), tt.place) || !strings.Contains(d.Message+"; "+d.Fix, tt.says) {
				t.Errorf("Files() = %v at %v, want %s at %s that says %q", d, d.Position, tt.want, tt.place, tt.says)
			}
			if strings.Contains(d.Fix, "out of platform") && !strings.Contains(tt.clusters, "platform:") {
				t.Errorf("nothing is in platform, and the fix is to %s", d.Fix)
			}
		})
	}
}

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	t.Parallel()
	clusters := strings.ReplaceAll(inNetwork, ", cidrs: [10.0.0.0/8]", "")
	_, err := kustomize.Target().Files(render.Input{Environment: "prod", Estate: estate(t, clusters+"  mixed: {default: {cluster: events, topicPrefix: mixed.}}\nplatform: {mixed: {}}\n", "workload: {image: orders}\n")})
	for _, code := range []diag.Code{diag.RenderImageMoves, diag.RenderBrokersNowhere} {
		if !errors.Is(err, code) {
			t.Errorf("Files() = %v, and it lacks %s", err, code)
		}
	}
	for _, env := range []string{"environment prod", "environment mixed"} {
		if err == nil || !strings.Contains(err.Error(), env) {
			t.Errorf("Files() = %v, and it lacks %s", err, env)
		}
	}
}

// What the platform says of brokers and registry is about the default cluster, and
// must not be taken for where others are.
func TestWhatThePlatformSaysIsNotAboutOtherClusters(t *testing.T) {
	t.Parallel()
	clusters := strings.Replace(twoClusters, `"kafka:9093"}, cidrs: [10.9.0.0/16]`, `"kafka:9093"}, registry: 'https://registry.example'`, 1)
	_, err := kustomize.Target().Files(render.Input{Environment: "prod", Estate: estate(t, clusters+"platform: {prod: {kafka: {namespace: kafka}, registry: {namespace: kafka}}}\n", onTwo)})
	all := diag.Of(err)
	if len(all) != 2 || !errors.Is(err, diag.RenderBrokersNowhere) || !errors.Is(err, diag.RenderRegistryNowhere) {
		t.Fatalf("Files() = %v, want %s and %s", err, diag.RenderBrokersNowhere, diag.RenderRegistryNowhere)
	}
	for _, d := range all {
		if !strings.Contains(d.Message, "of others") || !strings.Contains(d.Fix, "to cluster others") || !strings.Contains(d.Fix, "about events") {
			t.Errorf("Files() = %v, fix: %s", d, d.Fix)
		}
	}
}

func TestOnlyDevTakesAnImageThatMoves(t *testing.T) {
	t.Parallel()
	files, err := kustomize.Target().Files(render.Input{Environment: "dev", Estate: estate(t, inNetwork, "workload: {image: orders}\n")})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Path == "orders/overlays/dev/patch-deployment.yaml" {
			if !strings.Contains(string(f.Content), "imagePullPolicy: Always") {
				t.Errorf("dev does not pull what moves:\n%s", f.Content)
			}
			return
		}
	}
	t.Error("dev has no patch for its deployment")
}
