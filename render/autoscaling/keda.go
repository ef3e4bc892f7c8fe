package autoscaling

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

const scaledHead = `Instances of %s by how far its groups are behind.

A topic asks for no more instances than it has partitions with a lag, so that the
lag never starts one that would get none of them.`

// keda makes a ScaledObject that asks the brokers.
func (w *workload) keda() {
	triggers := w.lagTriggers()
	if len(triggers) > 0 && w.platform.Credentials.From == contract.FromVault {
		w.faults.Add(diag.New(diag.RenderScaleBlind, "%s is scaled by KEDA, and its credentials come from vault, in environment %s", w.svc.Name, w.r.Env).
			At(w.r.Clusters.Position("platform", w.r.Env, "credentials")))
		return
	}
	objects := []manifest.Map{w.object("keda.sh/v1alpha1", "ScaledObject", w.svc.Name, manifest.E("spec", manifest.Map{
		manifest.E("scaleTargetRef", w.target()),
		w.least("minReplicaCount", len(triggers) > 0),
		w.most("maxReplicaCount"),
		manifest.E("pollingInterval", 30).From("seconds between two looks"),
		manifest.If(len(triggers) > 0, w.fallback()),
		manifest.E("advanced", manifest.Map{manifest.E("horizontalPodAutoscalerConfig", manifest.Map{manifest.E("behavior", behavior())})}),
		manifest.E("triggers", append(triggers, cpuTrigger())),
	}))}
	text := cpuHead
	if len(triggers) > 0 {
		text = scaledHead
		objects = append(objects, w.logins()...)
	}
	w.files = append(w.files, manifest.Component(w.svc.Name, head(text, w.svc), nil, objects...)...)
}

// least is the lower bound. Without any instance only the lag of a stream wakes one
// up: the rest of what a service may have to do does not show there.
func (w *workload) least(key string, woken bool) manifest.Entry {
	at := manifest.At(w.svc, "workload/scale/min")
	switch why := resting(w.svc); {
	case w.scale.Min > 0:
		return manifest.E(key, w.scale.Min).From("%s", at)
	case why != "":
		return manifest.E(key, 1).From("%s: 0, but then %s", at, why)
	case !woken:
		return manifest.E(key, 1).From("%s: 0, but CPU wakes nobody up", at)
	default:
		return manifest.E(key, 0).From("%s", at)
	}
}

// fallback keeps what runs while the brokers do not answer. An outage of theirs says
// nothing of the work to come, which is more than usual when they are back.
func (w *workload) fallback() manifest.Entry {
	return manifest.E("fallback", manifest.Map{
		manifest.E("failureThreshold", 3),
		manifest.E("replicas", max(1, w.scale.Min)).From("%s", manifest.At(w.svc, "workload/scale/min")),
		manifest.E("behavior", "currentReplicasIfHigher"),
	}).From("brokers that do not answer stop nobody: what runs stays")
}

// lagTriggers are one for each topic of a group.
func (w *workload) lagTriggers() []manifest.Map {
	var all []manifest.Map
	for _, c := range w.streams {
		if c.As == contract.Share {
			continue // its lag is not in the group's offsets, and KEDA asks for nothing else
		}
		all = append(all, manifest.Map{
			manifest.E("type", "kafka").From("%s", manifest.At(w.svc, "consumes/"+c.Name)),
			manifest.E("metadata", w.question(c)),
			manifest.E("authenticationRef", manifest.Map{manifest.E("name", w.secret(w.connection(c)))}),
		})
	}
	return all
}

// connection is how the service reaches the cluster of an entry, and KEDA does.
func (w *workload) connection(c *contract.Consume) manifest.Connection {
	all := manifest.Connections(w.r, w.svc)
	return all[slices.IndexFunc(all, func(to manifest.Connection) bool { return to.Alias == cmp.Or(c.Cluster, contract.DefaultAlias) })]
}

// secret is what the Secret is called that the service logs in with, and KEDA's object
// by which it does.
func (w *workload) secret(to manifest.Connection) string { return w.svc.Name + "-" + to.Named("kafka") }

