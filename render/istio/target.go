package istio

import (
	"fmt"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// Target makes what the services of an environment need in an Istio mesh, a
// directory per service.
func Target() render.Target {
	return render.Target{Name: "istio", Summary: "Istio: who may call a service and over which connections; Kafka stays out of the sidecar", Render: files}
}

func files(in render.Input) ([]render.File, error) {
	r, err := in.Resolve()
	if err != nil {
		return nil, err
	}
	t := &tree{r: r, platform: r.Clusters.Platform(r.Env)}
	if t.platform.Mesh == nil {
		return nil, diag.New(diag.RenderNoMesh, "environment %s has no mesh: platform.%s.mesh is missing", r.Env, r.Env).
			At(r.Clusters.Position("platform", r.Env)).WithFix("write platform: {%s: {mesh: {}}} in %s, or leave the target out", r.Env, contract.ClustersFile)
	}
	for _, svc := range r.Services {
		if svc.Workload != nil {
			t.service(svc)
		}
	}
	if t.faults.Failed() {
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
	faults diag.List
}

const serviceHead = `%s in the mesh: who may call it, and how it is called.`

func (t *tree) service(svc *contract.Service) {
	w := &workload{tree: t, svc: svc}
	objects := []manifest.Map{w.authorization(), w.peers()}
	if w.serves() {
		objects = append(objects, w.routes(), w.connections())
	}
	if a := svc.Workload.Access; a != nil && len(a.Scopes) > 0 {
		objects = append(objects, w.tokens())
	}
	t.files = append(t.files, manifest.Component(svc.Name, fmt.Sprintf(serviceHead, svc.Name), []manifest.Map{w.sidecar()}, objects...)...)
}

// A workload is a service in the mesh.
type workload struct {
	*tree
	svc *contract.Service
}

// serves reports whether the service has a port that is called.
func (w *workload) serves() bool { return w.svc.Workload.HTTP != 0 || w.svc.Workload.GRPC != 0 }

// host is the name that callers know the service by.
func (w *workload) host() string {
	return w.svc.Name + "." + w.platform.Namespace + ".svc.cluster.local"
}

// object is one of the service's, in its namespace.
func (w *workload) object(group, kind string, spec manifest.Map) manifest.Map {
	return manifest.Object(group+".istio.io/v1", kind, w.svc.Name, w.platform.Namespace, manifest.Labels(w.svc), manifest.E("spec", spec))
}

// pods is what an object of the service is about.
func (w *workload) pods() manifest.Entry {
	return manifest.E("selector", manifest.Map{manifest.E("matchLabels", manifest.Selector(w.svc))})
}

func (w *workload) fault(code diag.Code, element, format string, args ...any) {
	w.faults.Add(diag.New(code, format+", in environment %s", append(args, w.r.Env)...).At(w.svc.Position(element)))
}
