package plan

import (
	"context"
	"slices"

	"github.com/slipway-go/slipway/diag"
)

// OnlySubjects returns what is desired of some subjects and of those that their
// schemas build on, and nothing else: what can be planned and applied with a
// registry alone.
func (d *Desired) OnlySubjects(names ...string) *Desired {
	only := &Desired{Env: d.Env, Cluster: d.Cluster, ClusterID: d.ClusterID}
	wanted := slices.Clone(names)
	for _, s := range d.Subjects {
		if !slices.Contains(names, s.Name) {
			continue
		}
		for _, i := range s.Imports {
			wanted = append(wanted, i.Subject)
		}
	}
	for _, s := range d.Subjects {
		if slices.Contains(wanted, s.Name) {
			only.Subjects = append(only.Subjects, s)
		}
	}
	return only
}

// ReadSubjects looks up what a registry has of the desired subjects. No broker
// is asked.
func ReadSubjects(ctx context.Context, want *Desired, registry Registry) (*Actual, error) {
	if registry == nil {
		return nil, diag.New(diag.PlanNoRegistry, "%d schemas belong to cluster %s, which has no registry", len(want.Subjects), want.Cluster)
	}
	have := &Actual{ClusterID: want.ClusterID}
	return have, have.readSubjects(ctx, want, registry)
}

// DiffSubjects is [Diff] of subjects and their schemas.
func DiffSubjects(want *Desired, have *Actual) *Plan {
	p := &Plan{Env: want.Env, Cluster: want.Cluster, ClusterID: have.ClusterID, Changes: []Change{}}
	for _, s := range want.Subjects {
		p.Changes = append(p.Changes, diffSubject(s, have.Subjects[s.Name])...)
	}
	slices.SortStableFunc(p.Changes, Change.compare)
	p.seal()
	return p
}

// Register makes the changes of a plan of [DiffSubjects], as [Apply] makes
// those of any plan: it refuses what [Guard] refuses, before anything is
// changed, and a change that fails does not stop the others.
//
// It takes no lock: a registry registers a schema once whoever asks, and
// refuses the later of two that do not get along.
func Register(ctx context.Context, registry Registry, p *Plan, allow []string, progress func(Change, error)) error {
	if err := Guard(p, allow); err != nil {
		return err
	}
	a := &application{target: Target{Registry: registry, Allow: allow}, plan: p, progress: progress, undone: map[string]bool{}}
	for _, s := range []struct {
		kind  Kind
		apply func(context.Context, []Change) []error
	}{{KindSubject, a.levels}, {KindSchema, a.schemas}} {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		batch := slices.DeleteFunc(slices.Clone(p.Changes), func(c Change) bool { return c.Kind != s.kind })
		a.report(batch, s.apply(ctx, batch))
	}
	return a.failed.Err()
}
