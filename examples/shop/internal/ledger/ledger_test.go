package ledger_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/store"
)

// filled returns the endpoint of a ledger with n entries.
func filled(t *testing.T, n int) *http.ServeMux {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"), ledger.Schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		for i := range n {
			if err := ledger.Append(ctx, tx, ledger.Entry{Flow: ledger.In, OrderID: "o", Kind: "counted", Sequence: int64(i + 1)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	ledger.Handle(mux, db)
	return mux
}

func get(t *testing.T, h http.Handler, path string, v any) int {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("GET %s answered %q", path, w.Body)
	}
	return w.Code
}

func TestPagesTogetherAreTheWholeLedger(t *testing.T) {
	t.Parallel()
	mux := filled(t, 25)
	var seen []int64
	for path := "/ledger?limit=10"; ; {
		var page ledger.Page
		get(t, mux, path, &page)
		if page.Last != 25 {
			t.Fatalf("last is %d, want 25", page.Last)
		}
		for _, e := range page.Entries {
			seen = append(seen, e.Sequence)
			if e.At.IsZero() || e.Position == 0 {
				t.Errorf("entry %+v lacks its time or position", e)
			}
		}
		if len(page.Entries) == 0 {
			break
		}
		next, err := json.Marshal(page.Next)
		if err != nil {
			t.Fatal(err)
		}
		path = "/ledger?limit=10&after=" + string(next)
	}
	if len(seen) != 25 || seen[0] != 1 || seen[24] != 25 {
		t.Errorf("the pages hold %v, want 1 to 25", seen)
	}
}

func TestAPageThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	mux := filled(t, 1)
	for _, query := range []string{"after=-1", "after=x", "after=99999999999999999999", "limit=0", "limit=5001", "limit=1e3"} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			var answer struct{ Error struct{ Code string } }
			if code := get(t, mux, "/ledger?"+query, &answer); code != http.StatusBadRequest || answer.Error.Code == "" {
				t.Errorf("status %d with code %q, want 400 and a code", code, answer.Error.Code)
			}
		})
	}
}
