package slipway

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	defaultSession   = 45 * time.Second // the clients' and, for KIP-848, the brokers' default
	rebalanceTimeout = time.Minute      // the client's default: how long an answer to a join may take
)

// A lease is how long a member may believe that its partitions are its own. The
// coordinator gives them to others once it has not heard of a member for a
// session; a member on a network that drops packets without a word would not be
// told, and go on handling records that others handle too. So a member that has
// had no answer for a session starts nothing new until it has one. What runs
// finishes, and what the member thinks to own stays: the answer says whether it
// still does.
type lease struct {
	session time.Duration
	lapsed  func()
	renewed func()
	over    atomic.Bool // nothing new starts

	mu    sync.Mutex
	until time.Time
	timer *time.Timer // runs from the coordinator's first answer on
}

// newLease makes a lease that calls lapsed when it ends, and renewed when it
// goes on after all.
func newLease(session time.Duration, lapsed, renewed func()) *lease {
	return &lease{session: cmp.Or(session, defaultSession), lapsed: lapsed, renewed: renewed}
}

// OnBrokerWrite implements [kgo.HookBrokerWrite]: a join is answered when all
// members have joined, and until then the coordinator keeps this one.
func (l *lease) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err == nil && kmsg.Key(key) == kmsg.JoinGroup {
		l.extend(time.Now().Add(rebalanceTimeout + l.session))
	}
}

// OnBrokerE2E implements [kgo.HookBrokerE2E]. A session runs from when the
// coordinator has a heartbeat, which is not before it was written. An answer to
// a join or a sync begins a session; the patience with a join is over then.
func (l *lease) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, took kgo.BrokerE2E) {
	if took.Err() != nil {
		return
	}
	now := time.Now()
	switch kmsg.Key(key) {
	case kmsg.Heartbeat, kmsg.ConsumerGroupHeartbeat:
		l.extend(now.Add(l.session - took.DurationE2E()))
	case kmsg.JoinGroup, kmsg.SyncGroup:
		l.set(now.Add(l.session))
	}
}

// extend makes the lease last until a time, if it does not last longer.
func (l *lease) extend(until time.Time) {
	l.mu.Lock()
	longer := until.After(l.until)
	l.mu.Unlock()
	if longer {
		l.set(until)
	}
}

// set makes the lease last until a time.
func (l *lease) set(until time.Time) {
	left := time.Until(until)
	if left <= 0 {
		return // an answer that took a session is no news
	}
	l.mu.Lock()
	l.until = until
	if l.timer == nil {
		l.timer = time.AfterFunc(left, l.end)
	} else {
		l.timer.Reset(left)
	}
	l.mu.Unlock()
	if l.over.CompareAndSwap(true, false) {
		l.renewed()
	}
}

func (l *lease) end() {
	if l.over.CompareAndSwap(false, true) {
		l.lapsed()
	}
}

// close ends the watch. What is lapsed stays so.
func (l *lease) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
}

// coordinator is what health calls the group's coordinator.
const coordinator = "group coordinator"

// leaseLapsed has nothing new start: the coordinator has been silent for a
// session.
func (c *consumer) leaseLapsed() {
	c.tell(coordinator, "no answer for "+c.lease.session.String()+", nothing new is handled until there is one")
	c.app.log.Warn("group coordinator does not answer, handling rests: others may own the partitions by now",
		"group", c.group, "session", c.lease.session)
}

// leaseRenewed has handling go on.
func (c *consumer) leaseRenewed() {
	c.tell(coordinator, "")
	c.app.log.Info("group coordinator answers again", "group", c.group)
	for _, e := range c.entries {
		e.wake()
	}
}
