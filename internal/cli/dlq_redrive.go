package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/cli/view"
)

// redriveTimeout is the usual time for a redrive: a million letters at the
// usual rate take less than three hours.
const redriveTimeout = 6 * time.Hour

type dlqRedriveArgs struct {
	chosen
	redrive dlq.Redrive
	audit   string
	dryRun  bool
	yes     bool

	duplicates bool // also what the service no longer remembers
}

func newDLQRedriveCommand(a *app, action dlq.Action) *cobra.Command {
	args := dlqRedriveArgs{redrive: dlq.Redrive{Action: action}}
	var q queryArgs
	var rate string
	c := &cobra.Command{
		Use:   "redrive [DIR]",
		Short: "Send letters back to the group that failed",
		Long: `Finds the letters that the flags select, shows how many there are and why, asks,
and sends them back: slowly, and only to the group that failed. A parked key is
released and goes on with its head; any other record is handled again from its
first attempt. Letters that were sent before are left out, unless --again.

A letter that came back --max-redrives times is refused, and so is one whose
headers say what cannot be. Where the contract has dedup, nothing is sent while a
selected letter is older than its ttl: the service no longer knows whether the
event came again meanwhile and was handled. --since leaves such letters out,
--allow-duplicates sends them. Interrupted or killed, the same command goes on where
it stopped; what it has to repeat is recognised by the service.` + filterHelp + redriveHelp,
		Example: `  slipway dlq redrive -e prod --topic orders.created.v1 --dry-run
  slipway dlq redrive -e prod --topic orders.created.v1 --reason exhausted --rate 50/s
  slipway dlq redrive -e prod --service inventory --filter 'key == "o-42"' --yes`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.fill(a, c, q, rate); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runDLQRedrive(ctx, a, args) })
		},
	}
	if action == dlq.Skip {
		c.Use = "skip [DIR]"
		c.Short = "Let parked keys go on without the record they wait behind"
		c.Long = `Finds the letters of parked keys that the flags select, shows how many there are,
asks, and lets each key go on without its head: that record is never handled. Its
letter stays. It is the counterpart of redrive, which releases the head.` + filterHelp + redriveHelp
		c.Example = `  slipway dlq skip -e prod --topic orders.created.v1 --key o-42
  slipway dlq skip -e prod --topic orders.created.v1 --since 1h --dry-run`
	}
	chosenFlags(c, &args.chosen)
	queryFlags(c, &q)
	timeout := c.Flags().Lookup("timeout")
	timeout.DefValue, args.timeout = redriveTimeout.String(), redriveTimeout
	f := c.Flags()
	f.StringVar(&rate, "rate", contract.Rate(dlq.DefaultRate).String(), "how many letters to send at most")
	f.BoolVar(&args.redrive.Again, "again", false, "also letters that were sent before")
	f.BoolVar(&args.redrive.Abandon, "abandon", false, "leave another redrive that was killed as it is")
	if action == dlq.Return {
		f.BoolVar(&args.redrive.Force, "force", false, "also letters that came back too often")
		f.BoolVar(&args.duplicates, "allow-duplicates", false, "also letters older than the contract's dedup.ttl, whose events may have been handled since under another record")
		f.IntVar(&args.redrive.MaxRedrives, "max-redrives", dlq.DefaultMaxRedrives, "how often a letter may come back")
	}
	f.StringVar(&args.audit, "audit", "", "file to add a line of JSON to, when it begins and when it ends")
	f.BoolVar(&args.dryRun, "dry-run", false, "show what would be sent, and send nothing")
	f.BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.JSON, view.YAML)
	return c
}

func (args *dlqRedriveArgs) fill(a *app, c *cobra.Command, q queryArgs, rate string) error {
	r, err := contract.ParseRate(rate)
	if err != nil || r <= 0 {
		return usage("--rate is no rate").WithFix("write it like 100/s or 2k/s")
	}
	args.redrive.Rate = float64(r)
	if args.redrive.Action == dlq.Return && args.redrive.MaxRedrives < 1 {
		return usage("--max-redrives: want 1 or more").WithFix("--force sends letters however often they came back")
	}
	if args.redrive.Query, err = a.query(c, q); err != nil {
		return err
	}
	return args.credential.fill(c, a.sys.Getenv)
}

