package cli_test

import (
	"context"
	"database/sql"
	"errors"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"
)

// writeSagas makes a service's database with some sagas in it, as the service
// would have left them: sagas FILE.
func writeSagas(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	db, err := database.Open(ctx, "sqlite:"+ts.MkAbs(args[0])+"?mode=rwc")
	ts.Check(err)
	defer func() { ts.Check(db.Close()) }()
	ts.Check(errors.Join(outbox.Migrate(ctx, db), saga.Migrate(ctx, db)))
	ts.Check(outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range madeSagas {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}))
}

// madeSagas are an order that waits for its payment, one whose stock cannot be
// put back, one that is over, and a return with the id of the first. All began
// on 2026-11-20 at 10:00.
var madeSagas = []string{
	`INSERT INTO slipway_saga (name, id, version, state, step, reason, data, position, revision, due, started, updated) VALUES
('order', 'o-1', 1, 'running', 'pay', '', '{"card":"visa"}',
	'{"state":"running","at":1,"attempt":1,"steps":[{"name":"reserve","phase":"done","answered":true},{"name":"pay","phase":"asked"},{"name":"ship"}]}', 2, 1795169100000000, 1795168800000000, 1795168802000000),
('order', 'o-2', 1, 'stuck', 'reserve', 'the compensation was not answered in time', '{}',
	'{"state":"stuck","was":"compensating","at":0,"attempt":3,"steps":[{"name":"reserve","phase":"undoing","answered":true,"round":1},{"name":"pay","phase":"failed"},{"name":"ship"}]}', 7, NULL, 1795168800000000, 1795168801000000),
('order', 'o-3', 1, 'completed', 'ship', '', '{}',
	'{"state":"completed","at":2,"steps":[{"name":"reserve","phase":"done"},{"name":"pay","phase":"done"},{"name":"ship","phase":"done"}]}', 4, NULL, 1795168800000000, 1795168803000000),
('return', 'o-1', 2, 'compensating', 'collect', 'nobody was at home', '{}',
	'{"state":"compensating","at":0,"attempt":1,"steps":[{"name":"collect","phase":"undoing"}]}', 2, 1795169100000000, 1795168800000000, 1795168804000000)`,
	`INSERT INTO slipway_saga_history (name, id, at, kind, step, detail, actor) VALUES
('order', 'o-2', 1795168800000000, 'started', '', '', ''),
('order', 'o-2', 1795168800000000, 'asked', 'reserve', '', ''),
('order', 'o-2', 1795168800250000, 'done', 'reserve', '', ''),
('order', 'o-2', 1795168800250000, 'asked', 'pay', '', ''),
('order', 'o-2', 1795168800500000, 'failed', 'pay', 'card ' || char(27) || '[2Jdeclined', ''),
('order', 'o-2', 1795168800500000, 'undoing', 'reserve', '', ''),
('order', 'o-2', 1795168801000000, 'stuck', '', 'the compensation was not answered in time', '')`,
}
