package importer

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// Options say how an import is drafted. The zero value is good for files.
type Options struct {
	// Bootstrap are the addresses that a new clusters.yaml gets.
	//
	// Defaults to a placeholder, which the report tells.
	Bootstrap contract.Bootstrap

	// CA names the CA's file beside a new clusters.yaml; empty means the
	// system's.
	CA string

	// Cluster is what a new clusters.yaml calls the cluster.
	//
	// Defaults to "kafka".
	Cluster string

	// Dir is the directory that the draft is for. One that has a clusters.yaml
	// keeps it, and the draft fits it. Nil means an empty one.
	Dir fs.FS

	// Env is the environment that the names of the source are those of.
	//
	// Defaults to "prod".
	Env string

	// Expand turns rights by prefix, by * and by ALL into the topics and groups
	// that they cover now. It is a guess.
	Expand bool

	// Keys are the fields that are the keys of topics, as the contract of a
	// compacted topic has to say.
	Keys map[string]string

	// Owner is the team that contracts name.
	//
	// Defaults to "unknown".
	Owner string
}

func (o Options) withDefaults() Options {
	o.Cluster = cmp.Or(o.Cluster, "kafka")
	o.Env = cmp.Or(o.Env, "prod")
	o.Owner = cmp.Or(o.Owner, "unknown")
	if o.Dir == nil {
		o.Dir = overlay{}
	}
	return o
}

// unknownAddress is where no cluster ever is (RFC 2606).
const unknownAddress = "kafka.invalid:9093"

// surroundings are what the contracts are written for.
type surroundings struct {
	written  bool   // clusters.yaml is there already
	cluster  string // its name
	prefix   string // of the environment's topics
	defaults contract.Defaults
	naming   *regexp.Regexp
}

// anyTopic is the rule for names of an estate whose topics have older ones.
const anyTopic = `^[a-zA-Z0-9._-]+$`

func (o Options) surroundings(in *Snapshot) (surroundings, error) {
	s := surroundings{cluster: o.Cluster, defaults: usual(in), naming: regexp.MustCompile(contract.DefaultTopicNaming)}
	if _, err := fs.Stat(o.Dir, contract.ClustersFile); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	clusters, list := contract.ParseClusters(o.Dir, contract.ClustersFile)
	if err := list.Err(); err != nil {
		return s, err
	}
	bindings, known := clusters.Environments[o.Env]
	bound, aliased := bindings[contract.DefaultAlias]
	if !known || !aliased {
		return s, diag.New(diag.ClusterEnvironment, "environment %s is not in %s, or does not bind the alias %s", o.Env, contract.ClustersFile, contract.DefaultAlias).
			WithFix("name one with -e: %s", strings.Join(slices.Sorted(maps.Keys(clusters.Environments)), ", "))
	}
	r := contract.Resolved{Env: o.Env, Clusters: clusters, Bindings: bindings}
	entry := r.Cluster(bound.Cluster)
	if entry == nil {
		return s, diag.New(diag.ClusterUnknown, "cluster %s is not listed in %s", bound.Cluster, contract.ClustersFile)
	}
	return surroundings{written: true, cluster: bound.Cluster, prefix: bound.TopicPrefix, defaults: entry.Defaults, naming: clusters.TopicNaming}, nil
}

// usual are the settings that most topics have: what is different must be
// stated, or cannot be.
func usual(in *Snapshot) contract.Defaults {
	replicas, insync := map[int]int{}, map[int]int{}
	for _, t := range in.Topics {
		if t.Replicas > 0 {
			replicas[t.Replicas]++
		}
		if n, err := strconv.Atoi(t.Configs[kafka.MinInsyncReplicas]); err == nil && n > 0 && n <= 100 {
			insync[n]++
		}
	}
	d := contract.Defaults{Partitions: 6, Replicas: most(replicas), MinInsyncReplicas: most(insync)}
	d.Replicas = max(cmp.Or(d.Replicas, 3), d.MinInsyncReplicas)
	d.MinInsyncReplicas = cmp.Or(d.MinInsyncReplicas, min(2, max(1, d.Replicas-1)))
	return d
}

// most is the number that is there most often, the greatest of several; 0 if
// there is none.
func most(times map[int]int) int {
	best := 0
	for _, n := range slices.Sorted(maps.Keys(times)) {
		if best == 0 || times[n] >= times[best] {
			best = n
		}
	}
	return best
}
