package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/cli/view"
)

// listLimit is how many letters a table shows unless asked for more.
const listLimit = 50

type dlqListArgs struct {
	chosen
	query   dlq.Query
	records bool
}

func newDLQListCommand(a *app) *cobra.Command {
	var args dlqListArgs
	var q queryArgs
	c := &cobra.Command{
		Use:   "list [DIR]",
		Short: "Show how many letters there are, and why, or the letters themselves",
		Long: `Counts the letters of each dead-letter topic by reason, with the oldest and the
newest, how many were sent back already, and how many keys are parked.

With --records it shows the letters, at most 50 unless --limit says otherwise.` + filterHelp + redriveHelp,
		Example: `  slipway dlq list -e prod
  slipway dlq list -e prod --topic orders.created.v1 --records --since 2h
  slipway dlq list -e prod --records --filter 'error.contains("timeout")' -o name`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			var err error
			if args.query, err = a.query(c, q); err != nil {
				return err
			}
			if args.records && !c.Flags().Changed("limit") {
				args.query.Limit = listLimit
			}
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runDLQList(ctx, a, args) })
		},
	}
	chosenFlags(c, &args.chosen)
	queryFlags(c, &q)
	c.Flags().BoolVar(&args.records, "records", false, "show the letters instead of counting them")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runDLQList(ctx context.Context, a *app, args dlqListArgs) error {
	l, err := a.letters(ctx, args.chosen)
	if err != nil {
		return err
	}
	defer l.Close()
	if args.records {
		return listLetters(ctx, a, l, args.query)
	}
	var all []dlq.Summary
	for _, s := range l.sources {
		sum, err := l.Summarize(ctx, s, args.query)
		if err != nil {
			return err
		}
		all = append(all, sum)
	}
	return a.view.DeadLetterTopics(l.env, all)
}

func listLetters(ctx context.Context, a *app, l *letters, q dlq.Query) error {
	var all []*dlq.Letter
	for _, s := range l.sources {
		left := q
		if q.Limit > 0 {
			if left.Limit = q.Limit - len(all); left.Limit == 0 {
				break
			}
		}
		for letter, err := range l.Letters(ctx, s, left) {
			if err != nil {
				return err
			}
			letter.Record = nil // the value would be kept with it
			all = append(all, letter)
		}
	}
	return a.view.DeadLetters(l.env, all, q.Limit > 0 && len(all) == q.Limit)
}

type dlqInspectArgs struct {
	chosen
	at  dlq.Ref
	as  string
	max int
}

func newDLQInspectCommand(a *app) *cobra.Command {
	var args dlqInspectArgs
	c := &cobra.Command{
		Use:   "inspect PLACE [DIR]",
		Short: "Show everything that is known of one letter",
		Long: `Shows one letter: where it died, why, how often it was tried, its headers, its
stack, and its value. PLACE is topic/partition/offset, as list --records shows it.

A value in Avro or JSON that names its schema is shown decoded, if the cluster has
a schema registry that knows it; --as hex shows the bytes as they are, and -o json
holds both.

Letters that Spring, SmallRye, Karafka, Watermill, Kafka Connect, Kafka Streams
or a share group wrote are read too.` + redriveHelp,
		Example: `  slipway dlq inspect svc-inventory-prod.orders.created.v1.dlq/2/17 -e prod
  slipway dlq inspect svc-inventory-prod.orders.created.v1.dlq/2/17 -e prod --as hex`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 2, "the place of a letter"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 1)
			var err error
			if args.at, err = dlq.ParseRef(rest[0]); err != nil {
				return a.misspelt(err)
			}
			args.topic = args.at.Topic
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runDLQInspect(ctx, a, args) })
		},
	}
	chosenFlags(c, &args.chosen)
	for _, flag := range []string{"topic", "entry", "service"} {
		if err := c.Flags().MarkHidden(flag); err != nil { // the place says it all
			panic("cli: " + err.Error())
		}
	}
	registry := c.Flags().Lookup("registry-auth-file")
	registry.Hidden, registry.Usage = false, "file with user:password for the schema registry (or SLIPWAY_REGISTRY_AUTH_FILE)"
	choiceFlag(c, &args.as, "as", view.Auto, "form of the value", view.Auto, view.Text, view.Hex, view.Indented)
	c.Flags().IntVar(&args.max, "max", 4096, "bytes of the value to show; 0 for all")
	outputFlag(c, a, view.Table, view.JSON, view.YAML)
	return c
}

func runDLQInspect(ctx context.Context, a *app, args dlqInspectArgs) error {
	if args.max < 0 {
		return usage("--max: want a number of bytes, or 0 for all")
	}
	l, err := a.letters(ctx, args.chosen)
	if err != nil {
		return err
	}
	defer l.Close()
	letter, err := l.Letter(ctx, l.sources[0], args.at)
	if err != nil {
		return err
	}
	if len(letter.Faults) > 0 {
		a.warn(diag.List{diag.Warn(diag.DLQBadHeader, "this letter cannot be sent back: %s", letter.Faults[0])})
	}
	var decoded *view.Decoded
	if !letter.Tombstone {
		decoded = a.decoded(ctx, l, letter)
	}
	return a.view.DeadLetter(letter, decoded, args.as, args.max)
}
