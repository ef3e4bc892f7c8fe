package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/saga"
)

// manySagas is how many ids one command takes.
const manySagas = 10_000

// sagaOrder is a command that orders something for sagas.
type sagaOrder struct {
	sagaStore
	verb     string
	question string // asked before it is done; "" asks nothing
	yes      bool
	order    func(ctx context.Context, l *saga.Log, name, id, who string) (saga.Summary, error)
}

func newSagaRetryCommand(a *app) *cobra.Command {
	args := sagaOrder{verb: "retry"}
	args.order = func(ctx context.Context, l *saga.Log, name, id, who string) (saga.Summary, error) {
		return l.Retry(ctx, name, id, who)
	}
	c := &cobra.Command{
		Use:   "retry [NAME/]ID...",
		Short: "Have stuck sagas send their command again",
		Long: `Has sagas that are stuck send the command again that was not answered, or was
refused, as often as at first. A command that nobody answered keeps its
idempotency key, so that it is carried out once; after a refusal it has a new one.` + sagaOrderHelp + sagaHelp,
		Example: `  slipway saga retry order/o-4711 --service orders
  slipway saga list --state stuck -o name | xargs slipway saga retry`,
	}
	return args.finish(c, a)
}

func newSagaCompensateCommand(a *app) *cobra.Command {
	args := sagaOrder{verb: "compensate", question: "Undo the steps of %s?"}
	var from string
	args.order = func(ctx context.Context, l *saga.Log, name, id, who string) (saga.Summary, error) {
		return l.Compensate(ctx, name, id, from, who)
	}
	c := &cobra.Command{
		Use:   "compensate [NAME/]ID...",
		Short: "Have sagas undo what they have done",
		Long: `Has sagas that run or are stuck undo their steps, the last one first, also those
behind the pivot. With --from they begin at that step: what was done after it is
taken for undone by hand.

It asks before, and off a terminal wants --yes.` + sagaOrderHelp + sagaHelp,
		Example: `  slipway saga compensate order/o-4711 --service orders
  slipway saga compensate order/o-4711 --from reserve --yes --database sqlite:orders.db`,
	}
	c.Flags().StringVar(&from, "from", "", "the step to begin with")
	return args.finish(c, a)
}

func newSagaSettleCommand(a *app) *cobra.Command {
	args := sagaOrder{verb: "settle", question: "Take the open step of %s for carried out?"}
	args.order = func(ctx context.Context, l *saga.Log, name, id, who string) (saga.Summary, error) {
		return l.Settle(ctx, name, id, who)
	}
	c := &cobra.Command{
		Use:   "settle [NAME/]ID...",
		Short: "Tell sagas that their open step was carried out",
		Long: `Tells sagas that the command they wait for was carried out, by hand or without
an answer: the step counts as done, or as undone, and the saga goes on.

It asks before, and off a terminal wants --yes.` + sagaOrderHelp + sagaHelp,
		Example: `  slipway saga settle order/o-4711 --service orders`,
	}
	return args.finish(c, a)
}

// finish gives the command what all of them have.
func (o *sagaOrder) finish(c *cobra.Command, a *app) *cobra.Command {
	c.Annotations = exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted)
	c.Args = arguments(1, manySagas, "the id of a saga")
	var who string
	c.RunE = func(c *cobra.Command, ids []string) error {
		return a.sagas(c.Context(), o.sagaStore, func(ctx context.Context, l *saga.Log) error {
			return runSagaOrder(ctx, a, o, l, ids, cmp.Or(who, a.sys.Getenv("USER"), "unknown"))
		})
	}
	sagaFlags(c, &o.sagaStore)
	c.Flags().StringVar(&who, "as", "", "who orders it, for the timeline; the user of this machine unless given")
	if o.question != "" {
		c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	}
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

// runSagaOrder orders something for each saga. All are looked at before the
// first order is written; what one of them refuses does not keep the others.
func runSagaOrder(ctx context.Context, a *app, o *sagaOrder, l *saga.Log, ids []string, who string) error {
	var found []*saga.Detail
	for _, id := range ids {
		d, err := detail(ctx, l, id)
		if err != nil {
			return err
		}
		found = append(found, d)
	}
	if o.question != "" && !o.yes {
		what := count(len(found), "saga", "sagas")
		if len(found) == 1 {
			what = found[0].Name + "/" + found[0].ID
		}
		if err := a.ask(ctx, count(len(found), "saga waits", "sagas wait"), fmt.Sprintf(o.question, what)); err != nil {
			return err
		}
	}
	var done []saga.Summary
	var faults diag.List
	for _, d := range found {
		s, err := o.order(ctx, l, d.Name, d.ID, who)
		switch {
		case err == nil:
			done = append(done, s)
		case len(diag.Of(err)) == 0:
			return err
		default:
			faults = append(faults, diag.Of(err)...)
		}
	}
	if err := a.view.SagasOrdered(o.verb, done); err != nil {
		return err
	}
	if len(done) == 0 && errors.Is(faults.Err(), diag.SagaState) {
		return refused(faults...)
	}
	return faults.Err()
}
