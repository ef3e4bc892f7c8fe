package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type aclAuditArgs struct {
	rightsArgs
	logs []string
}

func newACLAuditCommand(a *app) *cobra.Command {
	var args aclAuditArgs
	c := &cobra.Command{
		Use:   "audit [DIR] [FILE...]",
		Short: "Say of everything that brokers denied which contract line would allow it",
		Long: `Reads what the authorizers of brokers logged (the logger kafka.authorizer.logger,
usually kafka-authorizer.log on every broker), and says of each denial which
line of a contract in DIR allows it or would, or why it should stay denied. Name
the logs of all brokers; without FILE, or with -, standard input is read. Logs
may be as large as they like.

Lines may be in any pattern, or JSON in any of log4j's layouts, also as a
container's runtime wraps them. Every line is counted, also those that are not
understood. Times without a zone are taken as UTC. Names in a log are what
clients sent: any client can put any group's name there.`,
		Example: `  slipway acl audit -e prod kafka-authorizer.log
  kubectl logs kafka-0 | slipway acl audit estate -e prod
  slipway acl audit -e prod broker-*/kafka-authorizer.log -o json     exits 2 if contracts should change`,
		Annotations: exits(exitOK, exitError, exitFindings, exitUsage, exitInterrupted),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = "."
			if len(rest) > 0 && isDirectory(rest[0]) {
				args.dir, rest = rest[0], rest[1:]
			}
			args.logs = rest
			return runACLAudit(c.Context(), a, args)
		},
	}
	environmentFlag(c, &args.env)
	clusterFlag(c, &args.cluster)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func runACLAudit(ctx context.Context, a *app, args aclAuditArgs) error {
	resolved, cluster, err := a.rights(args.rightsArgs)
	if err != nil {
		return err
	}
	audit, err := a.audit(ctx, args.logs)
	if err != nil {
		return err
	}
	if audit.Lines > 0 && audit.Denied+audit.Allowed == 0 {
		d := diag.New(diag.ACLNoLog, "no line of %d is a decision of Kafka's authorizer", audit.Lines)
		if audit.FirstUnknown != "" {
			d = d.WithEvidence("%s", audit.FirstUnknown)
		}
		return d
	}
	if audit.Unknown > 0 {
		a.warn(diag.List{diag.Warn(diag.ACLLineUnknown, "%d of %d lines were not understood", audit.Unknown, audit.Lines).WithEvidence("%s", audit.FirstUnknown)})
	}
	got := view.Audit{Environment: resolved.Env, Cluster: cluster, Counts: audit}
	denials, findings := audit.Denials(), false
	for i, advice := range acl.Advise(resolved, cluster, denials) {
		one := view.Audited{Denial: denials[i], Advice: advice}
		got.Denials = append(got.Denials, one)
		findings = findings || one.Finding()
	}
	if err := a.view.Audit(got); err != nil {
		return err
	}
	if findings {
		return errFindings
	}
	return nil
}

// audit reads logs, or standard input.
func (a *app) audit(ctx context.Context, logs []string) (*acl.Audit, error) {
	var audit acl.Audit
	if len(logs) == 0 {
		if a.sys.Terminal {
			return nil, usage("no log is named, and nothing is piped in").WithFix("name the kafka-authorizer.log of every broker")
		}
		logs = []string{"-"}
	}
	for _, name := range logs {
		if err := a.auditOne(ctx, &audit, name); err != nil {
			return nil, err
		}
	}
	return &audit, nil
}

func (a *app) auditOne(ctx context.Context, audit *acl.Audit, name string) error {
	if name == "-" {
		return unreadableLog("standard input", audit.Read(ctx, a.sys.In))
	}
	file, err := os.Open(name)
	if err != nil {
		return unreadableLog(name, err)
	}
	defer func() { _ = file.Close() }()
	return unreadableLog(name, audit.Read(ctx, file))
}

// unreadableLog says why a log could not be read, unless somebody interrupted.
func unreadableLog(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, errInterrupted) {
		return err
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return diag.New(diag.ACLNoLog, "read %s: %v", name, err)
}
