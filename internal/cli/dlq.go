package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

const redriveHelp = `

The login is that of the service's redrive principal, User:svc-SERVICE-ENV-redrive,
or an administrator's. Secrets are named by file; what no flag gives is taken from
SLIPWAY_TLS_CERT, SLIPWAY_TLS_KEY, SLIPWAY_SASL_USER, SLIPWAY_SASL_PASSWORD_FILE,
SLIPWAY_SASL_MECHANISM. On the Kafka of slipway up or slipway dev none is needed:
a running slipway up is found by the estate's directory.`

const filterHelp = `

A filter is an expression in CEL over the fields of a letter:

  reason, error, class, stack, key, value   text; reason is rejected, exhausted,
                                            undecodable or parked
  headers["name"]                           of the original record, text
  time, first, last                         when it was written, failed first and last
  size, attempts, redrives                  numbers
  parked                                    true or false
  topic, partition, offset                  of the dead letter
  origin.topic, .partition, .offset, .group of the record that died
  dialect                                   who wrote the evidence: slipway, spring, …
  now                                       when the command began

  reason == "exhausted" && error.contains("timeout") && now - time < duration("2h")
  key.startsWith("o-") && headers["tenant"] == "acme"`

func newDLQCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "dlq",
		Short: "Look at dead letters, send them back, or delete them",
		Long: `Works on dead letters: records that a service gave up on, with the reason why.

They are read from the service's dead-letter topics. What is sent back goes to
its retry topic as a command, so only the group that failed gets it, in the
order of its key. Nothing is sent twice unless it is asked for.`,
		Example: `  slipway dlq list -e prod
  slipway dlq list -e prod --topic orders.created.v1 --records --reason exhausted
  slipway dlq redrive -e prod --topic orders.created.v1 --rate 50/s`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(
		newDLQListCommand(a), newDLQInspectCommand(a), newDLQRedriveCommand(a, dlq.Return), newDLQRedriveCommand(a, dlq.Skip),
		newDLQParkCommand(a), newDLQPurgeCommand(a),
	)
	return c
}

// A chosen is which dead-letter topics a command works on.
type chosen struct {
	target
	service, entry, topic string
}

func chosenFlags(c *cobra.Command, t *chosen) {
	targetFlags(c, &t.target)
	c.Flags().StringVar(&t.service, "service", "", "dead letters of this service alone")
	c.Flags().StringVar(&t.entry, "entry", "", "dead letters of this entry of consumes alone")
	c.Flags().StringVar(&t.topic, "topic", "", "dead letters of this consumed topic alone, or this dead-letter topic")
	for flag, usage := range map[string]string{
		"tls-cert":           "file with the client certificate (or SLIPWAY_TLS_CERT)",
		"sasl-user":          "user to log in as (or SLIPWAY_SASL_USER)",
		"registry-auth-file": "not used here",
	} {
		c.Flags().Lookup(flag).Usage = usage
	}
	if err := c.Flags().MarkHidden("registry-auth-file"); err != nil {
		panic("cli: " + err.Error())
	}
}

// letters is an open client with the dead-letter topics that were chosen.
type letters struct {
	*dlq.Client
	endpoint  *endpoint
	sources   []dlq.Source
	principal string
	cluster   string
	env       string
}

// letters connects, and finds what the flags choose.
func (a *app) letters(ctx context.Context, t chosen) (*letters, error) {
	w, resolved, name, err := a.aim(t.target)
	if err != nil {
		return nil, err
	}
	sources, err := t.pick(dlq.Sources(resolved, name))
	if err != nil {
		return nil, err
	}
	l := &letters{sources: sources, cluster: name, env: resolved.Env}
	e, err := a.operate(ctx, w, resolved.Env, resolved.Cluster(name), &t.credential, l.alone())
	if err != nil {
		return nil, err
	}
	l.endpoint = e
	a.warn(t.credential.exposed())
	cfg, err := e.kafka()
	if err != nil {
		return nil, err
	}
	if err := greet(ctx, cfg, e.Cluster); err != nil {
		return nil, err
	}
	options, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	l.principal = principalOf(cfg)
	l.Client, err = dlq.Open(dlq.Config{Options: options, Principal: l.principal})
	return l, err
}

