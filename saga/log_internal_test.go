package saga

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
)

func listed(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	other := ordering()
	other.Name = "return"
	r := open(t, db, other)
	b.start("a", purchase{})
	b.start("b", purchase{})
	b.say("b", "reserve", Failed)
	r.start("c", purchase{})
	b.exec("UPDATE slipway_saga SET updated = $1 WHERE id = 'c'", time.Now().Add(-time.Hour).UnixMicro())
	for name, tt := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":      {Filter{}, "return/c order/a order/b"},
		"by name":  {Filter{Name: "order"}, "order/a order/b"},
		"by state": {Filter{States: []State{Running, Stuck}}, "return/c order/a"},
		"by age":   {Filter{Idle: time.Minute}, "return/c"},
		"limited":  {Filter{Limit: 2}, "return/c order/a"},
		"none":     {Filter{Name: "order", States: []State{Stuck}}, ""},
	} {
		all, err := b.log().List(t.Context(), tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range all {
			got = append(got, s.Name+"/"+s.ID)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
}

func ambiguous(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	other := ordering()
	other.Name = "return"
	b.start("o-1", purchase{})
	open(t, db, other).start("o-1", purchase{})
	if _, err := b.log().Show(t.Context(), "", "o-1"); !errors.Is(err, diag.SagaAmbiguous) {
		t.Errorf("Show() = %v, want %s", err, diag.SagaAmbiguous)
	}
	if d, err := b.log().Show(t.Context(), "return", "o-1"); err != nil || d.Name != "return" {
		t.Errorf("Show() = %v, %v, want the one that was named", d, err)
	}
}

func migrated(t *testing.T, db *sql.DB) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := Migrate(t.Context(), db); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	open(t, db, ordering()).start("o-1", purchase{})
}
