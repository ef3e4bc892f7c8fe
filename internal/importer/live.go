package importer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/internal/kafka"
)

// requests is how many groups are asked for at a time.
const requests = 8

// Read takes a snapshot of a live cluster: topics with their settings, rights,
// users, quotas, and the groups that rights name, with what they have committed.
// The groups that rights by prefix and by * cover are read only if they are to
// be expanded. It takes the right to describe all of them.
func Read(ctx context.Context, cluster *kafka.Cluster, opt Options) (*Snapshot, error) {
	s := newSnapshot(FromCluster)
	s.ClusterID, s.Brokers = cluster.ID(), cluster.Brokers()
	read := []func() error{
		func() error { return s.readTopics(ctx, cluster) },
		func() (err error) { s.Users, err = cluster.AllUsers(ctx); return err },
		func() (err error) { s.Quotas, err = cluster.Quotas(ctx); return err },
		func() error { return s.readRights(ctx, cluster, opt) },
	}
	errs := make([]error, len(read))
	var wg sync.WaitGroup
	for i, f := range read {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Snapshot) readTopics(ctx context.Context, cluster *kafka.Cluster) error {
	all, err := cluster.AllTopics(ctx)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(all))
	if s.Topics, err = cluster.Topics(ctx, names...); err != nil {
		return err
	}
	s.Settings, err = cluster.TopicSettings(ctx, slices.Sorted(maps.Keys(s.Topics))...)
	return err
}

// readRights reads groups after them: a cluster may have thousands that nobody
// has a right by name to.
func (s *Snapshot) readRights(ctx context.Context, cluster *kafka.Cluster, opt Options) (err error) {
	if s.Bindings, err = cluster.ACLs(ctx); err != nil {
		return err
	}
	states, err := cluster.AllGroups(ctx)
	if err != nil {
		return err
	}
	names := s.concerned(slices.Sorted(maps.Keys(states)), opt)
	groups, errs := make([]Group, len(names)), make([]error, len(names))
	slots := make(chan struct{}, requests)
	var wg sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			groups[i], errs[i] = readGroup(ctx, cluster, name)
		})
	}
	wg.Wait()
	for i, name := range names {
		s.Groups[name] = groups[i]
	}
	return errors.Join(errs...)
}

func readGroup(ctx context.Context, cluster *kafka.Cluster, name string) (Group, error) {
	m, err := cluster.Membership(ctx, name)
	if err != nil {
		return Group{}, err
	}
	g := Group{Protocol: m.Protocol}
	var positions map[kafka.Partition]kafka.GroupOffset
	if m.Protocol == kafka.ShareProtocol {
		positions, _, err = cluster.SharePositions(ctx, name)
	} else {
		positions, err = cluster.Positions(ctx, name)
	}
	topics := map[string]bool{}
	for at := range positions {
		topics[at.Topic] = true
	}
	g.Topics = sortedKeys(topics)
	return g, err
}

// concerned are the groups that rights are about.
func (s *Snapshot) concerned(groups []string, opt Options) []string {
	named, patterns := map[string]bool{}, []acl.Binding{}
	for _, b := range s.bindings() {
		switch {
		case b.ResourceType != acl.Group:
		case b.Pattern == acl.Literal && b.Name != anyName:
			named[b.Name] = true
		case opt.Expand:
			patterns = append(patterns, b)
		}
	}
	return slices.DeleteFunc(groups, func(name string) bool {
		return !named[name] && !slices.ContainsFunc(patterns, func(b acl.Binding) bool { return covers(b, name) })
	})
}
