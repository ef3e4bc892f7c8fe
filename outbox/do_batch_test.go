package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
)

// batchOf makes messages, each of a delivery of its own.
func batchOf(ids ...string) []*slipway.Message[string] {
	batch := make([]*slipway.Message[string], len(ids))
	for i, id := range ids {
		batch[i] = &slipway.Message[string]{Value: id}
	}
	return batch
}

// all is a handler's work for each message of a batch. The bad one is refused.
func all(runs *int, bad string, why error) func(context.Context, *sql.Tx, []*slipway.Message[string]) error {
	return func(ctx context.Context, tx *sql.Tx, batch []*slipway.Message[string]) error {
		*runs++
		for _, m := range batch {
			if m.Value == bad {
				return why
			}
			if err := effect(m.Value)(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}
}

func batchIsOne(t *testing.T, db *sql.DB) {
	runs := 0
	if got := outbox.DoBatch(t.Context(), db, batchOf("a", "b"), all(&runs, "", nil)); got != nil || runs != 1 {
		t.Errorf("DoBatch = %v after %d runs, want nil after one", got, runs)
	}
	requireEffects(t, db, "a", 1)
	requireEffects(t, db, "b", 1)
}

func batchGoesOnAlone(t *testing.T, db *sql.DB) {
	runs := 0
	got := outbox.DoBatch(t.Context(), db, batchOf("a", "bad", "b"), all(&runs, "bad", slipway.Reject(errOwn)))
	if fmt.Sprint(got) != fmt.Sprint([]error{nil, errOwn, nil}) || !slipway.Rejected(got[1]) || runs != 4 {
		t.Errorf("DoBatch = %v after %d runs, want the second one rejected after 4", got, runs)
	}
	for id, want := range map[string]int{"a": 1, "bad": 0, "b": 1} {
		requireEffects(t, db, id, want)
	}
	if err := errors.Join(got...); !errors.Is(err, errOwn) {
		t.Error(err)
	}
}