func (w *workload) question(c *contract.Consume) manifest.Map {
	to := w.connection(c)
	auth := w.svc.AuthOn(to.Cluster.Name)
	if to.Bootstrap == "" {
		w.faults.Add(diag.New(diag.RenderAddress, "%s reads %s of cluster %s, which has no address for %s, in environment %s", w.svc.Name, c.Topic, to.Cluster.Name, auth, w.r.Env).
			At(w.r.Clusters.Position("clusters", to.Cluster.Name, "bootstrap")))
	}
	return manifest.Map{
		manifest.E("bootstrapServers", to.Bootstrap).From("%s", manifest.AtClusters(w.r.Clusters, "clusters/"+to.Cluster.Name+"/bootstrap")),
		manifest.E("version", "2.8.0").From("of the protocol; brokers since 4.0 refuse what KEDA speaks by default"),
		manifest.E("consumerGroup", w.svc.GroupID(c)),
		manifest.E("topic", w.r.PhysicalTopic(c.Cluster, c.Topic)),
		manifest.E("lagThreshold", strconv.FormatInt(w.threshold(), 10)).From("%s", w.why()),
		manifest.E("limitToPartitionsWithLag", "true").From("an instance without work is none too few"),
		manifest.E("allowIdleConsumers", "false"),
		manifest.E("excludePersistentLag", "false").From("an offset that stands still may be an attempt that takes long"),
		manifest.E("scaleToZeroOnInvalidOffset", "false").From("a group without commits has all its work before it"),
		manifest.E("offsetResetPolicy", reset(c.Start)).From("%s", manifest.At(w.svc, "consumes/"+c.Name+"/start")),
		manifest.E("tls", "enable"),
		manifest.If(auth != contract.MTLS, manifest.E("sasl", mechanisms[auth])),
	}
}

// reset is what KEDA counts for a group that has committed nothing. Where the service
// refuses to start then, one instance is enough to say so.
func reset(start contract.Start) string {
	if start == contract.StartEarliest {
		return "earliest"
	}
	return "latest"
}

var mechanisms = map[contract.Auth]string{
	contract.SCRAMSHA512: "scram_sha512",
	contract.SCRAMSHA256: "scram_sha256",
	contract.Plain:       "plaintext",
}

func cpuTrigger() manifest.Map {
	return manifest.Map{
		manifest.E("type", "cpu"),
		manifest.E("metricType", "Utilization"),
		manifest.E("metadata", manifest.Map{
			manifest.E("value", strconv.Itoa(utilization)).From("percent of the requested CPU"),
			manifest.E("containerName", "service").From("what runs beside it does not count"),
		}),
	}
}

// A parameter is what KEDA calls the value at a key of a Secret or a ConfigMap.
type parameter struct{ name, key string }

var authority = parameter{"ca", "ca.crt"}

// logins are one for each cluster whose lag is asked for. The password has no name
// beside it in the Secret, so the name is in a ConfigMap: the same everywhere.
func (w *workload) logins() []manifest.Map {
	asked := make(map[string]bool)
	for _, c := range w.streams {
		if c.As != contract.Share {
			asked[w.connection(c).Secrets] = true
		}
	}
	var all []manifest.Map
	for _, to := range manifest.Logins(w.r, w.svc) {
		if asked[to.Secrets] {
			all = append(all, w.login(w.secret(to)))
		}
	}
	if w.svc.Auth != contract.MTLS {
		all = append(all, w.object("v1", "ConfigMap", w.names(), manifest.E("data", manifest.Map{manifest.E("username", w.svc.User())})))
	}
	return all
}

// names is the ConfigMap with the service's name in Kafka.
func (w *workload) names() string { return w.svc.Name + "-keda" }

// login is where KEDA takes the service's own key or password from. The brokers'
// authority is where the service has it from.
func (w *workload) login(secret string) manifest.Map {
	from := func(object string, keys ...parameter) []manifest.Map {
		var all []manifest.Map
		for _, k := range keys {
			all = append(all, manifest.Map{manifest.E("parameter", k.name), manifest.E("name", object), manifest.E("key", k.key)})
		}
		return all
	}
	wanted, given := []parameter{{"password", "password"}}, from(w.names(), parameter{"username", "username"})
	if w.svc.Auth == contract.MTLS {
		wanted, given = []parameter{{"cert", "tls.crt"}, {"key", "tls.key"}}, nil
	}
	if bundle := w.platform.Credentials.Bundle; bundle != "" && w.svc.Auth == contract.MTLS {
		given = append(given, from(bundle, authority)...)
	} else {
		wanted = append(wanted, authority)
	}
	return w.object("keda.sh/v1alpha1", "TriggerAuthentication", secret, manifest.E("spec", manifest.Map{
		manifest.E("secretTargetRef", from(secret, wanted...)),
		manifest.If(len(given) > 0, manifest.E("configMapTargetRef", given)),
	}))
}
