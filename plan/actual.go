package plan

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/schema"
)

// registryRequests is how many requests go to the registry at a time. It has
// no batches, and an estate has a subject for each topic.
const registryRequests = 16

// Actual is what a cluster and its registry have, as far as the desired state
// names it, the topics that derived ones serve included; all ACLs of the
// cluster are there.
type Actual struct {
	ClusterID string
	Brokers   int
	Topics    map[string]kafka.Topic
	Users     map[string][]kafka.Credential
	Bindings  map[acl.Binding]bool
	Quotas    map[string]map[string]float64 // every user's, if some are desired
	Groups    map[string]map[string]string  // settings in effect, by group
	Subjects  map[string]SubjectState

	Connectors map[string]ConnectorState // by name

	// Inventory is all there is beside, if it was asked for; see
	// [Actual.Survey].
	Inventory *Inventory
}

// SubjectState is what the registry has of a desired subject.
type SubjectState struct {
	Level        contract.Compatibility // its own; empty if it follows the global one
	Registered   bool                   // the very schema that is desired is a version
	Incompatible []string               // why it could not become one, in the registry's words
}

// Read looks up everything that the desired state names. The registry may be
// nil if no subject is desired.
func Read(ctx context.Context, want *Desired, cluster *kafka.Cluster, registry Registry, options ...Option) (*Actual, error) {
	workers := surrounding(options).connect
	if err := checkConnect(want, workers); err != nil {
		return nil, err
	}
	if registry == nil && len(want.Subjects) > 0 {
		return nil, diag.New(diag.PlanNoRegistry, "%d schemas belong to cluster %s, which has no registry", len(want.Subjects), want.Cluster)
	}
	have := &Actual{ClusterID: cluster.ID(), Brokers: cluster.Brokers()}
	if err := checkCluster(want, have); err != nil {
		return nil, err
	}
	read := []func(context.Context) error{
		func(ctx context.Context) error { return have.readTopics(ctx, want, cluster) },
		func(ctx context.Context) error { return have.readUsers(ctx, want, cluster) },
		func(ctx context.Context) error { return have.readBindings(ctx, cluster) },
		func(ctx context.Context) error { return have.readQuotas(ctx, want, cluster) },
		func(ctx context.Context) error { return have.readGroups(ctx, want, cluster) },
		func(ctx context.Context) error { return have.readSubjects(ctx, want, registry) },
		func(ctx context.Context) error { return have.readConnectors(ctx, want, workers) },
	}
	errs := make([]error, len(read))
	var wg sync.WaitGroup
	for i, f := range read {
		wg.Go(func() { errs[i] = f(ctx) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return have, nil
}

func (a *Actual) readTopics(ctx context.Context, want *Desired, cluster *kafka.Cluster) (err error) {
	names := map[string]bool{}
	for _, t := range want.Topics {
		names[t.Name] = true
		if t.Source != "" {
			names[t.Source] = true
		}
	}
	a.Topics, err = cluster.Topics(ctx, slices.Sorted(maps.Keys(names))...)
	return err
}

// readGroups asks nothing where no group is configured: older brokers do not
// know the question.
func (a *Actual) readGroups(ctx context.Context, want *Desired, cluster *kafka.Cluster) (err error) {
	names := make([]string, len(want.Groups))
	for i, g := range want.Groups {
		names[i] = g.Name
	}
	a.Groups, err = cluster.GroupConfigs(ctx, names...)
	return err
}

func (a *Actual) readUsers(ctx context.Context, want *Desired, cluster *kafka.Cluster) (err error) {
	names := make([]string, len(want.Users))
	for i, u := range want.Users {
		names[i] = u.Name
	}
	a.Users, err = cluster.Users(ctx, names...)
	return err
}

func (a *Actual) readBindings(ctx context.Context, cluster *kafka.Cluster) error {
	bindings, err := cluster.ACLs(ctx)
	if err != nil {
		return err
	}
	a.Bindings = make(map[acl.Binding]bool, len(bindings))
	for _, b := range bindings {
		a.Bindings[b] = true
	}
	return nil
}

func (a *Actual) readSubjects(ctx context.Context, want *Desired, registry Registry) error {
	states := make([]SubjectState, len(want.Subjects))
	errs := eachSubject(want.Subjects, func(i int, s Subject) (err error) {
		states[i], err = readSubject(ctx, s, registry)
		return err
	})
	a.Subjects = make(map[string]SubjectState, len(want.Subjects))
	for i, s := range want.Subjects {
		a.Subjects[s.Name] = states[i]
	}
	return errors.Join(errs...)
}

// readSubject asks for compatibility only where a schema is new: that is the
// only time the answer matters, and the registry's dearest question.
func readSubject(ctx context.Context, s Subject, registry Registry) (SubjectState, error) {
	level, err := registry.Compatibility(ctx, s.Name)
	if err != nil {
		return SubjectState{}, err
	}
	state := SubjectState{Level: contract.Compatibility(level)}
	text, err := s.text(ctx, registry)
	if errors.Is(err, schema.ErrNotFound) {
		return state, nil // what it builds on is new as well, and nothing can be asked before that is there
	}
	if err != nil {
		return state, err
	}
	switch _, err = registry.Lookup(ctx, s.Name, text); {
	case err == nil:
		state.Registered = true
	case errors.Is(err, schema.ErrNotFound):
		state.Incompatible, err = registry.Check(ctx, s.Name, text)
		return state, err
	}
	return state, err
}

// eachSubject runs f for every subject, a bounded number at a time, and
// returns the errors in order.
func eachSubject(subjects []Subject, f func(int, Subject) error) []error {
	errs := make([]error, len(subjects))
	slots := make(chan struct{}, registryRequests)
	var wg sync.WaitGroup
	for i, s := range subjects {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = f(i, s)
		})
	}
	wg.Wait()
	return errs
}
