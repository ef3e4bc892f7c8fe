package outbox

import (
	"database/sql"
	"sync"
)

// running are the relays of this process, so that a commit can wake the one
// that its rows are for.
var running struct {
	sync.Mutex
	relays map[*relay]bool
}

func (r *relay) enlist() {
	running.Lock()
	defer running.Unlock()
	if running.relays == nil {
		running.relays = make(map[*relay]bool)
	}
	running.relays[r] = true
}

func (r *relay) resign() {
	running.Lock()
	defer running.Unlock()
	delete(running.relays, r)
}

// wake has the relays of a database in this process look at once: something was
// committed.
func wake(db *sql.DB) {
	running.Lock()
	defer running.Unlock()
	for r := range running.relays {
		if r.cfg.DB == db {
			r.wake()
		}
	}
}
