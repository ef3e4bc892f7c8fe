package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type dlqPurgeArgs struct {
	chosen
	before string
	below  string
	audit  string
	dryRun bool
	force  bool
	yes    bool
}

func newDLQPurgeCommand(a *app) *cobra.Command {
	var args dlqPurgeArgs
	c := &cobra.Command{
		Use:   "purge [DIR]",
		Short: "Delete letters from before a time, or below a place",
		Long: `Deletes letters for good: those of each partition from before a time, or those of
one partition below a place. Kafka deletes from the start of a partition only, so
nothing in between can stay. Shows what would go, and asks.

Letters of parked keys that were not answered are refused: without them nobody
can release the key.` + redriveHelp,
		Example: `  slipway dlq purge -e prod --topic orders.created.v1 --before 30d --dry-run
  slipway dlq purge -e prod --topic orders.created.v1 --before 2026-01-31T00:00:00Z --yes
  slipway dlq purge -e prod --below svc-inventory-prod.orders.created.v1.dlq/2/17`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runDLQPurge(ctx, a, args) })
		},
	}
	chosenFlags(c, &args.chosen)
	f := c.Flags()
	f.StringVar(&args.before, "before", "", "delete what was written before: a time such as 2026-01-31T15:04:05Z, or how long ago, such as 30d")
	f.StringVar(&args.below, "below", "", "delete what stands below this place: topic/partition/offset")
	f.StringVar(&args.audit, "audit", "", "file to add a line of JSON to, when it begins and when it ends")
	f.BoolVar(&args.dryRun, "dry-run", false, "show what would be deleted, and delete nothing")
	f.BoolVar(&args.force, "force", false, "also letters of parked keys that were not answered")
	f.BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.JSON, view.YAML)
	return c
}

// purge is what the flags ask for.
func (args *dlqPurgeArgs) purge(a *app) (dlq.Purge, error) {
	p := dlq.Purge{Force: args.force}
	if (args.before == "") == (args.below == "") {
		return p, usage("purge needs --before or --below, and not both").WithFix("--before 30d deletes what is older than 30 days")
	}
	if args.below == "" {
		var err error
		p.Before, err = moment("before", args.before, time.Now())
		return p, err
	}
	at, err := dlq.ParseRef(args.below)
	if err != nil {
		return p, a.misspelt(err)
	}
	p.Below, args.topic = &at, at.Topic
	return p, nil
}

func runDLQPurge(ctx context.Context, a *app, args dlqPurgeArgs) error {
	p, err := args.purge(a)
	if err != nil {
		return err
	}
	l, err := a.letters(ctx, args.chosen)
	if err != nil {
		return err
	}
	defer l.Close()
	if p.Source, err = args.one(l.sources); err != nil {
		return err
	}
	r, err := l.PreparePurge(ctx, p)
	if err != nil {
		return err
	}
	if args.dryRun || a.view.ForPeople() {
		if err := a.view.Removal(r, view.Planned); err != nil {
			return err
		}
	}
	if err := r.Guard(); err != nil {
		return refused(diag.Of(err)...)
	}
	if args.dryRun {
		return nil
	}
	if !args.yes && !r.Empty() {
		what := count(r.Letters, "letter waits", "letters wait")
		if err := a.ask(ctx, what, fmt.Sprintf("Delete %d of %s for good?", r.Letters, r.Source.Topic)); err != nil {
			return err
		}
	}
	return a.purge(ctx, l, r, args.audit)
}

func (a *app) purge(ctx context.Context, l *letters, r *dlq.Removal, file string) error {
	line := view.AuditLine{
		Action: "purge", Principal: l.principal, Environment: l.env, Cluster: l.cluster, Topic: r.Source.Topic,
		Counts: dlq.Counts{Read: r.Letters, Selected: r.Letters, Reasons: r.Reasons}, Below: r.Offsets,
	}
	if err := audited(file, line, func() error { return l.Remove(ctx, r) }); err != nil {
		return err
	}
	return a.view.Removal(r, view.Deleted)
}

// audited does something between two lines in the file of --audit, if there is
// one.
func audited(file string, line view.AuditLine, do func() error) error {
	log, err := openAudit(file)
	if err != nil {
		return err
	}
	defer log.Close()
	tell := func(event string, err error) error {
		line.Time, line.Event = time.Now().UTC(), event
		if err != nil {
			line.Error = err.Error()
		}
		return log.write(line)
	}
	if err := tell("began", nil); err != nil {
		return err
	}
	failed := do()
	return errors.Join(failed, tell("ended", failed))
}

type dlqParkArgs struct {
	chosen
	key       string
	partition int32
	audit     string
	undo      bool
	yes       bool
}

func newDLQParkCommand(a *app) *cobra.Command {
	args := dlqParkArgs{partition: -1}
	c := &cobra.Command{
		Use:   "park KEY [DIR]",
		Short: "Have the records of a key wait, or go on again",
		Long: `Parks a key by hand: as soon as the service has read of it, a moment later, its
records wait in order, while all other keys flow, until the key is let go with
--undo.

The partition of the key is computed as the owner of the topic places keys, or
taken from a letter with the key; --partition names it where neither tells.` + redriveHelp,
		Example: `  slipway dlq park o-42 -e prod --topic orders.created.v1
  slipway dlq park o-42 -e prod --topic orders.created.v1 --undo`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 2, "a key"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.key, args.dir = rest[0], directory(rest, 1)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runDLQPark(ctx, a, args) })
		},
	}
	chosenFlags(c, &args.chosen)
	c.Flags().Int32Var(&args.partition, "partition", -1, "partition that the key's records are in, if it cannot be found out")
	c.Flags().StringVar(&args.audit, "audit", "", "file to add a line of JSON to, when it begins and when it ends")
	c.Flags().BoolVar(&args.undo, "undo", false, "let the key go on")
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.JSON, view.YAML)
	return c
}

func runDLQPark(ctx context.Context, a *app, args dlqParkArgs) error {
	l, err := a.letters(ctx, args.chosen)
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := args.one(l.sources)
	if err != nil {
		return err
	}
	key := []byte(args.key)
	if args.partition < 0 {
		if args.partition, err = l.PartitionOf(ctx, s, key); err != nil {
			return err
		}
	}
	do, send := "Park", l.Park
	if args.undo {
		do, send = "Let go of", l.Unpark
	}
	if !args.yes {
		if err := a.ask(ctx, "a key waits", fmt.Sprintf("%s key %s of %s, for group %s?", do, args.key, s.Origin, s.Group)); err != nil {
			return err
		}
	}
	line := view.AuditLine{
		Action: "park", Principal: l.principal, Environment: l.env, Cluster: l.cluster, Topic: s.Topic, Retry: s.Retry,
		Key: &args.key, Partition: &args.partition,
	}
	if args.undo {
		line.Action = "unpark"
	}
	if err := audited(args.audit, line, func() error { return send(ctx, s, key, args.partition) }); err != nil {
		return err
	}
	return a.view.Parked(view.Parking{Key: args.key, Parked: !args.undo, Topic: s.Origin, Group: s.Group, Partition: args.partition})
}
