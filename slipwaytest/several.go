package slipwaytest

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/embedded"
)

// elsewhere is what the other clusters are called where one is applied.
const elsewhere = "elsewhere"

// On is the kit on another cluster, by the alias that contracts under test give
// it: what it sends, reads and breaks is there. The services are the same ones.
func (k *Kit) On(alias string) *Kit {
	k.t.Helper()
	alias = cmp.Or(alias, contract.DefaultAlias)
	root := k.root()
	if alias == root.alias {
		return root
	}
	if root.others[alias] == nil {
		k.t.Fatalf("no contract under test names the cluster %s; there are %v", alias, slices.Sorted(maps.Keys(root.others)))
	}
	return root.others[alias]
}

// root is the kit on the default cluster.
func (k *Kit) root() *Kit {
	if k.first != nil {
		return k.first
	}
	return k
}

// here reports whether an alias in a contract means the kit's cluster.
func (k *Kit) here(alias string) bool { return cmp.Or(alias, contract.DefaultAlias) == k.alias }

// raise starts the kit's cluster.
func (k *Kit) raise(cfg embedded.Config) {
	k.t.Helper()
	cluster, err := embedded.Start(k.t.Context(), cfg)
	if err != nil {
		k.t.Fatalf("start cluster %s: %v", k.alias, err)
	}
	k.cluster = cluster
}

// raiseOthers starts the clusters that the contracts name beside the default
// one, each with ports of its own on the same wires.
func (k *Kit) raiseOthers(wires *kfake.VirtualNetwork) {
	k.t.Helper()
	k.others = make(map[string]*Kit)
	for _, s := range k.services {
		for _, alias := range s.contract.Clusters() {
			if k.here(alias) || k.others[alias] != nil {
				continue
			}
			other := &Kit{
				t: k.t, alias: alias, first: k, dir: filepath.Join(k.dir, alias), log: k.log, journal: k.journal, codecs: k.codecs,
				services: k.services, order: k.order, network: k.network, topics: make(map[string]*topic), read: make(map[string]*reading),
			}
			if err := os.Mkdir(other.dir, 0o700); err != nil {
				k.t.Fatal(err)
			}
			k.others[alias] = other // before it runs, so that it is stopped
			base := 10 * len(k.others)
			other.raise(embedded.Config{Network: wires, Ports: []int{9092 + base, 9093 + base, 9094 + base}, RegistryPort: 8081 + base})
		}
	}
}
