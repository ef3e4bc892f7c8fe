package store

import (
	"time"

	"github.com/slipway-go/slipway/outbox"
)

// Outbox is how a service of the shop relays what it has to tell. A commit of
// its own wakes the relay; looking by itself is for what a crash left behind,
// so it may be seldom.
func Outbox(db DB) outbox.Config { return outbox.Config{DB: db.SQL(), Poll: 5 * time.Second} }
