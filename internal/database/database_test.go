package database_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/database"
)

func TestAURLThatOpensNothingIsToldWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ url, says string }{
		"nothing":        {"", "the URL is empty"},
		"another kind":   {"mysql://u:hunter2@h/db", `scheme "mysql"`},
		"no file":        {"sqlite:", "names no file"},
		"a missing file": {"sqlite:" + filepath.Join(t.TempDir(), "none.db"), "no such file"},
		"nobody there":   {"postgres://u:hunter2@127.0.0.1:1/db?connect_timeout=2", "open database postgres://u:xxxxx@127.0.0.1:1/db"},
		"a bad port":     {"postgres://u:hunter2@h:x/db", "open database"},
		"keywords":       {"host=127.0.0.1 user=u password=hunter2", "want postgres://"},
		"keywords, late": {"user=u password=hunter2:x host=h", "want postgres://"},
		"a slash":        {"postgres://u:hunter2/x@127.0.0.1:1/db?connect_timeout=2", "open database"},
		"an escape":      {"postgres://u:hunter2%zz@127.0.0.1:1/db?connect_timeout=2", "open database"},
		"a colon":        {"postgres://u:se:hunter2%zz@127.0.0.1:1/db?connect_timeout=2", "open database"},
		"in the query":   {"postgres://127.0.0.1:1/db?password=hunter2&connect_timeout=2", "open database"},
		"in a bad query": {"postgres://u@h:x/db?password=hunter2", "open database"},
		"no URL":         {"host=127.0.0.1 user=u password=hunter2 dbname=db", "this is no URL"},
		"nearly a URL":   {"host=127.0.0.1 password=hunter2 application_name=a://b", "this is no URL"},
		"a file's name":  {"/srv/orders.db", "this is no URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := database.Open(t.Context(), tt.url)
			if err == nil {
				db.Close()
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Open = %v, want an error with %q and no password", err, tt.says)
			}
		})
	}
}

func TestAFileIsOpenedAsServicesDo(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "new.db")+"?mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var mode string
	if err := db.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode is %q, %v; want wal", mode, err)
	}
}
