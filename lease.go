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

// hearing is how long a member whose lease was over waits from the first answer
// on. The answer may say that it is no member any more, which the client has to
// read and to act on first.
const hearing = time.Second

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
	joining atomic.Bool // from the writing of a join until the sync that follows is answered

	mu     sync.Mutex // held while lapsed and renewed are called, so that they do not change places
	until  time.Time
	timer  *time.Timer // from the first join on: of the lease's end, or of its renewal
	closed bool
}

// newLease makes a lease that calls lapsed when it ends, and renewed when it
// goes on after all. Neither may call the lease.
func newLease(session time.Duration, lapsed, renewed func()) *lease {
	return &lease{session: cmp.Or(session, defaultSession), lapsed: lapsed, renewed: renewed}
}

// OnBrokerWrite implements [kgo.HookBrokerWrite]: a join is answered when all
// members have joined, and a sync when the leader has shared out the partitions.
// Until then the coordinator keeps this one. A lease that is over takes an
// answer to go on.
func (l *lease) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if k := kmsg.Key(key); err != nil || k != kmsg.JoinGroup && k != kmsg.SyncGroup {
		return
	}
	l.joining.Store(true)
	if !l.over.Load() {
		l.extend(time.Now().Add(rebalanceTimeout + l.session))
	}
}

// OnBrokerE2E implements [kgo.HookBrokerE2E]. A session runs from when the
// coordinator has a heartbeat, which is not before it was written. An answer to
// a join or a sync begins a session; the patience with it is over then.
func (l *lease) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, took kgo.BrokerE2E) {
	k := kmsg.Key(key)
	if k == kmsg.SyncGroup || k == kmsg.Heartbeat || k == kmsg.JoinGroup && took.Err() != nil {
		l.joining.Store(false) // it is in, or tries again from the beginning
	}
	if took.Err() != nil {
		return
	}
	now := time.Now()
	switch k {
	case kmsg.Heartbeat, kmsg.ConsumerGroupHeartbeat:
		l.extend(now.Add(l.session - took.DurationE2E()))
	case kmsg.JoinGroup, kmsg.SyncGroup:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.set(now.Add(l.session))
	}
}

// extend makes the lease last until a time, if it does not last longer.
func (l *lease) extend(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.until) {
		l.set(until)
	}
}

// set makes the lease last until a time. The lock is held.
func (l *lease) set(until time.Time) {
	now := time.Now()
	left := until.Sub(now)
	if l.closed || left <= 0 {
		return // an answer that took a session is no news
	}
	first := !l.until.After(now)
	l.until = until
	switch {
	case l.timer == nil:
		l.timer = time.AfterFunc(left, l.turn)
	case !l.over.Load():
		l.timer.Reset(left)
	case first:
		l.timer.Reset(min(hearing, left))
	}
}

// turn ends the lease, or has it go on, as its time says.
func (l *lease) turn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	left := time.Until(l.until)
	if left <= 0 {
		if !l.over.Swap(true) {
			l.lapsed()
		}
		return
	}
	l.timer.Reset(left)
	if l.over.Swap(false) {
		l.renewed()
	}
}

// close ends the watch. What is lapsed stays so.
func (l *lease) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
}

// coordinator is what health calls the group's coordinator.
const coordinator = "group coordinator"

// leaseLapsed has nothing new start: the coordinator has been silent for a
// session.
func (c *consumer) leaseLapsed() {
	c.app.health.note(concern{coordinator, c.group, c.link.alias}, "no answer for "+c.lease.session.String()+", nothing new is handled until there is one", shared)
	c.link.log.Warn("group coordinator does not answer, handling rests: others may own the partitions by now",
		"group", c.group, "session", c.lease.session)
}

// leaseRenewed has handling go on.
func (c *consumer) leaseRenewed() {
	c.tell(coordinator, "")
	c.link.log.Info("group coordinator answers again", "group", c.group)
	for _, e := range c.entries {
		e.wake()
	}
}
