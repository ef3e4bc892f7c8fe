package kustomize_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/kustomize"
	"github.com/slipway-go/slipway/render/rendertest"
)

// The API server refuses to change whether a Service has an address: callers lose a
// service that is given a disk if its name is the instances'.
func TestAServiceKeepsItsAddressWhateverRunsItsPods(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		written, prod string
		want          string // of the overlay: what it does about names of instances
	}{
		"is given a disk": {"", "{volume: 1GiB}", "orders/overlays/prod/service-instances.yaml"},
		"loses its disk":  {", volume: 1GiB", "{volume: null}", "orders/overlays/prod/remove-service-instances.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := rendered(t, estate(t, inNetwork, "workload: {image: 'orders:v1', http: 8080"+tt.written+"}\nenvironments: {prod: {workload: "+tt.prod+"}}\n"), "prod")
			if o := parsed(t, all, "orders/base/service.yaml"); o.At("metadata", "name") != "orders" || o.At("spec", "clusterIP") != nil {
				t.Errorf("callers connect to a Service that has no address:\n%s", all[o.Path])
			}
			for path := range all {
				if strings.HasPrefix(path, "orders/overlays/prod/") && strings.HasSuffix(path, "-service.yaml") {
					t.Errorf("prod changes the Service:\n%s", all[path])
				}
			}
			if all[tt.want] == "" {
				t.Errorf("prod lacks %s", tt.want)
			}
		})
	}
}

func TestAServiceMayNotHaveTheNameOfAnothersInstances(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"clusters.yaml":          {Data: []byte(inNetwork)},
		"orders/slipway.yaml":    {Data: []byte(head + "workload: {image: 'orders:v1', volume: 1GiB}\n")},
		"instances/slipway.yaml": {Data: []byte(strings.Replace(head, "name: orders", "name: orders-instances", 1) + "workload: {image: 'orders:v1', http: 80}\n")},
	}
	_, err := kustomize.Target().Files(render.Input{Estate: rendertest.Load(t, files), Environment: "prod"})
	all := diag.Of(err)
	if len(all) != 1 || !errors.Is(err, diag.RenderNameTaken) || !strings.HasPrefix(all[0].Position.String(), "instances/slipway.yaml:3:") {
		t.Errorf("Files() = %v, want one %s at the service that has the name", err, diag.RenderNameTaken)
	}
}

// With one Secret for two services each could log in as the other.
func TestNoTwoServicesReadOneSecret(t *testing.T) {
	t.Parallel()
	estate := rendertest.Load(t, fstest.MapFS{
		"clusters.yaml":  {Data: []byte(strings.Replace(twoClusters, "other:", "kafka:", 1))},
		"a/slipway.yaml": {Data: []byte(head + strings.ReplaceAll(onTwo, "cluster: other", "cluster: kafka"))},
		"b/slipway.yaml": {Data: []byte(strings.Replace(head, "name: orders", "name: orders-kafka", 1) + "workload: {image: 'orders:v1'}\n")},
	})
	_, err := kustomize.Target().Files(render.Input{Estate: estate, Environment: "prod"})
	all := diag.Of(err)
	if len(all) != 1 || !errors.Is(err, diag.RenderNameTaken) || !strings.Contains(all[0].Message, "Secret orders-kafka-kafka") {
		t.Errorf("Files() = %v, want one %s for the Secret", err, diag.RenderNameTaken)
	}
}
