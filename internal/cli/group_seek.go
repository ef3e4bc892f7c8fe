package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	groups "github.com/slipway-go/slipway/group"
)

type groupSeekArgs struct {
	moveArgs
	seek       groups.Seek
	to         string
	toGroup    string
	fromTopic  string
	partitions string
	margin     time.Duration
}

func newGroupSeekCommand(a *app) *cobra.Command {
	var args groupSeekArgs
	c := &cobra.Command{
		Use:   "seek GROUP",
		Short: "Move a group to an offset, a time, or where another group is",
		Long: `Moves a group that is at rest. --to takes
  earliest, latest       the ends of the log
  1200                   an offset
  +100, -100             so many records forth or back
  -2h, -7d               the first record of that time ago or younger
  2026-05-01, 2026-05-01T12:00:00Z, @1777636800000
                         the first record of a time or younger
--to-group takes another group's offsets. --from-topic carries the place in
another topic over by time, also to another number of partitions: where both
have as many, each partition by its own time, else all by the oldest, because
keys have moved. What was read to its end counts as read up to now. --margin is
taken off, so records are repeated rather than lost.

A seek leaves retry topics as they are. Going back does not handle again what
was handed to them or settled by them; --reset-retry puts them to their end, so
that everything from the new place on is handled as if for the first time.` + groupHelp,
		Example: `  slipway group seek svc-stock-prod --to -2h --dry-run
  slipway group seek svc-stock-prod --topic orders.created.v1 --partition 0,3 --to 1200
  slipway group seek svc-stock-prod --topic orders.created.v2 --from-topic orders.created.v1
  slipway group seek svc-stock-prod --to-group legacy-stock -y`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 1, "a group"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.seek.Group = rest[0]
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return runGroupSeek(c.Context(), a, args)
		},
	}
	moveFlags(c, a, &args.moveArgs)
	c.Flags().StringVar(&args.to, "to", "", "the place to go to")
	c.Flags().StringVar(&args.toGroup, "to-group", "", "go where this group is")
	c.Flags().StringVar(&args.fromTopic, "from-topic", "", "go to the time of the place in this topic")
	c.Flags().StringArrayVar(&args.seek.Topics, "topic", nil, "topic to move in; may be repeated (default all but retry topics)")
	c.Flags().StringVar(&args.partitions, "partition", "", "partitions to move in, with commas (default all)")
	c.Flags().BoolVar(&args.seek.ResetRetry, "reset-retry", false, "put the retry topics to their end: what waits there is not handled")
	marginFlag(c, &args.margin)
	return c
}

func runGroupSeek(ctx context.Context, a *app, args groupSeekArgs) error {
	seek := args.seek
	var err error
	if seek.To, err = args.target(); err != nil {
		return a.invalid(err)
	}
	if seek.Partitions, err = parsePartitions(args.partitions); err != nil {
		return err
	}
	return a.withGroups(ctx, args.moveArgs.target, func(ctx context.Context, s *groupSession) error {
		seek.Retry = s.retry()[seek.Group]
		m, err := s.Seek(ctx, seek)
		if err != nil {
			return err
		}
		return a.move(ctx, s, m, args.moveArgs)
	})
}

// target is the one place that the flags name.
func (args groupSeekArgs) target() (groups.Target, error) {
	like := args.toGroup != "" || args.fromTopic != ""
	switch {
	case like && args.to != "":
		return groups.Target{}, usage("--to excludes --to-group and --from-topic").WithFix("name one place")
	case args.fromTopic != "" && len(args.seek.Topics) == 0:
		return groups.Target{}, usage("--from-topic needs the topic to move in").WithFix("name it with --topic")
	case like:
		return groups.Target{Kind: groups.LikeThat, Group: args.toGroup, Topic: args.fromTopic, Margin: args.margin}, nil
	case args.to == "":
		return groups.Target{}, usage("no place to go to is named").WithFix("name one with --to, --to-group or --from-topic")
	}
	return groups.ParseTarget(args.to, time.Now())
}

func parsePartitions(text string) ([]int32, error) {
	if text == "" {
		return nil, nil
	}
	var all []int32
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(word), 10, 31)
		if err != nil {
			return nil, usage("--partition: %s is no partition", strconv.Quote(word)).WithFix("write numbers with commas, such as 0,3")
		}
		all = append(all, int32(n))
	}
	return all, nil
}
