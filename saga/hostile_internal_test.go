package saga

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A saga that cannot go on, because the code cannot make its next command, keeps
// no other saga from its timers and no order from being carried out.
func TestASagaThatCannotGoOnHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openSQLite(t)
		b := open(t, db, ordering())
		b.start("bad", purchase{Spoilt: "release"})
		b.start("bad order", purchase{Spoilt: "release"})
		b.start("good", purchase{})
		b.start("good order", purchase{})
		for _, id := range []string{"bad order", "good order"} {
			if _, err := b.log().Compensate(t.Context(), "", id, "", "alice"); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.run(ctx) }()
		<-time.After(slowDown)
		b.require("good order", Compensating, "reserve/do/0 reserve/undo/0")
		b.require("bad order", Running, "reserve/do/0")
		<-time.After(DefaultAttempts*DefaultWithin - slowDown/2)
		b.require("good", Compensating, "reserve/do/0 reserve/do/0 reserve/do/0 reserve/undo/0")
		if d := b.show("bad"); d.State != Running {
			t.Errorf("the bad saga is %s", d.State)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run() = %v", err)
		}
		db.Close()
	})
}
