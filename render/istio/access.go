package istio

import (
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// healthPort serves probes and metrics of a service that has no HTTP API.
const healthPort = 8081

// peers says that callers have to prove who they are. The kubelet is none of them:
// Istio lets its probes ask the sidecar, which asks the service. A port that has
// nothing but probes and metrics is open to whoever scrapes from outside of the mesh;
// the network policy says who that is.
func (w *workload) peers() manifest.Map {
	health := strconv.Itoa(healthPort)
	return w.object("security", "PeerAuthentication", manifest.Map{
		w.pods(),
		manifest.E("mtls", manifest.Map{manifest.E("mode", "STRICT")}),
		manifest.If(w.svc.Workload.HTTP == 0, manifest.E("portLevelMtls", manifest.Map{
			manifest.E(health, manifest.Map{manifest.E("mode", "PERMISSIVE")}),
		}).From("it serves probes and metrics only, and who scrapes them may be outside of the mesh")),
	})
}

// authorization is who may call. Once there is a rule, nobody else may.
func (w *workload) authorization() manifest.Map {
	rules := []manifest.Map{w.scraping()}
	if w.serves() {
		rules = append(rules, w.calling())
	}
	return w.object("security", "AuthorizationPolicy", manifest.Map{
		w.pods(),
		manifest.E("action", "ALLOW"),
		manifest.E("rules", rules),
	})
}

// scraping is the rule for metrics. On a port that takes plain text there is no
// namespace to be known.
func (w *workload) scraping() manifest.Map {
	if w.svc.Workload.HTTP == 0 {
		return manifest.Map{manifest.E("to", []manifest.Map{operation(
			manifest.E("ports", []string{strconv.Itoa(healthPort)}),
			manifest.E("methods", []string{"GET"}),
		)}).From("metrics and probes, from whom the network policy lets through")}
	}
	return manifest.Map{
		manifest.E("from", []manifest.Map{source("namespaces", []string{w.platform.Monitoring})}).
			From("%s", manifest.AtClusters(w.r.Clusters, "platform/"+w.r.Env+"/monitoring")),
		manifest.E("to", []manifest.Map{operation(
			manifest.E("ports", []string{strconv.Itoa(w.svc.Workload.HTTP)}),
			manifest.E("methods", []string{"GET"}),
			manifest.E("paths", []string{"/metrics"}),
		)}),
	}
}

// calling is the rule for the service's own ports.
func (w *workload) calling() manifest.Map {
	var ports []string
	for _, p := range []int{w.svc.Workload.HTTP, w.svc.Workload.GRPC} {
		if p != 0 {
			ports = append(ports, strconv.Itoa(p))
		}
	}
	rule := manifest.Map{w.callers(), manifest.E("to", []manifest.Map{operation(manifest.E("ports", ports))})}
	if a := w.svc.Workload.Access; a != nil && len(a.Scopes) > 0 {
		rule = append(rule, manifest.E("when", []manifest.Map{{
			manifest.E("key", "request.auth.claims[scope]"),
			manifest.E("values", a.Scopes),
		}}).From("%s; one of them is enough", manifest.At(w.svc, "workload/access/scopes")))
	}
	return rule
}

// callers are the service accounts that may call, or those of the namespace.
func (w *workload) callers() manifest.Entry {
	a := w.svc.Workload.Access
	if a == nil || len(a.Callers) == 0 {
		return manifest.E("from", []manifest.Map{source("namespaces", []string{w.platform.Namespace})}).
			From("%s: every pod of the namespace", manifest.At(w.svc, "workload/access/callers"))
	}
	var principals []string
	for _, caller := range a.Callers {
		namespace, account, elsewhere := strings.Cut(caller, "/")
		if !elsewhere {
			namespace, account = w.platform.Namespace, caller
			if w.r.Service(caller) == nil {
				w.fault(diag.RenderCaller, "workload/access/callers", "%s may be called by %s, which is no service of the estate", w.svc.Name, caller)
			}
		}
		principals = append(principals, "cluster.local/ns/"+namespace+"/sa/"+account)
	}
	return manifest.E("from", []manifest.Map{source("principals", principals)}).From("%s", manifest.At(w.svc, "workload/access/callers"))
}

// tokens says whose tokens are believed. Without it a condition on a claim would
// never hold, and a token that is not valid would not be refused.
func (w *workload) tokens() manifest.Map {
	mesh, scopes := w.platform.Mesh, w.svc.Workload.Access.Scopes
	if mesh.Issuer == "" {
		w.fault(diag.RenderScope, "workload/access/scopes", "%s asks its callers for a scope, and platform.%s.mesh.issuer is missing", w.svc.Name, w.r.Env)
	}
	for _, scope := range scopes {
		if strings.HasPrefix(scope, "*") || strings.HasSuffix(scope, "*") {
			w.fault(diag.RenderScope, "workload/access/scopes", "%s asks its callers for the scope %s, which Istio takes for a pattern", w.svc.Name, scope)
		}
	}
	at := "platform/" + w.r.Env + "/mesh/"
	return w.object("security", "RequestAuthentication", manifest.Map{
		w.pods(),
		manifest.E("jwtRules", []manifest.Map{{
			manifest.E("issuer", mesh.Issuer).From("%s", manifest.AtClusters(w.r.Clusters, at+"issuer")),
			manifest.E("jwksUri", mesh.JWKS).From("%s", manifest.AtClusters(w.r.Clusters, at+"jwks")),
			manifest.E("forwardOriginalToken", true).From("the service may want to know whose it is"),
		}}),
	})
}

func source(key string, values []string) manifest.Map {
	return manifest.Map{manifest.E("source", manifest.Map{manifest.E(key, values)})}
}

func operation(entries ...manifest.Entry) manifest.Map {
	return manifest.Map{manifest.E("operation", manifest.Map(entries))}
}
