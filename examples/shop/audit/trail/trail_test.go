package trail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"example.com/shop/audit/trail"
	"example.com/shop/internal/store"
)

func open(t *testing.T) (*trail.Service, store.DB) {
	t.Helper()
	db, err := trail.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return trail.New(db), db
}

// row is a record that a topic holds at an offset.
func row(offset int64) trail.Row {
	return trail.Row{
		Topic: "orders.created.v1", Partition: 1, Offset: offset, Key: "lamp", Source: "svc-orders-dev", EventID: fmt.Sprint("e", offset),
		Subject: fmt.Sprint("o-", offset), At: "2026-01-01T00:00:00.000000000Z", Value: json.RawMessage(`{"order_id":"o"}`),
	}
}

func exec(t *testing.T, db store.DB, statement string) error {
	t.Helper()
	return db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
}

func verify(t *testing.T, s *trail.Service) trail.Verdict {
	t.Helper()
	v, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheTrailOnlyGrowsAndTellsWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	const change = `DROP TRIGGER trail_update; DROP TRIGGER trail_delete; `
	for name, tt := range map[string]struct {
		tamper string
		broken int64 // the row that no longer follows; 0 if the end is missing
	}{
		"a value changed":   {`UPDATE trail SET value = '{"order_id":"x"}' WHERE position = 2`, 2},
		"a time changed":    {`UPDATE trail SET at = '2025-01-01' WHERE position = 3`, 3},
		"a row taken out":   {`DELETE FROM trail WHERE position = 2`, 3},
		"the end cut off":   {`DELETE FROM trail WHERE position = 4`, 0},
		"all of it removed": {`DELETE FROM trail`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := open(t)
			for _, rows := range [][]trail.Row{{row(1), row(2)}, {row(3), row(4)}, {row(2), row(4)}} { // some come twice
				if err := s.Keep(t.Context(), rows...); err != nil {
					t.Fatal(err)
				}
			}
			before := verify(t, s)
			if !before.Whole || before.Rows != 4 || before.Hash == "" {
				t.Fatalf("the trail is %+v, want four rows that are whole", before)
			}
			if err := exec(t, db, tt.tamper); err == nil {
				t.Error("the database lets rows be changed")
			}
			if got := verify(t, s); got != before {
				t.Errorf("the trail is %+v, want it as before", got)
			}
			if err := exec(t, db, change+tt.tamper); err != nil {
				t.Fatal(err)
			}
			if got := verify(t, s); got.Whole || got.Broken != tt.broken {
				t.Errorf("the trail is %+v, want it broken at %d", got, tt.broken)
			}
		})
	}
}

// said is a row of an order.
func said(n int64, topic, id, value string) trail.Row {
	return trail.Row{
		Topic: topic, Offset: n, EventID: id, Subject: "o-1", Source: "svc", Value: json.RawMessage(value),
		At: fmt.Sprintf("2026-01-01T00:00:%02d.000000000Z", n),
	}
}

func TestAnOrdersStateFollowsFromWhatWasSaid(t *testing.T) {
	t.Parallel()
	const created, reserved, settled = "orders.created.v1", "inventory.reserved.v1", "payments.settled.v1"
	placed := said(1, created, "c", `{"order_id":"o-1","amount":1250}`)
	taken := said(2, reserved, "r", `{"status":"RESERVED","sequence":1,"amount":1250}`)
	paid := said(4, settled, "p", `{"status":"CONFIRMED","sequence":1,"amount":1250}`)
	out := said(6, reserved, "h", `{"status":"COMMITTED","sequence":2,"amount":1250}`)
	back := said(6, reserved, "b", `{"status":"RELEASED","sequence":2,"amount":1250}`)
	for name, tt := range map[string]struct {
		rows    []trail.Row
		state   string
		charged int64
	}{
		"placed":                {[]trail.Row{placed}, "pending", 0},
		"paid, not handed out":  {[]trail.Row{placed, taken, paid}, "pending", 1250},
		"handed out":            {[]trail.Row{placed, taken, paid, out}, "confirmed", 1250},
		"written down in parts": {[]trail.Row{out, paid, placed, taken}, "confirmed", 1250},
		"published twice":       {[]trail.Row{placed, taken, paid, paid, out}, "confirmed", 1250},
		"no stock":              {[]trail.Row{placed, said(2, reserved, "r", `{"status":"REJECTED","sequence":1}`)}, "rejected", 0},
		"declined":              {[]trail.Row{placed, taken, said(4, settled, "p", `{"status":"DECLINED","sequence":1,"amount":1250}`), back}, "declined", 0},
		"voided":                {[]trail.Row{placed, taken, paid, said(5, settled, "v", `{"status":"VOIDED","sequence":2,"amount":1250}`), back}, "declined", 0},
		"of another order":      {[]trail.Row{placed, {Subject: "o-2", Topic: reserved, Value: json.RawMessage(`{"status":"REJECTED","sequence":1}`)}}, "pending", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := trail.Replay("o-1", tt.rows)
			if err != nil || h.State != tt.state || h.Charged != tt.charged {
				t.Errorf("Replay() = %+v, %v, want %s with %d charged", h, err, tt.state, tt.charged)
			}
			for i := 1; i < len(h.Steps); i++ {
				if h.Steps[i].At < h.Steps[i-1].At {
					t.Errorf("steps are not in order of time: %+v", h.Steps)
				}
			}
		})
	}
}
