package strimzi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// apiVersion is that of Strimzi's resources since 0.49, and the only one since 1.0.
const apiVersion = "kafka.strimzi.io/v1"

// clusterLabel names the Kafka that an object belongs to.
const clusterLabel = "strimzi.io/cluster"

// Target renders topics, users and, where clusters.yaml sizes its nodes, the Kafka
// itself.
func Target() render.Target {
	return render.Target{
		Name:    "strimzi",
		Summary: "KafkaTopic, KafkaUser and Kafka for clusters that Strimzi runs",
		Render:  files,
	}
}

func files(in render.Input) ([]render.File, error) {
	r, err := in.Resolve()
	if err != nil {
		return nil, err
	}
	d, err := newDerivation(r)
	if err != nil {
		return nil, err
	}
	if err := d.users(); err != nil {
		return nil, err
	}
	d.topics()
	if err := d.kafka(); err != nil {
		return nil, err
	}
	d.kustomization()
	return d.out, nil
}

// A derivation collects what belongs to one Kafka of Strimzi's.
type derivation struct {
	estate   *contract.Resolved
	platform *contract.Platform
	cluster  *contract.Cluster // as clusters.yaml has it
	want     *plan.Desired
	reasons  map[right][]acl.Reason

	out       []render.File
	resources []string // of the kustomization
}

func newDerivation(r *contract.Resolved) (*derivation, error) {
	d := &derivation{estate: r, platform: r.Clusters.Platform(r.Env), cluster: r.Cluster(r.ClusterName(contract.DefaultAlias))}
	if d.platform.Strimzi == nil {
		return nil, diag.New(diag.RenderNoStrimzi, "platform.%s.strimzi is missing", r.Env).At(r.Clusters.Position("platform/"+r.Env)).
			WithFix("write platform: {%s: {strimzi: {cluster: NAME}}} in %s; NAME is what the Kafka object is called", r.Env, contract.ClustersFile)
	}
	if d.cluster == nil || r.Clusters.Clusters[d.cluster.Name] == nil {
		name := r.ClusterName(contract.DefaultAlias)
		if name == "" {
			name = "nothing"
		}
		return nil, diag.New(diag.RenderNoStrimzi, "the alias default of environment %s means %s, which Strimzi does not run", r.Env, name).
			At(r.Clusters.Position("environments/" + r.Env))
	}
	var err error
	if d.want, err = plan.Derive(r, d.cluster.Name); err != nil {
		return nil, err
	}
	d.reasons = reasons(d.want.Grants)
	return d, nil
}

// object begins one of Strimzi's objects.
func (d *derivation) object(kind, name string, labels manifest.Map, more ...manifest.Entry) manifest.Map {
	labels = append(slices.Clone(labels), manifest.E(clusterLabel, d.platform.Strimzi.Cluster).
		From("%s", manifest.AtClusters(d.estate.Clusters, "platform/"+d.estate.Env+"/strimzi/cluster")))
	return manifest.Object(apiVersion, kind, name, d.platform.Strimzi.Namespace, labels, more...)
}

func (d *derivation) add(path, head string, objects ...manifest.Map) {
	d.out = append(d.out, manifest.File(path, head, objects...))
	d.resources = append(d.resources, path)
}

func (d *derivation) kustomization() {
	slices.Sort(d.resources)
	head := fmt.Sprintf("What environment %s needs of cluster %s, as Strimzi's objects.\nOther files may stand beside these: name them in a kustomization of your own.", d.estate.Env, d.cluster.Name)
	if others := d.elsewhere(); len(others) > 0 {
		head += "\nNot here, because Strimzi's Kafka is another one: what is on " + strings.Join(others, ", ") + "."
	}
	d.out = append(d.out, manifest.File("kustomization.yaml", head, manifest.Map{
		manifest.E("apiVersion", "kustomize.config.k8s.io/v1beta1"),
		manifest.E("kind", "Kustomization"),
		manifest.E("resources", d.resources),
	}))
}

// elsewhere are the clusters that services use beside Strimzi's.
func (d *derivation) elsewhere() []string {
	return slices.DeleteFunc(plan.Clusters(d.estate), func(name string) bool { return name == d.cluster.Name })
}

// because are reasons as a comment tells them.
func because(reasons []acl.Reason) string {
	var all []string
	for _, r := range reasons {
		all = append(all, fmt.Sprintf("%s (%s:%d)", r.Text, r.Position.File, r.Position.Line))
	}
	return strings.Join(all, "; ")
}
