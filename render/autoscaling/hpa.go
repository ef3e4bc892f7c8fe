package autoscaling

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

const hpaHead = `Instances of %s by how far its groups are behind, which Prometheus
knows from slipway lag export and a metrics adapter tells the autoscaler: see
prometheus-adapter.yaml. While the metric is missing nobody is stopped.`

const cpuHead = `Instances of %s by the CPU they need: it reads no stream whose lag could be
asked for.`

// hpa makes a HorizontalPodAutoscaler, and the adapter's rule for its metric.
func (w *workload) hpa() {
	metrics := []manifest.Map{{
		manifest.E("type", "ContainerResource"),
		manifest.E("containerResource", manifest.Map{
			manifest.E("name", "cpu"),
			manifest.E("container", "service").From("what runs beside it does not count"),
			manifest.E("target", manifest.Map{
				manifest.E("type", "Utilization"),
				manifest.E("averageUtilization", utilization).From("percent of the requested CPU"),
			}),
		}),
	}}
	text := cpuHead
	if len(w.streams) > 0 {
		text = hpaHead
		var lags []manifest.Map
		for _, to := range manifest.Logins(w.r, w.svc) {
			if on := w.on(to); len(on) > 0 {
				lags = append(lags, w.lagMetric(to))
				w.rules = append(w.rules, w.rule(to, on))
			}
		}
		metrics = append(lags, metrics...)
	}
	least := manifest.E("minReplicas", max(1, w.scale.Min)).From("%s", manifest.At(w.svc, "workload/scale/min"))
	if w.scale.Min == 0 {
		least = least.From("%s: 0, but an HPA wakes nobody up", manifest.At(w.svc, "workload/scale/min"))
	}
	w.files = append(w.files, manifest.Component(w.svc.Name, head(text, w.svc), nil, w.object("autoscaling/v2", "HorizontalPodAutoscaler", w.svc.Name, manifest.E("spec", manifest.Map{
		manifest.E("scaleTargetRef", w.target()),
		least,
		w.most("maxReplicas"),
		manifest.E("metrics", metrics),
		manifest.E("behavior", behavior()),
	})))...)
}

// on are the streams that are read on a cluster.
func (w *workload) on(to manifest.Connection) []*contract.Consume {
	return slices.DeleteFunc(slices.Clone(w.streams), func(c *contract.Consume) bool { return w.connection(c).Secrets != to.Secrets })
}

func (w *workload) lagMetric(to manifest.Connection) manifest.Map {
	return manifest.Map{
		manifest.E("type", "External"),
		manifest.E("external", manifest.Map{
			manifest.E("metric", manifest.Map{manifest.E("name", w.metric(to))}),
			manifest.E("target", manifest.Map{
				manifest.E("type", "AverageValue"),
				manifest.E("averageValue", strconv.FormatInt(w.threshold(), 10)).From("%s", w.why()),
			}),
		}),
	}
}

// metric is the name of the lag that instances can do something about. It is one for
// each service, because the labels by which one metric would be told apart do not
// hold the names of topics: they end at 63 characters. It is one for each cluster,
// too: the neediest decides, and nobody is stopped while one of them is missing. The
// colon is in no name.
func (w *workload) metric(to manifest.Connection) string {
	name := "slipway_usable_lag_" + w.r.Env + "_" + w.svc.Name
	if to.Alias != contract.DefaultAlias {
		name += ":" + to.Alias
	}
	return strings.ReplaceAll(name, "-", "_")
}

// rule tells the adapter what the metric of streams on a cluster is: of every partition
// as much as one instance is given, so that the sum asks for no more instances than
// there are partitions with a lag; of several exporters one; of several groups the
// neediest, because every instance is in all of them.
func (w *workload) rule(to manifest.Connection, on []*contract.Consume) manifest.Map {
	var groups, topics []string
	for _, c := range on {
		groups = append(groups, w.svc.GroupID(c))
		topics = append(topics, w.r.PhysicalTopic(c.Cluster, c.Topic))
	}
	series := fmt.Sprintf("slipway_group_lag{consumer_group=~%s,topic=~%s}", anyOf(groups), anyOf(topics))
	return manifest.Map{
		manifest.E("seriesQuery", series),
		manifest.E("resources", manifest.Map{manifest.E("namespaced", false)}),
		manifest.E("name", manifest.Map{manifest.E("as", w.metric(to))}),
		manifest.E("metricsQuery", fmt.Sprintf("max(sum by (consumer_group) (clamp_max(max by (consumer_group, topic, partition) (%s), %d)))", series, w.threshold())),
	}
}

// anyOf is a matcher's regular expression of names.
func anyOf(names []string) string {
	slices.Sort(names)
	var all []string
	for _, n := range slices.Compact(names) {
		all = append(all, regexp.QuoteMeta(n))
	}
	return strconv.Quote(strings.Join(all, "|"))
}

const adapterHead = `The rules of prometheus-adapter for the autoscalers beside it: give its Helm chart
rules.existing: slipway-lag-%[1]s, or add these rules to those it has. Labels come
from slipway lag export, which runs once for each cluster and environment.`

// adapter makes the rules of the metrics adapter, if an autoscaler needs them.
func (t *tree) adapter() {
	if len(t.rules) == 0 {
		return
	}
	labels := manifest.Map{
		manifest.E(manifest.NameLabel, "slipway-lag"),
		manifest.E(manifest.ManagedByLabel, "slipway"),
		manifest.E(manifest.OwnerLabel, "platform"),
		manifest.E(manifest.EnvironmentLabel, t.r.Env),
	}
	rules := string(manifest.YAML("", manifest.Map{manifest.E("externalRules", t.rules)}))
	t.files = append(t.files, manifest.File("prometheus-adapter.yaml", fmt.Sprintf(adapterHead, t.r.Env),
		manifest.Object("v1", "ConfigMap", "slipway-lag-"+t.r.Env, t.platform.Monitoring, labels,
			manifest.E("data", manifest.Map{manifest.E("config.yaml", rules)}))))
}

// object is one of the service's, in its namespace.
func (w *workload) object(version, kind, name string, more ...manifest.Entry) manifest.Map {
	return manifest.Object(version, kind, name, w.platform.Namespace, manifest.Labels(w.svc), more...)
}

// head is the comment above an object, with its service.
func head(text string, svc *contract.Service) string { return fmt.Sprintf(text, svc.Name) }
