package importer

import (
	"fmt"
	"maps"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// judge loads what was rendered, together with what is in the directory, the
// way every other command will.
func (b *builder) judge(files []File) (*contract.Resolved, error) {
	o := overlay{files: map[string][]byte{}, below: b.opt.Dir}
	for _, f := range files {
		o.files[f.Path] = f.Text
	}
	estate, list := contract.Load(o, ".")
	list = append(list, estate.Validate()...)
	if !list.Failed() {
		resolved, faults := estate.In(b.opt.Env)
		if !faults.Failed() {
			return resolved, nil
		}
		list = faults
	}
	d := diag.New(diag.ImportInvalid, "the import and the directory do not make a valid estate together")
	for _, fault := range list {
		if fault.Severity == diag.Error && len(d.Evidence) < 10 {
			d = d.WithEvidence("%s", fault)
		}
	}
	return nil, d
}

// compare plans the estate against the snapshot.
func (b *builder) compare(resolved *contract.Resolved) ([]plan.Change, error) {
	want, err := plan.Derive(resolved, b.at.cluster)
	if err != nil {
		return nil, err
	}
	p, err := plan.Diff(want, b.actual(want))
	if err != nil {
		return nil, err
	}
	return p.Changes, nil
}

// actual is the snapshot as a plan sees it. What a file does not say is taken
// to be as it is wanted.
func (b *builder) actual(want *plan.Desired) *plan.Actual {
	have := &plan.Actual{
		ClusterID: b.in.ClusterID, Brokers: b.in.Brokers,
		Topics: b.in.Topics, Users: b.in.Users, Bindings: b.has, Quotas: b.in.Quotas,
	}
	if b.in.live() {
		return have
	}
	have.ClusterID, have.Brokers, have.Topics = want.ClusterID, 100, map[string]kafka.Topic{}
	for _, t := range want.Topics {
		is := b.in.Topics[t.Name]
		configs := maps.Clone(t.Configs)
		maps.Copy(configs, is.Configs)
		is.Name, is.Configs = t.Name, configs
		if is.Partitions == 0 {
			is.Partitions = t.Partitions
		}
		if is.Replicas == 0 {
			is.Replicas = t.Replicas
		}
		have.Topics[t.Name] = is
	}
	return have
}

// demote remembers what a plan would change, so that the next draft is without
// it. It reports whether there is anything new to remember.
func (b *builder) demote(changes []plan.Change) bool {
	fresh := false
	remember := func(into map[string]string, name, why string) {
		if into[name] == "" {
			into[name], fresh = why, true
		}
	}
	for _, c := range changes {
		switch {
		case c.Kind == plan.KindTopic && c.Role == plan.Owned:
			remember(b.unowned, strings.TrimPrefix(c.Name, b.at.prefix), differs(c))
		case c.Kind == plan.KindTopic, c.Kind == plan.KindUser && b.redriver(c.Name), c.Kind == plan.KindACL && b.ofOffshoot(c):
			remember(b.bare, c.Service, "a contract with retries and dead letters would "+string(c.Action)+" "+string(c.Kind)+" "+c.Name)
		}
	}
	return fresh
}

// ofOffshoot reports whether a right follows from retries or dead letters.
func (b *builder) ofOffshoot(c plan.Change) bool {
	var principal, name string
	for _, f := range c.Fields {
		switch f.Name {
		case "principal":
			principal = strings.TrimPrefix(f.After, "User:")
		case "name":
			name = f.After
		}
	}
	return b.derived(name) || b.redriver(principal)
}

// differs says what keeps a topic from being owned.
func differs(c plan.Change) string {
	if c.Action == plan.Update && len(c.Fields) == 1 {
		f := c.Fields[0]
		return fmt.Sprintf("its %s is %q, and the contract would make it %q", f.Name, f.Before, f.After)
	}
	return "a contract would " + string(c.Action) + " it"
}
