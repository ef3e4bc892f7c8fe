package autoscaling

import (
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// Target makes the autoscalers of an environment, a directory per service that has
// one.
func Target() render.Target {
	return render.Target{Name: "autoscaling", Summary: "Kubernetes: KEDA ScaledObjects or HorizontalPodAutoscalers, on lag and CPU", Render: files}
}

func files(in render.Input) ([]render.File, error) {
	r, err := in.Resolve()
	if err != nil {
		return nil, err
	}
	t := &tree{r: r, platform: r.Clusters.Platform(r.Env)}
	scales := manifest.Scales(r)
	for _, svc := range r.Services {
		if scale, runs := scales[svc.Name]; runs {
			t.service(svc, scale)
		}
	}
	t.adapter()
	if err := t.faults.Err(); err != nil {
		t.faults.Sort()
		return nil, t.faults
	}
	return t.files, nil
}

// A tree collects the files, and what is wrong with the services.
type tree struct {
	r        *contract.Resolved
	platform *contract.Platform

	files  []render.File
	rules  []manifest.Map // of the metrics adapter
	faults diag.List
}

func (t *tree) service(svc *contract.Service, scale manifest.Scale) {
	const element = "workload/scale"
	switch {
	case svc.Workload.Scale.Max == 0 && len(scale.Unknown) > 0:
		t.fault(svc, diag.RenderScaleUnknown, element, "the most instances of %s are as many as partitions can use, and nobody says how many %s has",
			svc.Name, strings.Join(scale.Unknown, ", "))
		return
	case scale.Max < scale.Min:
		t.fault(svc, diag.RenderScaleIdle, element+"/min", "%s has at least %d instances, and %d get a partition", svc.Name, scale.Min, scale.Usable)
		return
	case !scale.Moves():
		return
	case manifest.DatabaseOf(svc) == manifest.FileDatabase && manifest.KeepsRows(svc) != "":
		t.fault(svc, diag.RenderScaleFile, manifest.KeepsRows(svc), "%s would have %d to %d instances, and its database is a file of each", svc.Name, scale.Min, scale.Max)
		return
	}
	w := &workload{tree: t, svc: svc, scale: scale, streams: streams(svc)}
	if t.platform.Autoscaler == contract.HPA {
		w.hpa()
	} else {
		w.keda()
	}
}

func (t *tree) fault(svc *contract.Service, code diag.Code, element, format string, args ...any) {
	t.faults.Add(diag.New(code, format+", in environment %s", append(args, t.r.Env)...).At(svc.Position(element)))
}

// A workload is a service whose number of instances moves.
type workload struct {
	*tree
	svc     *contract.Service
	scale   manifest.Scale
	streams []*contract.Consume
}

// streams are the entries by whose lag a service is scaled, in order of their
// names: one for each topic that a group reads.
func streams(svc *contract.Service) []*contract.Consume {
	type reading struct{ group, cluster, topic string }
	seen := make(map[reading]bool)
	var all []*contract.Consume
	for _, name := range sorted(svc.Consumes) {
		c := svc.Consumes[name]
		if at := (reading{c.Group, c.Cluster, c.Topic}); c.Grouped() && !seen[at] {
			seen[at] = true
			all = append(all, c)
		}
	}
	return all
}

func (w *workload) target() manifest.Map {
	return manifest.Map{
		manifest.E("apiVersion", "apps/v1"),
		manifest.E("kind", manifest.Controller(w.svc)),
		manifest.E("name", w.svc.Name),
	}
}

// most explains the upper bound.
func (w *workload) most(key string) manifest.Entry {
	e := manifest.E(key, w.scale.Max)
	stated := w.svc.Workload.Scale.Max
	switch at := manifest.At(w.svc, "workload/scale/max"); {
	case stated == 0:
		return e.From("%s: auto; as many as get a partition", at)
	case stated > w.scale.Max:
		return e.From("%s: %d, and no more than %d get a partition", at, stated, w.scale.Max)
	default:
		return e.From("%s", at)
	}
}

// threshold is how many records an instance may be behind before there is another
// one. With slo.lag it is the share of each instance when there are as many as may
// be: once the service is as far behind as it may be, all of them run.
func (w *workload) threshold() int64 {
	if w.svc.SLO.Lag == 0 {
		return DefaultThreshold
	}
	return max(1, w.svc.SLO.Lag/int64(w.scale.Max))
}

func (w *workload) why() string {
	if w.svc.SLO.Lag == 0 {
		return "no slo.lag: the default, records that an instance may be behind"
	}
	return manifest.At(w.svc, "slo/lag") + " as the share of each of the most instances"
}

// DefaultThreshold is how many records an instance may be behind where the contract
// has no slo.lag.
const DefaultThreshold = 1000
