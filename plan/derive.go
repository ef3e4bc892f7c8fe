package plan

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

const (
	// DeadLetterRetention is how long dead letters are kept at least. They
	// wait for a person, who may be on holiday; a topic that keeps its records
	// longer keeps its dead letters as long.
	DeadLetterRetention = 30 * 24 * time.Hour

	// DeadLetterHeadroom is how much larger a dead letter may be than the
	// largest record of its source: it is the same record with headers added,
	// and one that does not fit would block its partition for ever.
	DeadLetterHeadroom = 64 << 10

	// brokerMaxMessage is Kafka's default of max.message.bytes.
	brokerMaxMessage = 1 << 20
)

// Clusters returns the clusters that an environment's services use, sorted.
func Clusters(r *contract.Resolved) []string {
	seen := map[string]bool{}
	for _, svc := range r.Services {
		for _, alias := range aliases(svc) {
			seen[r.ClusterName(alias)] = true
		}
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}

// aliases are the logical clusters of a service's entries; the default one if
// it has none.
func aliases(svc *contract.Service) []string {
	seen := map[string]bool{}
	for _, t := range svc.Topics {
		seen[cmp.Or(t.Cluster, contract.DefaultAlias)] = true
	}
	for _, p := range svc.Produces {
		seen[cmp.Or(p.Cluster, contract.DefaultAlias)] = true
	}
	for _, c := range svc.Consumes {
		seen[cmp.Or(c.Cluster, contract.DefaultAlias)] = true
	}
	if len(seen) == 0 {
		return []string{contract.DefaultAlias}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Derive returns what an estate calls for on one of its clusters. It fails,
// with every reason, on a cluster nobody declared, on services that would
// share a group or transactional ids, and on schema files that cannot be read.
func Derive(r *contract.Resolved, cluster string) (*Desired, error) {
	entry := r.Cluster(cluster)
	if entry == nil {
		return nil, diag.New(diag.PlanUnknownCluster, "environment %s has no cluster %q", r.Env, cluster).
			WithEvidence("clusters of %s: %s", r.Env, strings.Join(Clusters(r), ", "))
	}
	d := &derivation{estate: r, cluster: entry, owners: owners(r)}
	for _, svc := range r.Services {
		d.service(svc)
	}
	for _, g := range acl.Derive(r) {
		if g.Cluster == cluster {
			d.out.Grants = append(d.out.Grants, g)
		}
	}
	d.faults = append(d.faults, acl.Conflicts(d.out.Grants)...)
	if err := d.faults.Err(); err != nil {
		return nil, err
	}
	return d.done(), nil
}

type derivation struct {
	estate  *contract.Resolved
	cluster *contract.Cluster
	owners  map[string]*contract.Topic
	out     Desired
	faults  diag.List
}

func owners(r *contract.Resolved) map[string]*contract.Topic {
	all := map[string]*contract.Topic{}
	for _, svc := range r.Services {
		maps.Copy(all, svc.Topics)
	}
	return all
}

func (d *derivation) here(alias string) bool { return d.estate.ClusterName(alias) == d.cluster.Name }

func (d *derivation) service(svc *contract.Service) {
	for name, t := range svc.Topics {
		if d.here(t.Cluster) {
			d.topic(svc, name, t)
			d.subject(svc, name, t)
		}
	}
	for name, c := range svc.Consumes {
		if d.here(c.Cluster) && c.DeadLetters() {
			d.deadLetters(svc, name, c)
		}
	}
	d.user(svc)
}

func (d *derivation) topic(svc *contract.Service, name string, t *contract.Topic) {
	configs := map[string]string{kafka.CleanupPolicy: cleanup(t)}
	if t.Retention != 0 {
		configs[kafka.RetentionMillis] = retention(t.Retention)
	}
	if t.MaxMessage > 0 {
		configs[kafka.MaxMessageBytes] = strconv.FormatInt(int64(t.MaxMessage), 10)
	}
	d.out.Topics = append(d.out.Topics, Topic{
		Name:       d.estate.PhysicalTopic(t.Cluster, name),
		Service:    svc.Name,
		Role:       Owned,
		Partitions: d.partitions(t),
		Replicas:   cmp.Or(t.Replicas, d.cluster.Defaults.Replicas),
		Configs:    d.durable(configs),
		Keyed:      t.Key.Field != "",
		Protect:    t.Protect,
		Reasons:    []Reason{{Service: svc.Name, Text: "owns " + name, Position: svc.Position("topics/" + name)}},
	})
}

// deadLetters has as many partitions as its source, so that a flood of dead
// letters spreads as its source does. The number is that of its creation: a
// source that grows leaves it alone.
func (d *derivation) deadLetters(svc *contract.Service, entry string, c *contract.Consume) {
	source := d.source(c.Topic)
	largest := cmp.Or(int64(source.MaxMessage), brokerMaxMessage)
	keep := max(source.Retention, DeadLetterRetention)
	if source.Retention < 0 {
		keep = source.Retention
	}
	d.out.Topics = append(d.out.Topics, Topic{
		Name:       svc.DeadLetterTopic(c),
		Service:    svc.Name,
		Role:       DeadLetters,
		Partitions: d.partitions(source),
		Replicas:   cmp.Or(source.Replicas, d.cluster.Defaults.Replicas),
		Configs: d.durable(map[string]string{
			kafka.CleanupPolicy:   "delete",
			kafka.RetentionMillis: retention(keep),
			kafka.MaxMessageBytes: strconv.FormatInt(min(largest+DeadLetterHeadroom, math.MaxInt32), 10),
		}),
		Reasons: []Reason{{Service: svc.Name, Text: "sends dead letters of " + c.Topic, Position: svc.Position("consumes/" + entry)}},
	})
}

// source is what is known of a consumed topic.
func (d *derivation) source(topic string) *contract.Topic {
	if t := d.owners[topic]; t != nil {
		return t
	}
	if d.estate.External != nil {
		if t := d.estate.External.Topics[topic]; t != nil {
			return &contract.Topic{Name: topic, Partitions: t.Partitions}
		}
	}
	return &contract.Topic{Name: topic}
}

func (d *derivation) partitions(t *contract.Topic) int {
	return cmp.Or(t.Partitions, d.cluster.Defaults.Partitions)
}

// durable adds the setting that makes acks=all mean something.
func (d *derivation) durable(configs map[string]string) map[string]string {
	if n := d.cluster.Defaults.MinInsyncReplicas; n > 0 {
		configs[kafka.MinInsyncReplicas] = strconv.Itoa(n)
	}
	return configs
}

// cleanup reads a compacted topic with a retention as both: the last record of
// each key, until it is too old.
func cleanup(t *contract.Topic) string {
	switch {
	case t.Compact && t.Retention > 0:
		return "compact,delete"
	case t.Compact:
		return "compact"
	default:
		return "delete"
	}
}

func retention(d time.Duration) string {
	if d < 0 {
		return "-1"
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

func (d *derivation) subject(svc *contract.Service, name string, t *contract.Topic) {
	if t.Schema == nil {
		return
	}
	pos := svc.Position("topics/" + name + "/schema")
	text, err := svc.SchemaText(t.Schema)
	if err != nil {
		d.faults.Add(diag.New(diag.PlanSchemaMissing, "the schema of %s is not there: %v", name, err).At(pos))
		return
	}
	d.out.Subjects = append(d.out.Subjects, Subject{
		Name:    contract.Subject(d.estate.PhysicalTopic(t.Cluster, name)),
		Service: svc.Name,
		Format:  cmp.Or(t.Schema.Format, contract.Avro),
		Schema:  text,
		Level:   cmp.Or(t.Schema.Compatibility, contract.BackwardTransitive),
		Reasons: []Reason{{Service: svc.Name, Text: "owns " + name + " with this schema", Position: pos}},
	})
}

// user is the service's login, on the clusters of its entries.
func (d *derivation) user(svc *contract.Service) {
	auth := svc.AuthOn(d.cluster.Name)
	if auth != contract.SCRAMSHA256 && auth != contract.SCRAMSHA512 {
		return
	}
	if !slices.ContainsFunc(aliases(svc), d.here) {
		return
	}
	d.out.Users = append(d.out.Users, User{
		Name:      svc.User(),
		Service:   svc.Name,
		Mechanism: auth,
		Reasons:   []Reason{loginReason(svc, auth)},
	})
}

func loginReason(svc *contract.Service, auth contract.Auth) Reason {
	text := "logs in with " + string(auth)
	if svc.Auth != "" && svc.Auth != auth {
		text += ", which stands in for " + string(svc.Auth) + " there"
	}
	return Reason{Service: svc.Name, Text: text, Position: svc.Position("identity/auth")}
}

// done merges what several entries call for and puts all in order.
func (d *derivation) done() *Desired {
	out := &d.out
	out.Env, out.Cluster, out.ClusterID = d.estate.Env, d.cluster.Name, d.cluster.ID
	out.Topics = merge(out.Topics, func(t *Topic) (string, *[]Reason) { return t.Name, &t.Reasons })
	out.Users = merge(out.Users, func(u *User) (string, *[]Reason) { return u.Name + " " + string(u.Mechanism), &u.Reasons })
	out.Subjects = merge(out.Subjects, func(s *Subject) (string, *[]Reason) { return s.Name, &s.Reasons })
	return out
}

// merge sorts items by key and joins the reasons of those with the same one.
func merge[T any](items []T, parts func(*T) (key string, reasons *[]Reason)) []T {
	byKey := map[string]*T{}
	for i := range items {
		key, reasons := parts(&items[i])
		if first := byKey[key]; first != nil {
			_, known := parts(first)
			*known = append(*known, *reasons...)
			continue
		}
		byKey[key] = &items[i]
	}
	merged := make([]T, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		_, reasons := parts(byKey[key])
		slices.SortFunc(*reasons, Reason.Compare)
		merged = append(merged, *byKey[key])
	}
	return merged
}
