package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	groups "github.com/slipway-go/slipway/group"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// groupTimeout is the usual time for looking at groups and moving one.
const groupTimeout = time.Minute

const groupHelp = `

The cluster is found as plan finds it: in the estate of --dir, for the
environment -e. A running slipway up is found by that directory, and needs no
login. Retry topics are known from the contracts there.` + administratorHelp

func newGroupCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "group",
		Short: "Look at consumer groups, and move them safely",
		Long: `Looks at consumer groups and moves them: classic and KIP-848 groups, and what
can be had of share groups.

Whatever moves a group first shows every partition's way, asks, writes a file
that undoes it, and reads back what was done. It is refused while the group has
members.`,
		Example: `  slipway group lag
  slipway group seek svc-stock-prod --to -2h --dry-run`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(
		newGroupLagCommand(a), newGroupSeekCommand(a), newGroupSnapshotCommand(a),
		newGroupRestoreCommand(a), newGroupMigrateCommand(a), newGroupDrainCommand(a),
	)
	return c
}

func groupFlags(c *cobra.Command, t *target) {
	c.Flags().StringVar(&t.dir, "dir", ".", "directory of the estate")
	environmentFlag(c, &t.env)
	clusterFlag(c, &t.cluster)
	timeoutFlag(c, &t.timeout, groupTimeout)
	credentialFlags(c, &t.credential)
}

// A groupSession is an open connection to a cluster with groups, and what the
// contracts say of them.
type groupSession struct {
	*groups.Admin
	kafka    *kafka.Cluster
	resolved *contract.Resolved
	name     string // the cluster's, in clusters.yaml
}

func (s *groupSession) Close() { s.kafka.Close() }

// groups logs in to the cluster of a target. It needs no registry.
func (a *app) groups(ctx context.Context, t target) (*groupSession, error) {
	w, resolved, name, err := a.aim(t)
	if err != nil {
		return nil, err
	}
	e, err := a.operate(ctx, w, resolved.Env, resolved.Cluster(name), &t.credential, "")
	if err != nil {
		return nil, err
	}
	a.warn(t.credential.exposed())
	cfg, err := e.kafka()
	if err != nil {
		return nil, err
	}
	connection, err := kafka.Connect(ctx, cfg)
	if err != nil {
		return nil, refusedLogin(err)
	}
	if e.ID != "" && e.ID != connection.ID() {
		connection.Close()
		return nil, errors.Join(plan.ErrRefused, diag.New(diag.PlanWrongCluster, "cluster %s is pinned to id %s, and the one that answers has id %s", name, e.ID, connection.ID()))
	}
	return &groupSession{groups.On(connection), connection, resolved, name}, nil
}

// entries calls f for every entry that is read from this cluster in a group.
func (s *groupSession) entries(f func(group, topic, retry string)) {
	for _, service := range s.resolved.Services {
		for _, c := range service.Consumes {
			if c.Grouped() && s.resolved.ClusterName(c.Cluster) == s.name {
				f(service.GroupID(c), s.resolved.PhysicalTopic(c.Cluster, c.Topic), service.RetryTopic(c))
			}
		}
	}
}

// retry are the retry topics of each group's topics.
func (s *groupSession) retry() map[string]map[string]string {
	all := map[string]map[string]string{}
	s.entries(func(group, topic, retry string) {
		if all[group] == nil {
			all[group] = map[string]string{}
		}
		all[group][topic] = retry
	})
	return all
}

// names are the groups of the contracts, sorted.
func (s *groupSession) names() []string {
	var all []string
	s.entries(func(group, _, _ string) { all = append(all, group) })
	slices.Sort(all)
	return slices.Compact(all)
}

// withGroups logs in, runs f, and makes a guard's refusal the command's.
func (a *app) withGroups(ctx context.Context, t target, f func(context.Context, *groupSession) error) error {
	return bounded(ctx, t.timeout, func(ctx context.Context) error {
		s, err := a.groups(ctx, t)
		if err != nil {
			return err
		}
		defer s.Close()
		err = f(ctx, s)
		if errors.Is(err, groups.ErrRefused) {
			return errors.Join(plan.ErrRefused, err)
		}
		return err
	})
}

// invalid tells what is wrong with the user's own words, and ends the command
// with the status for that.
func (a *app) invalid(err error) error {
	a.view.Problems(diag.Of(err))
	return errInvalid
}
