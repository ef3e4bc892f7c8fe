package autoscaling

import (
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// behavior is how fast the number of instances follows. Every change of it moves
// partitions, and what moves pauses. So a step up waits until the need has lasted
// for a minute, and doubles, so that few steps reach any size; one down waits until
// five minutes had no use for the instances, and takes half at most.
func behavior() manifest.Map {
	return manifest.Map{
		direction("scaleUp", 60, 100, 30).From("the need lasts for a minute, then at most twice as many every 30 s: few rebalances"),
		direction("scaleDown", 300, 50, 60).From("the need was lower for five minutes, then at most half of them goes every minute"),
	}
}

func direction(key string, stabilize, percent, period int) manifest.Entry {
	return manifest.E(key, manifest.Map{
		manifest.E("stabilizationWindowSeconds", stabilize),
		manifest.E("policies", []manifest.Map{{
			manifest.E("type", "Percent"),
			manifest.E("value", percent),
			manifest.E("periodSeconds", period),
		}}),
	})
}

// utilization is the share of the requested CPU, in percent, above which there are
// more instances. There is no such bound for memory: a Go process gives little back
// when the work is done, so instances would be added and never taken away.
const utilization = 70

// resting says why at least one instance has to be there although the contract would
// do with none, or nothing if nothing speaks against it.
func resting(svc *contract.Service) string {
	w := svc.Workload
	if w.HTTP != 0 || w.GRPC != 0 {
		return "nobody would answer requests"
	}
	for _, name := range sorted(svc.Consumes) {
		switch c := svc.Consumes[name]; {
		case c.As == contract.Share:
			return "nobody would be woken up by " + c.Topic + ": KEDA does not see the lag of a share group"
		case c.Retries() && (c.Retry.Attempts() > 1 || c.Retry.Then == contract.Park):
			return "records of " + c.Topic + " that wait to be tried again are no lag, and would wait for ever"
		}
	}
	for _, p := range svc.Produces {
		if p.Via == contract.Outbox && !svc.RelaysByDebezium() {
			return "nobody would publish what is in the outbox"
		}
	}
	return ""
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
