package outbox

import (
	"context"
	"database/sql"
	"log/slog"
)

// What the tests outside of the package look into.
const ForgetStep = forgetStep

var ForgetSome = forgetSome

// NewSweeper makes what deletes rows that Debezium has published.
func NewSweeper(db *sql.DB, slot string, log *slog.Logger) *sweeper {
	return &sweeper{db: db, slot: slot, log: log}
}

// Sweep makes one round.
func (s *sweeper) Sweep(ctx context.Context) error { return s.sweep(ctx) }
