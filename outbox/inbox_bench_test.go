package outbox_test

import (
	"context"
	"database/sql"
	"strconv"
	"testing"

	"github.com/slipway-go/slipway/outbox"
)

// BenchmarkDo is what the inbox adds to a handler's transaction with one
// effect, on SQLite. The Postgres build tag has the same for Postgres.
func BenchmarkDo(b *testing.B) { benchmarkDo(b, withEffects(b, openSQLite(b))) }

func benchmarkDo(b *testing.B, db *sql.DB) {
	b.Run("without message", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := outbox.Do(b.Context(), db, effect(strconv.Itoa(i))); err != nil {
				b.Fatal(err)
			}
		}
	})
	n := 0
	b.Run("with message", func(b *testing.B) {
		for b.Loop() {
			n++
			id := strconv.Itoa(n)
			if err := outbox.Do(from(b.Context(), "bench-"+id), db, effect(id)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("done already", func(b *testing.B) {
		for b.Loop() {
			err := outbox.Do(from(b.Context(), "bench-1"), db, func(context.Context, *sql.Tx) error {
				b.Fatal("it was done already")
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
