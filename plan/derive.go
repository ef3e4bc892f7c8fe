package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/schema"
)

// Clusters returns the clusters that an environment's services use, sorted.
func Clusters(r *contract.Resolved) []string {
	seen := map[string]bool{}
	for _, svc := range r.Services {
		for _, alias := range svc.Aliases() {
			seen[r.ClusterName(alias)] = true
		}
		for _, c := range svc.Connectors {
			seen[r.ClusterName(c.Cluster)] = true
		}
	}
	delete(seen, "")
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
	d.unshared()
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
		if d.here(c.Cluster) {
			d.derived(svc, name, c)
			d.group(svc, name, c)
			d.reading(svc, c)
		}
	}
	d.user(svc)
	d.quota(svc)
	d.connectors(svc)
	d.heartbeats(svc)
	d.probes(svc)
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
	source, err := schema.SourceOf(svc, t.Schema, d.prefix(t.Cluster))
	if err != nil {
		d.faults.Add(diag.New(diag.PlanSchemaMissing, "the schema of %s is not there: %v", name, err).At(pos))
		return
	}
	of := Subject{
		Service: svc.Name,
		Format:  cmp.Or(t.Schema.Format, contract.Avro),
		Schema:  source.Schema,
		Imports: source.Imports,
		Level:   cmp.Or(t.Schema.Compatibility, contract.BackwardTransitive),
		Readers: d.readers(name, t.Schema.Format),
		Reasons: []Reason{{Service: svc.Name, Text: "owns " + name + " with this schema", Position: pos}},
	}
	if of.Name, err = SubjectName(of.Format, t.Schema.Subject, d.prefix(t.Cluster), name, source); err != nil {
		d.faults = append(d.faults, faultsOf(err, name, pos)...)
		return
	}
	d.out.Subjects = append(d.out.Subjects, of)
	d.imported(of, name)
	d.keySubject(of, source, name, t)
}

// user is the service's login, on the clusters of its entries, and that of its
// redrive where it has dead letters.
func (d *derivation) user(svc *contract.Service) {
	auth := svc.AuthOn(d.cluster.Name)
	if auth != contract.SCRAMSHA256 && auth != contract.SCRAMSHA512 {
		return
	}
	if !slices.ContainsFunc(svc.Aliases(), d.here) {
		return
	}
	add := func(name string, reason Reason) {
		d.out.Users = append(d.out.Users, User{Name: name, Service: svc.Name, Mechanism: auth, Reasons: []Reason{reason}})
	}
	add(svc.User(), loginReason(svc, auth))
	if redrives(d.estate, svc, d.cluster.Name) {
		add(svc.RedriveUser(), redriveReason(svc, auth))
	}
}

// redrives reports whether the service has dead letters on a cluster, and
// therefore somebody who works on them there.
func redrives(r *contract.Resolved, svc *contract.Service, cluster string) bool {
	for _, c := range svc.Consumes {
		if c.DeadLetters() && r.ClusterName(c.Cluster) == cluster {
			return true
		}
	}
	return false
}

// redriveReason is the login's, for whoever works on the service's dead
// letters in its name.
func redriveReason(svc *contract.Service, auth contract.Auth) Reason {
	reason := loginReason(svc, auth)
	reason.Text = "lets an operator redrive its dead letters, who " + reason.Text
	return reason
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
	out.Quotas = merge(out.Quotas, func(q *Quota) (string, *[]Reason) { return q.User, &q.Reasons })
	out.Groups = merge(out.Groups, func(g *Group) (string, *[]Reason) { return g.Name, &g.Reasons })
	out.Subjects = merge(out.Subjects, func(s *Subject) (string, *[]Reason) { return s.Name, &s.Reasons })
	out.Connectors = merge(out.Connectors, func(c *Connector) (string, *[]Reason) { return c.Name, &c.Reasons })
	slices.SortFunc(out.Readings, Reading.compare)
	out.Scope = scope(d.estate, d.cluster.Name)
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
