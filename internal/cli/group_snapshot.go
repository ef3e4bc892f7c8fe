package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	groups "github.com/slipway-go/slipway/group"
)

// maxSnapshot is more than any group's positions take.
const maxSnapshot = 64 << 20

type groupSnapshotArgs struct {
	target
	group  string
	topics []string
	file   string
}

func newGroupSnapshotCommand(a *app) *cobra.Command {
	var args groupSnapshotArgs
	c := &cobra.Command{
		Use:   "snapshot GROUP",
		Short: "Keep where a group is in a file",
		Long: `Writes where a group is as JSON, to stdout or to --file: the offsets of all its
partitions with leader epochs, what was committed beside them, the times of the
records there, and the ids of cluster and topics. slipway group restore puts the
group back, on another cluster by time. A group may run meanwhile.` + groupHelp,
		Example: `  slipway group snapshot svc-stock-prod --file stock.json
  slipway group snapshot svc-stock-prod --topic orders.created.v1`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 1, "a group"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.group = rest[0]
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args.target, func(ctx context.Context, s *groupSession) error {
				return runGroupSnapshot(ctx, a, s, args)
			})
		},
	}
	groupFlags(c, &args.target)
	c.Flags().StringArrayVar(&args.topics, "topic", nil, "topic to keep; may be repeated (default all it has positions in)")
	c.Flags().StringVar(&args.file, "file", "", "file to write, which must not exist (default stdout)")
	return c
}

func runGroupSnapshot(ctx context.Context, a *app, s *groupSession, args groupSnapshotArgs) error {
	snap, err := s.Snapshot(ctx, args.group, args.topics...)
	if err != nil {
		return err
	}
	if n := snap.Untimed(); n > 0 {
		a.warn(diag.List{diag.Warn(diag.GroupUntimed, "the time of %s could not be read: the snapshot can be restored by offsets only", count(n, "record", "records"))})
	}
	if args.file != "" {
		if err := writeSnapshot(args.file, snap); err != nil {
			return err
		}
		a.view.Note("wrote %s", args.file)
		return nil
	}
	text, err := snap.Encode()
	if err != nil {
		return err
	}
	_, err = a.sys.Out.Write(text)
	return err
}

type groupRestoreArgs struct {
	moveArgs
	file    string
	restore groups.Restore
}

func newGroupRestoreCommand(a *app) *cobra.Command {
	var args groupRestoreArgs
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a group back where a snapshot was taken",
		Long: `Puts a group where it was when the snapshot in FILE was taken: by slipway group
snapshot, or before a move. A partition in which it had no position loses the one
it has. Topics that are not in the snapshot stay as they are.

Offsets of another cluster, or of a topic made anew since, mean other records:
that is refused. --by-time goes to the times of the records instead, and leaves
retry topics alone.` + groupHelp,
		Example: `  slipway group restore stock.json --dry-run
  slipway group restore stock.json --by-time -e dr --margin 5m`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 1, "the file of a snapshot"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.file = rest[0]
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return runGroupRestore(c.Context(), a, args)
		},
	}
	moveFlags(c, a, &args.moveArgs)
	c.Flags().StringVar(&args.restore.Group, "group", "", "group to put there (default the snapshot's)")
	c.Flags().BoolVar(&args.restore.ByTime, "by-time", false, "go to the times of the records, not to their offsets")
	marginFlag(c, &args.restore.Margin)
	return c
}

func runGroupRestore(ctx context.Context, a *app, args groupRestoreArgs) error {
	snap, err := readSnapshot(args.file)
	if err != nil {
		return a.invalid(err)
	}
	args.restore.Snapshot = snap
	return a.withGroups(ctx, args.target, func(ctx context.Context, s *groupSession) error {
		group := args.restore.Group
		if group == "" {
			group = snap.Group
		}
		args.restore.Retry = s.retry()[group]
		m, err := s.Restore(ctx, args.restore)
		if err != nil {
			return err
		}
		return a.move(ctx, s, m, args.moveArgs)
	})
}

func readSnapshot(file string) (*groups.Snapshot, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, diag.New(diag.GroupSnapshotInvalid, "open %s: %v", file, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSnapshot {
		return nil, diag.New(diag.GroupSnapshotInvalid, "%s is no file of a snapshot", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, diag.New(diag.GroupSnapshotInvalid, "read %s: %v", file, err)
	}
	return groups.ParseSnapshot(text)
}
