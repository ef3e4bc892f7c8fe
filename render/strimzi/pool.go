package strimzi

import (
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// A pool is nodes of the same roles.
type pool struct {
	name     string
	roles    []string
	replicas int
	why      string // where the number comes from
}

// pools are the nodes that clusters.yaml lists, by what they do. Without a list there
// are three controllers, and as many brokers as a partition has replicas, but three
// at least.
func (d *derivation) pools() ([]pool, error) {
	broker := pool{name: "broker", roles: []string{contract.BrokerRole}}
	controller := pool{name: "controller", roles: []string{contract.ControllerRole}}
	both := pool{name: "dual", roles: []string{contract.ControllerRole, contract.BrokerRole}}
	for _, n := range d.cluster.Nodes {
		switch brokers, controllers := slices.Contains(n.Roles, contract.BrokerRole), slices.Contains(n.Roles, contract.ControllerRole); {
		case brokers && controllers:
			both.replicas++
		case controllers:
			controller.replicas++
		default:
			broker.replicas++
		}
	}
	why := d.of("nodes")
	if len(d.cluster.Nodes) == 0 {
		controller.replicas, broker.replicas = 3, max(3, d.cluster.Defaults.Replicas)
		why = "clusters.yaml lists no nodes: a majority of three, and a broker for each replica"
	}
	brokers, controllers := broker.replicas+both.replicas, controller.replicas+both.replicas
	place := d.estate.Clusters.Position("clusters/" + d.cluster.Name + "/nodes")
	var faults diag.List
	if brokers < d.cluster.Defaults.Replicas {
		faults.Add(diag.New(diag.RenderStrimziNodes, "cluster %s has %d brokers, and defaults.replicas is %d", d.cluster.Name, brokers, d.cluster.Defaults.Replicas).At(place))
	}
	if controllers < 3 || controllers%2 == 0 {
		faults.Add(diag.New(diag.RenderStrimziNodes, "cluster %s has %d controllers", d.cluster.Name, controllers).At(place))
	}
	all := slices.DeleteFunc([]pool{broker, controller, both}, func(p pool) bool { return p.replicas == 0 })
	for i := range all {
		all[i].why = why
	}
	return all, faults.Err()
}

func (d *derivation) pool(p pool) {
	nodes := d.platform.Strimzi.Nodes
	cpu, memory, size := nodes.CPU.String(), contract.FormatMemory(nodes.Memory), contract.FormatMemory(nodes.Storage)
	place := d.at("strimzi/nodes")
	if p.name == "controller" {
		cpu, memory, size, place = controllerCPU, controllerMemory, metadataVolume, "of a controller, which keeps metadata alone"
	}
	volume := manifest.Map{
		manifest.E("id", 0), manifest.E("type", "persistent-claim"),
		manifest.E("size", size).From("%s", place),
		manifest.If(d.platform.StorageClass != "", manifest.E("class", d.platform.StorageClass).From("%s", d.at("storageClass"))),
		manifest.E("deleteClaim", false),
		manifest.E("kraftMetadata", "shared"),
	}
	amounts := manifest.Map{manifest.E("cpu", cpu), manifest.E("memory", memory)}
	spec := manifest.Map{
		manifest.E("replicas", p.replicas).From("%s", p.why),
		manifest.E("roles", p.roles),
		manifest.E("storage", manifest.Map{manifest.E("type", "jbod"), manifest.E("volumes", []manifest.Map{volume})}),
		manifest.E("resources", manifest.Map{manifest.E("requests", amounts), manifest.E("limits", amounts)}).From("%s", place),
		manifest.E("template", manifest.Map{manifest.E("pod", manifest.Map{manifest.E("topologySpreadConstraints", d.spread(p))})}),
	}
	name := p.name // unique in the namespace, so of this Kafka
	object := d.object("KafkaNodePool", d.platform.Strimzi.Cluster+"-"+name, d.labels(), manifest.E("spec", spec))
	d.add("nodepool-"+name+".yaml", "Nodes of "+d.cluster.Name+". Strimzi names them, and their certificates; a node that is added gets no partition by itself.", object)
}

// spread keeps nodes of a pool on machines of their own, and in different zones where
// there are such.
func (d *derivation) spread(p pool) []manifest.Map {
	constraint := func(key, unsatisfiable string) manifest.Map {
		return manifest.Map{
			manifest.E("maxSkew", 1), manifest.E("topologyKey", key), manifest.E("whenUnsatisfiable", unsatisfiable),
			manifest.E("labelSelector", manifest.Map{manifest.E("matchLabels", manifest.Map{
				manifest.E(clusterLabel, d.platform.Strimzi.Cluster),
				manifest.E("strimzi.io/pool-name", d.platform.Strimzi.Cluster+"-"+p.name),
			})}),
		}
	}
	return []manifest.Map{constraint("kubernetes.io/hostname", "DoNotSchedule"), constraint("topology.kubernetes.io/zone", "ScheduleAnyway")}
}
