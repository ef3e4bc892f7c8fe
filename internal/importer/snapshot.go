package importer

import (
	"maps"
	"slices"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// A Source is what an import was read from.
type Source string

// The sources.
const (
	FromCluster Source = "cluster"
	FromStrimzi Source = "strimzi"
	FromPolicy  Source = "policy"
)

// A Snapshot is what a source says there is.
type Snapshot struct {
	Source Source

	// ClusterID and Brokers are known of a live cluster only.
	ClusterID string
	Brokers   int

	// Topics by name. Configs are the settings in effect of a live cluster,
	// and the ones that are stated of a file.
	Topics map[string]kafka.Topic

	// Settings are those that were given to a topic itself. Of a file they are
	// the same as the topic's Configs.
	Settings map[string]map[string]string

	Bindings []acl.Binding
	Users    map[string][]kafka.Credential

	// Auth is how principals log in, where the source says so.
	Auth map[string]contract.Auth

	Groups map[string]Group
	Quotas map[string]map[string]float64 // limits by user, in Kafka's words

	// Left are what the source's reader could not take.
	Left []Item
}

// A Group is a consumer group that exists.
type Group struct {
	Protocol kafka.Protocol // empty if it is not known
	Topics   []string       // in which it has committed, sorted
}

func newSnapshot(source Source) *Snapshot {
	return &Snapshot{
		Source: source, Topics: map[string]kafka.Topic{}, Settings: map[string]map[string]string{}, Users: map[string][]kafka.Credential{},
		Auth: map[string]contract.Auth{}, Groups: map[string]Group{}, Quotas: map[string]map[string]float64{},
	}
}

// Add takes what another snapshot of the same kind says, as where several
// files are imported together. A topic that both describe is an error.
func (s *Snapshot) Add(other *Snapshot) error {
	for _, topic := range sortedKeys(other.Topics) {
		if _, twice := s.Topics[topic]; twice {
			return diag.New(diag.ImportFormat, "topic %s is in two files", topic).WithFix("import the one that holds")
		}
	}
	maps.Copy(s.Topics, other.Topics)
	maps.Copy(s.Settings, other.Settings)
	maps.Copy(s.Users, other.Users)
	maps.Copy(s.Auth, other.Auth)
	maps.Copy(s.Groups, other.Groups)
	maps.Copy(s.Quotas, other.Quotas)
	s.Bindings = append(s.Bindings, other.Bindings...)
	s.Left = append(s.Left, other.Left...)
	return nil
}

// bindings are the snapshot's, each once and in order.
func (s *Snapshot) bindings() []acl.Binding {
	sorted := slices.SortedFunc(slices.Values(s.Bindings), acl.Binding.Compare)
	return slices.Compact(sorted)
}

// live reports whether the snapshot knows everything that there is.
func (s *Snapshot) live() bool { return s.Source == FromCluster }