func runDLQRedrive(ctx context.Context, a *app, args dlqRedriveArgs) error {
	l, err := a.letters(ctx, args.chosen)
	if err != nil {
		return err
	}
	defer l.Close()
	if args.service == "" {
		if _, err := args.one(l.sources); err != nil {
			return err
		}
	}
	plans, err := prepare(ctx, l, args.redrive)
	if err != nil {
		return err
	}
	report := view.Redrive{
		Environment: l.env, Cluster: l.cluster, Principal: l.principal, Action: string(args.redrive.Action),
		Selection: args.redrive.Query.Words(), DryRun: args.dryRun,
	}
	waiting := 0
	for _, p := range plans {
		waiting += p.Counts.Sendable()
		report.Add(p, p.Counts, 0, 0)
	}
	if args.dryRun || a.view.ForPeople() {
		if err := a.view.RedrivePlan(report); err != nil || args.dryRun {
			return err
		}
	}
	if err := args.remembered(plans, time.Now()); err != nil {
		return err
	}
	if waiting > 0 && !args.yes {
		what := count(waiting, "letter waits", "letters wait")
		if err := a.ask(ctx, what, fmt.Sprintf("%s %d of cluster %s, environment %s?", verb(args.redrive.Action), waiting, l.cluster, l.env)); err != nil {
			return err
		}
	}
	return a.redrive(ctx, l, plans, report, args)
}

// remembered refuses letters that are older than what their service remembers
// of what it has handled.
func (args *dlqRedriveArgs) remembered(plans []*dlq.Plan, now time.Time) error {
	var list diag.List
	for _, p := range plans {
		s := p.Source
		if args.duplicates || p.Action != dlq.Return || p.Empty() || s.Window == 0 || now.Sub(p.Counts.Oldest) <= s.Window {
			continue
		}
		list.Add(diag.New(diag.RedriveTooOld, "the oldest of %s is from %s, and %s forgets what it has handled after %s",
			count(p.Counts.Sendable(), "letter", "letters"), p.Counts.Oldest.UTC().Format(time.RFC3339), s.Service, contract.FormatDuration(s.Window)).
			WithEvidence("%s", s.Topic))
	}
	if len(list) == 0 {
		return nil
	}
	return refused(list...)
}

func verb(action dlq.Action) string {
	if action == dlq.Skip {
		return "Skip the heads of parked keys,"
	}
	return "Send back"
}

func prepare(ctx context.Context, l *letters, r dlq.Redrive) ([]*dlq.Plan, error) {
	var plans []*dlq.Plan
	for _, s := range l.sources {
		r.Source = s
		p, err := l.Prepare(ctx, r)
		if errors.Is(err, diag.DLQUnfinished) {
			return nil, refused(diag.Of(err)...)
		}
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// redrive runs the plans one after the other and reports what was done, also
// when that ended before its time.
func (a *app) redrive(ctx context.Context, l *letters, plans []*dlq.Plan, report view.Redrive, args dlqRedriveArgs) error {
	report.Topics = nil
	log, err := openAudit(args.audit)
	if err != nil {
		return err
	}
	defer log.Close()
	var failed error
	for _, p := range plans {
		if failed != nil {
			break
		}
		if p.Empty() && !p.Resumed {
			report.Add(p, p.Counts, 0, 0)
			continue
		}
		if err := log.write(auditLine(l, p, "began", p.Counts, nil)); err != nil {
			return err
		}
		progress := a.view.Progress(p.Counts.Sendable())
		got, err := l.Run(ctx, p, func(n dlq.Counts) { progress.At(n.Sendable()) })
		progress.End()
		report.Add(p, got.Counts, got.Forgotten, got.Took)
		failed = cmp.Or(err, log.write(auditLine(l, p, "ended", got.Counts, err)))
	}
	if err := a.view.Redriven(report); err != nil {
		return errors.Join(err, failed)
	}
	return cmp.Or(failed, report.Refused())
}

// An audit is a file that lines are added to; nil writes none.
type audit struct{ file *os.File }

func openAudit(name string) (*audit, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, usage("open the file of --audit: %v", err)
	}
	return &audit{f}, nil
}

func (a *audit) Close() {
	if a != nil {
		_ = a.file.Close() // each line was synced
	}
}

func (a *audit) write(line view.AuditLine) error {
	if a == nil {
		return nil
	}
	text, err := line.Text()
	if err == nil {
		_, err = a.file.Write(text)
	}
	if err == nil {
		err = a.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("write the file of --audit: %w", err)
	}
	return nil
}

func auditLine(l *letters, p *dlq.Plan, event string, n dlq.Counts, err error) view.AuditLine {
	line := view.AuditLine{
		Time: time.Now().UTC(), Event: event, Action: string(p.Action), Principal: l.principal, Environment: l.env, Cluster: l.cluster,
		Topic: p.Source.Topic, Retry: p.Source.Retry, Redrive: p.Name(), Resumed: p.Resumed, Selection: p.Query.Words(), Counts: n,
	}
	if err != nil {
		line.Error = err.Error()
	}
	return line
}
