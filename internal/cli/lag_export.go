package cli

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/lagexport"
)

type lagExportArgs struct {
	target
	groups []string
	listen string
	every  time.Duration
	once   bool
}

func newLagExportCommand(a *app) *cobra.Command {
	var args lagExportArgs
	c := &cobra.Command{
		Use:   "export [DIR]",
		Short: "Serve the lag of groups to Prometheus, as the brokers see it",
		Long: `Looks now and then at the groups of all contracts and at those of --group, and
serves at /metrics what it saw last, until it is interrupted:

  slipway_group_lag                 records yet to be finished
  slipway_group_lag_seconds         age of the oldest of them
  slipway_group_partition_status    1 for ok, unsure, warn, rewind, stall, stop
                                    or err: see slipway group lag --help
  slipway_group_committed_offset    where the group goes on
  slipway_group_retry_lag           records in retry topics: waiting is meant
  slipway_group_members             members of the group
  slipway_group_state               1 for Kafka's word: Stable, Empty, Dead ...
  slipway_lag_export_errors_total
  slipway_lag_export_last_success_timestamp_seconds
  slipway_lag_export_duration_seconds
  slipway_lag_export_unknown_groups

What is not known is not served: a group whose broker does not answer has no
series until it does. docs/lag.md tells which alerts go with it.

The login needs DESCRIBE on each of the groups and on each of their topics, and
nothing more. The contracts are read once: after a change, start it again.

--once looks once, prints what would be served, and ends.` + administratorHelp,
		Example: `  slipway lag export -e prod --sasl-user lag --sasl-password-file lag.password
  slipway lag export shop -e prod --group legacy-billing --listen 127.0.0.1:9309
  slipway lag export -e prod --once`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return runLagExport(c.Context(), a, args)
		},
	}
	targetFlags(c, &args.target)
	c.Flags().DurationVar(&args.every, "every", lagexport.DefaultEvery, "how long to wait between looks")
	c.Flags().StringSliceVar(&args.groups, "group", nil, "look at this group too, by its whole name")
	c.Flags().StringVar(&args.listen, "listen", "127.0.0.1:9309", "host:port to serve metrics at")
	c.Flags().BoolVar(&args.once, "once", false, "look once, print the metrics, and end")
	return c
}

func runLagExport(ctx context.Context, a *app, args lagExportArgs) error {
	if args.every < leastInterval {
		return usage("--every is shorter than %s", leastInterval).WithFix("write it like 30s or 1m: every look asks every broker")
	}
	_, resolved, cluster, err := a.aim(args.target)
	if err != nil {
		return err
	}
	watched := exported(resolved, cluster, args.groups)
	if len(watched) == 0 {
		return diag.New(diag.LagNoGroups, "no contract of environment %s reads from cluster %s in a group", resolved.Env, cluster)
	}
	e := lagexport.New(lagexport.Config{
		Connect: func(ctx context.Context) (*kafka.Cluster, error) {
			a.workspace.Close()
			s, err := a.groups(ctx, args.target)
			if err != nil {
				return nil, err
			}
			return s.kafka, nil
		},
		Groups: watched, Every: args.every,
		Trouble: func(l diag.List) {
			if !args.once { // else it is the command's end
				a.view.Problems(l)
			}
		},
	})
	defer e.Close()
	if args.once {
		return bounded(ctx, args.timeout, func(ctx context.Context) error {
			looked := e.Look(ctx)
			if err := e.Write(a.sys.Out); err != nil {
				return err
			}
			return looked
		})
	}
	return serveLag(ctx, e, args.listen)
}

// serveLag answers scrapes while the exporter looks.
func serveLag(ctx context.Context, e *lagexport.Exporter, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return diag.New(diag.LagListen, "serve metrics at %s: %v", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", e.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // ends with Close, the only way it is ended
	defer func() {
		_ = server.Close()
		serving.Wait()
	}()
	return e.Run(ctx)
}

// exported are the groups that contracts read from a cluster in, and the named
// ones, sorted by their ids.
func exported(r *contract.Resolved, cluster string, named []string) []lagexport.Group {
	all := map[string]lagexport.Group{}
	group := func(id string) lagexport.Group {
		if _, ok := all[id]; !ok {
			all[id] = lagexport.Group{ID: id, Topics: map[string]lagexport.Topic{}}
		}
		return all[id]
	}
	for _, service := range r.Services {
		for _, c := range service.Consumes {
			if !c.Grouped() || r.ClusterName(c.Cluster) != cluster {
				continue
			}
			g := group(service.GroupID(c))
			g.Topics[r.PhysicalTopic(c.Cluster, c.Topic)] = lagexport.Topic{FromStart: c.As != contract.Share && c.Start == contract.StartEarliest}
			if c.Retries() {
				g.Topics[service.RetryTopic(c)] = lagexport.Topic{Retry: true}
			}
		}
	}
	for _, id := range named {
		group(id)
	}
	groups := make([]lagexport.Group, 0, len(all))
	for _, g := range all {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b lagexport.Group) int { return strings.Compare(a.ID, b.ID) })
	return groups
}
