package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestReadingsAreTakenWhileTheClusterIsAwayAndRemindersComeAtTheirTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := slipwaytest.Service{
		Files: files, Wire: wire,
		Configure: func(cfg *slipway.Config) { cfg.Environment.SpillDir = dir + "/spill" },
	}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		take := func(path string) string {
			w := httptest.NewRecorder()
			k.HTTP("meters").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", path, nil))
			return w.Body.String()
		}
		if got := take("/meters/m-1/100?next=1h"); got == "accepted on disk\n" {
			t.Errorf("while the cluster is there a reading is %s", got)
		}
		mend := k.Isolate("meters")
		go take("/meters/m-1/101?next=1h") // waits in memory, and shows that the cluster is away
		k.Advance(15 * time.Second)
		for range 3 {
			if got := take("/meters/m-1/102?next=1h"); got != "accepted on disk\n" {
				t.Errorf("while the cluster is away a reading is: %s", got)
			}
		}
		mend()
		k.Advance(time.Minute)
		readings := slipwaytest.Values[reading](k, "meters.read.v1")
		if len(readings) != 5 || readings[1].KWh != 101 || readings[4].KWh != 102 {
			t.Errorf("the topic has %v, want the five readings in order", readings)
		}
		k.RequireProduced("meters.due.v1", 0)
		k.Advance(time.Hour)
		k.RequireProduced("meters.due.v1", 5)
	})
}