// greet logs in, which tells well why that fails, and makes sure that it is the
// pinned cluster that answers.
func greet(ctx context.Context, cfg kafka.Config, cluster *contract.Cluster) error {
	k, err := kafka.Connect(ctx, cfg)
	if err != nil {
		return refusedLogin(err)
	}
	defer k.Close()
	if cluster.ID != "" && cluster.ID != k.ID() {
		return refused(diag.New(diag.PlanWrongCluster, "cluster %s is pinned to id %s, and the one that answers has id %s", cluster.Name, cluster.ID, k.ID()))
	}
	return nil
}

// refusal makes a diagnostic a guard's, by its exit status.
type refusal struct{ diag.List }

func refused(list ...diag.Diagnostic) error { return refusal{list} }

// Is makes a refusal one of a plan's kind.
func (refusal) Is(target error) bool { return target == plan.ErrRefused }

// principalOf is who a configuration logs in as, for the audit.
func principalOf(cfg kafka.Config) string {
	if cfg.User != "" {
		return "User:" + cfg.User
	}
	if cfg.TLS != nil && len(cfg.TLS.Certificates) > 0 && cfg.TLS.Certificates[0].Leaf != nil {
		return "User:" + cfg.TLS.Certificates[0].Leaf.Subject.CommonName
	}
	return "User:ANONYMOUS"
}

// pick returns the sources that the flags name, and an error if there is none.
func (t chosen) pick(all []dlq.Source) ([]dlq.Source, error) {
	var picked []dlq.Source
	var known []string
	for _, s := range all {
		known = append(known, s.Topic)
		if (t.service == "" || t.service == s.Service) && (t.entry == "" || t.entry == s.Entry) &&
			(t.topic == "" || t.topic == s.Topic || t.topic == s.Origin || t.topic == s.Entry) {
			picked = append(picked, s)
		}
	}
	if len(picked) > 0 {
		return picked, nil
	}
	d := diag.New(diag.DLQNoTopic, "no dead-letter topic of the estate is of%s", t.words())
	switch {
	case len(known) == 0:
		d = diag.New(diag.DLQNoTopic, "no contract of the estate has a dead-letter topic here")
	case t.topic != "" && nearest(t.topic, known) != "":
		d = d.WithFix("did you mean %s?", nearest(t.topic, known))
	default:
		d = d.WithFix("there are %s", strings.Join(known, ", "))
	}
	return nil, d
}

func (t chosen) words() string {
	var b strings.Builder
	for _, w := range []struct{ flag, value string }{{"service", t.service}, {"entry", t.entry}, {"topic", t.topic}} {
		if w.value != "" {
			fmt.Fprintf(&b, " %s %s", w.flag, w.value)
		}
	}
	return b.String()
}

// one is the only source; a command that changes something takes no more,
// unless the flags named a service.
func (t chosen) one(sources []dlq.Source) (dlq.Source, error) {
	if len(sources) == 1 {
		return sources[0], nil
	}
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.Topic
	}
	return dlq.Source{}, usage("%d dead-letter topics fit: %s", len(sources), strings.Join(names, ", ")).
		WithFix("name one with --service, --topic or --entry; two services that read one topic are told apart by --service")
}

// ask asks whether to go on. Only the whole word counts.
func (a *app) ask(ctx context.Context, waits, question string) error {
	if !a.sys.Terminal || !a.view.ForPeople() {
		return diag.New(diag.CommandUnconfirmed, "%s for a yes, and there is no terminal to ask at", waits).
			WithFix("run it again with --yes")
	}
	fmt.Fprintf(a.sys.Err, "\n%s Type yes: ", diag.Escape(question))
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
			return diag.New(diag.CommandUnconfirmed, "the answer was not yes").WithFix("run it again, and answer yes or give --yes")
		}
		return nil
	}
}
