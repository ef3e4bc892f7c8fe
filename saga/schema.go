package saga

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/outbox"
)

// Migrate makes the tables of sagas where they are missing. It can be called at
// every start, by several instances at once. The outbox has its own.
func Migrate(ctx context.Context, db *sql.DB) error {
	d, err := outbox.DialectOf(ctx, db)
	if err != nil {
		return fmt.Errorf("make tables of sagas: %w", err)
	}
	err = outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
		if d == outbox.Postgres { // CREATE IF NOT EXISTS is not safe against itself there
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(7275421904)"); err != nil {
				return err
			}
		}
		for statement := range strings.SplitSeq(strings.TrimSpace(Schema(d)), ";\n") {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make tables of sagas: %w", err)
	}
	return nil
}

// Schema returns the statements that make the tables, for tools that keep a
// database's migrations. Times are microseconds since 1970, so that they are
// the same in every database.
func Schema(d outbox.Dialect) string {
	serial := "INTEGER PRIMARY KEY AUTOINCREMENT"
	if d == outbox.Postgres {
		serial = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
	}
	return strings.ReplaceAll(schema, "SERIAL", serial)
}

const schema = `CREATE TABLE IF NOT EXISTS slipway_saga (
  name     TEXT   NOT NULL,
  id       TEXT   NOT NULL,
  version  BIGINT NOT NULL,
  state    TEXT   NOT NULL,
  step     TEXT   NOT NULL,
  reason   TEXT   NOT NULL,
  data     TEXT   NOT NULL,
  position TEXT   NOT NULL,
  revision BIGINT NOT NULL,
  due      BIGINT,
  started  BIGINT NOT NULL,
  updated  BIGINT NOT NULL,
  PRIMARY KEY (name, id)
);
CREATE INDEX IF NOT EXISTS slipway_saga_due ON slipway_saga (name, due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS slipway_saga_state ON slipway_saga (name, state, updated);
CREATE TABLE IF NOT EXISTS slipway_saga_history (
  nr     SERIAL,
  name   TEXT   NOT NULL,
  id     TEXT   NOT NULL,
  at     BIGINT NOT NULL,
  kind   TEXT   NOT NULL,
  step   TEXT   NOT NULL,
  detail TEXT   NOT NULL,
  actor  TEXT   NOT NULL
);
CREATE INDEX IF NOT EXISTS slipway_saga_history_saga ON slipway_saga_history (name, id, nr);
CREATE TABLE IF NOT EXISTS slipway_saga_order (
  nr    SERIAL,
  name  TEXT   NOT NULL,
  id    TEXT   NOT NULL,
  verb  TEXT   NOT NULL,
  step  TEXT   NOT NULL,
  actor TEXT   NOT NULL,
  at    BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS slipway_saga_order_name ON slipway_saga_order (name, nr);
`
