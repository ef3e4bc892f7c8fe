package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/up"
	"github.com/slipway-go/slipway/saga"
)

const sagaHelp = `

Sagas are in the database of the service that runs them. It is the one of
--database, such as postgres://user@host/name or sqlite:/path/to/file.db, or
that of --service while slipway up runs the estate in --dir, or the one of
DATABASE_URL. An address with a password goes into DATABASE_URL: a command line
is no place for it.`

const sagaOrderHelp = `

The order is a row in the database. The service carries it out within a second,
or as soon as it runs, and the saga's timeline tells who ordered what and when.`

func newSagaCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "saga",
		Short: "Look at sagas, and help those that are stuck",
		Long: `Looks at sagas: work that several services do step by step, and that is undone
where it cannot be finished. One that can neither go on nor be undone by itself
is stuck, until an operator has its command sent again (retry), has its steps
undone (compensate), or says that the step was carried out by hand (settle).`,
		Example: `  slipway saga list --service orders --state stuck
  slipway saga show order/o-4711 --service orders
  slipway saga retry order/o-4711 --service orders`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newSagaListCommand(a), newSagaShowCommand(a), newSagaRetryCommand(a), newSagaCompensateCommand(a), newSagaSettleCommand(a))
	return c
}

// sagaStore is where a command finds sagas.
type sagaStore struct {
	url, service, dir, env string
	timeout                time.Duration
}

func sagaFlags(c *cobra.Command, s *sagaStore) {
	c.Flags().StringVar(&s.url, "database", "", "address of the database; DATABASE_URL unless given")
	c.Flags().StringVar(&s.service, "service", "", "the service whose database it is, while slipway up runs")
	c.Flags().StringVar(&s.dir, "dir", ".", "directory of the estate that slipway up runs")
	environmentFlag(c, &s.env)
	timeoutFlag(c, &s.timeout, 30*time.Second)
}

// sagas runs f on the log of the database that the flags choose.
func (a *app) sagas(ctx context.Context, s sagaStore, f func(context.Context, *saga.Log) error) error {
	return bounded(ctx, s.timeout, func(ctx context.Context) (err error) {
		url, err := s.find(a)
		if err != nil {
			return err
		}
		db, err := database.Open(ctx, url)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		log, err := saga.OpenLog(ctx, db)
		if err != nil {
			return err
		}
		return f(ctx, log)
	})
}

// find is the database's address.
func (s sagaStore) find(a *app) (string, error) {
	if s.url != "" && s.service != "" {
		return "", usage("--database and --service both name a database").WithFix("give one of them")
	}
	if s.service == "" {
		if url := cmp.Or(s.url, a.sys.Getenv("DATABASE_URL")); url != "" {
			return url, nil
		}
		return "", usage("no database is named").WithFix("name it with --database, with --service while slipway up runs, or by DATABASE_URL")
	}
	run, err := up.Find("", s.dir, s.env)
	if err != nil {
		return "", err
	}
	file, ok := run.Databases[s.service]
	if !ok {
		return "", usage("slipway up of %s runs no service %s", run.Dir, s.service).WithFix("name one of its services")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

type sagaListArgs struct {
	sagaStore
	filter saga.Filter
	states []string
}

// sagaStates are the words of --state.
var sagaStates = []saga.State{saga.Running, saga.Compensating, saga.Stuck, saga.Completed, saga.Compensated}

func newSagaListCommand(a *app) *cobra.Command {
	var args sagaListArgs
	c := &cobra.Command{
		Use:   "list",
		Short: "Show sagas, those first that have not moved for longest",
		Long: `Shows sagas with where they are and since when, at most 50 unless --limit says
otherwise. Those that are over can be seen until the service deletes them, by
default after 30 days.` + sagaHelp,
		Example: `  slipway saga list --service orders
  slipway saga list --database sqlite:orders.db --state stuck,compensating --idle 10m
  slipway saga list --state stuck -o name | xargs slipway saga retry`,
		Annotations: exits(exitOK, exitError, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if args.filter.States, err = statesOf(args.states); err != nil {
				return err
			}
			if args.filter.Limit < 0 || args.filter.Idle < 0 {
				return usage("--limit and --idle are not below 0")
			}
			return a.sagas(c.Context(), args.sagaStore, func(ctx context.Context, l *saga.Log) error {
				all, err := l.List(ctx, args.filter)
				if err != nil {
					return err
				}
				return a.view.Sagas(all, args.filter.Limit > 0 && len(all) == args.filter.Limit)
			})
		},
	}
	sagaFlags(c, &args.sagaStore)
	c.Flags().StringVar(&args.filter.Name, "name", "", "sagas of this name alone")
	c.Flags().StringSliceVar(&args.states, "state", nil, "sagas in these states alone: "+join(sagaStates))
	complete(c, "state", sagaStates)
	c.Flags().DurationVar(&args.filter.Idle, "idle", 0, "sagas alone that have not moved for so long")
	c.Flags().IntVar(&args.filter.Limit, "limit", listLimit, "how many to show; 0 for all")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

// statesOf reads the words of --state.
func statesOf(words []string) ([]saga.State, error) {
	var all []saga.State
	for _, w := range words {
		i := slices.Index(sagaStates, saga.State(w))
		if i < 0 {
			return nil, usage("--state: %q is no state of a saga", w).WithFix("write %s", join(sagaStates))
		}
		all = append(all, sagaStates[i])
	}
	return all, nil
}

func newSagaShowCommand(a *app) *cobra.Command {
	var args sagaStore
	c := &cobra.Command{
		Use:   "show [NAME/]ID",
		Short: "Show one saga with its steps and its timeline",
		Long: `Shows where a saga is, the state of each step, what it knows, and everything
that has happened to it: commands, answers, timeouts, orders of operators, and
events that came late, early or twice and had no effect.` + sagaHelp,
		Example: `  slipway saga show order/o-4711 --service orders
  slipway saga show o-4711 --database sqlite:orders.db -o json`,
		Annotations: exits(exitOK, exitError, exitUsage, exitInterrupted),
		Args:        arguments(1, 1, "the id of a saga"),
		RunE: func(c *cobra.Command, rest []string) error {
			return a.sagas(c.Context(), args, func(ctx context.Context, l *saga.Log) error {
				d, err := detail(ctx, l, rest[0])
				if err != nil {
					return err
				}
				return a.view.Saga(d)
			})
		},
	}
	sagaFlags(c, &args)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

// detail finds a saga by what the user wrote: an id, or a name and an id. An id
// may have a slash of its own.
func detail(ctx context.Context, l *saga.Log, text string) (*saga.Detail, error) {
	name, id, found := strings.Cut(text, "/")
	if !found {
		return l.Show(ctx, "", text)
	}
	d, err := l.Show(ctx, name, id)
	if errors.Is(err, diag.SagaUnknown) {
		if other, err := l.Show(ctx, "", text); !errors.Is(err, diag.SagaUnknown) {
			return other, err
		}
	}
	return d, err
}
