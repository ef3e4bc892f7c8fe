package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	groups "github.com/slipway-go/slipway/group"
	"github.com/slipway-go/slipway/internal/cli/view"
)

// moveArgs are the flags of every command that moves a group.
type moveArgs struct {
	target
	dryRun bool
	undo   string
	yes    bool
}

func moveFlags(c *cobra.Command, a *app, args *moveArgs) {
	groupFlags(c, &args.target)
	c.Flags().BoolVar(&args.dryRun, "dry-run", false, "show the way and whether it would be refused, and change nothing")
	c.Flags().StringVar(&args.undo, "undo", "", "file for the snapshot that undoes it (default slipway-undo-GROUP-TIME.json)")
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
}

// move shows a move, asks, keeps what undoes it, makes it and tells so.
func (a *app) move(ctx context.Context, s *groupSession, m *groups.Move, args moveArgs) error {
	if args.dryRun || a.view.ForPeople() {
		if err := a.view.GroupMove(m); err != nil {
			return err
		}
	}
	if m.Empty() {
		if args.dryRun || a.view.ForPeople() {
			return nil
		}
		return a.view.GroupMoved(m, "")
	}
	if err := s.Check(ctx, m); err != nil || args.dryRun {
		return err
	}
	if !args.yes {
		if err := a.confirmMove(ctx, m); err != nil {
			return err
		}
	}
	file, err := keepUndo(m, args.undo)
	if err != nil {
		return err
	}
	if err := s.Apply(ctx, m); err != nil {
		a.view.Note("undo: %s", undoCommand(file, args.target))
		return err
	}
	if err := a.view.GroupMoved(m, file); err != nil {
		return err
	}
	a.view.Note("undo: %s", undoCommand(file, args.target))
	return nil
}

// confirmMove asks whether to go on. Only the whole word counts.
func (a *app) confirmMove(ctx context.Context, m *groups.Move) error {
	if !a.sys.Terminal || !a.view.ForPeople() {
		return diag.New(diag.CommandUnconfirmed, "the move of group %s waits for a yes, and there is no terminal to ask at", m.Group)
	}
	fmt.Fprintf(a.sys.Err, "\nMove group %s on cluster %s? Type yes: ", diag.Escape(m.Group), diag.Escape(m.Cluster))
	answer := make(chan string, 1)
	go func() { // outlives an interrupted question, and ends with the process
		line, _ := bufio.NewReader(a.sys.In).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case word := <-answer:
		if word != "yes" {
			return diag.New(diag.CommandUnconfirmed, "the answer was not yes")
		}
		return nil
	}
}

// keepUndo writes the group as it is to a file, before anything is changed.
func keepUndo(m *groups.Move, file string) (string, error) {
	if file == "" {
		file = fmt.Sprintf("slipway-undo-%s-%s.json", strings.ReplaceAll(m.Group, "/", "_"), m.Before.Taken.Format("20060102T150405Z"))
	}
	return file, writeSnapshot(file, m.Before)
}

// writeSnapshot never writes over a file: it may be the only way back.
func writeSnapshot(file string, snap *groups.Snapshot) error {
	text, err := snap.Encode()
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return diag.New(diag.CommandOverwrite, "%s exists and is not written over", file).WithFix("name another file")
	}
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

// undoCommand is what to type to go back.
func undoCommand(file string, t target) string {
	command := []string{"slipway group restore", shellWord(file)}
	if t.dir != "." {
		command = append(command, "--dir", shellWord(t.dir))
	}
	if t.env != "" {
		command = append(command, "-e", shellWord(t.env))
	}
	if t.cluster != "" {
		command = append(command, "-c", shellWord(t.cluster))
	}
	return strings.Join(command, " ")
}

// shellWord quotes what a shell would take apart.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// marginFlag is for places that are carried over by time.
func marginFlag(c *cobra.Command, margin *time.Duration) {
	c.Flags().DurationVar(margin, "margin", time.Minute, "how much earlier to begin where a place is carried over by time, for producers' clocks")
}
