package slipway

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/protect"
)

// fetchPatience is how long no fetch may be answered while something could be
// fetched. A fetch of an idle partition is answered every half second.
const fetchPatience = 30 * time.Second

// A pulse is when a broker last answered a fetch of a client.
type pulse struct{ last atomic.Int64 }

// OnBrokerE2E implements [kgo.HookBrokerE2E].
func (p *pulse) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, took kgo.BrokerE2E) {
	if kmsg.Key(key) == kmsg.Fetch && took.Err() == nil {
		p.last.Store(time.Now().UnixNano())
	}
}

// judgeGroups is how the service is a member of its groups, and what rests of
// what it consumes.
func (a *App) judgeGroups(s standing, now time.Time) []finding {
	var found []finding
	for _, c := range s.members {
		found = append(found, c.link.found(c.judgeMember(now), c.judgeFetch(now))...)
		for _, e := range c.entries {
			found = append(found, judgeEntry(e))
		}
	}
	return found
}

// judgeMember is whether the group was joined. The partitions come some time after
// the join: before they were assigned, and what waits in their retry topic was
// taken over, nothing is consumed. Later the service is out of the group from
// when it hears that it is no member any more, or asks to join, until partitions
// are shared out to it.
func (c *consumer) judgeMember(now time.Time) finding {
	name := "group " + c.group
	switch {
	case !c.placed.Load():
		return failure(reaching, name, diag.HealthNotJoined, "not joined yet")
	case !c.underWay.Load() && len(c.closedPartitions()) > 0:
		return failure(reaching, name, diag.HealthNotJoined, "first partitions are being opened")
	case !c.out.Load() && !c.lease.joining.Load():
		c.absent.Store(0)
		return okay(name, fmt.Sprintf("partitions: %d", len(c.all())))
	}
	c.absent.CompareAndSwap(0, now.UnixNano())
	since := time.Unix(0, c.absent.Load())
	if now.Sub(since) < rejoinGrace {
		return warning(name, "", "rejoins since %s", since.UTC().Format(time.RFC3339))
	}
	f := failure(reaching, name, diag.HealthNotJoined, "not joined since %s", since.UTC().Format(time.RFC3339))
	f.Since = since.Add(rejoinGrace)
	return f
}

// judgeFetch is whether brokers answer. It only ever warns: what keeps them
// from it fails under its own name.
func (c *consumer) judgeFetch(now time.Time) finding {
	name := "fetch of group " + c.group
	fetching := slices.ContainsFunc(c.all(), func(p *partition) bool { return p.ready.Load() && p.paused() == 0 && !p.ended.Load() })
	last := time.Unix(0, c.pulse.last.Load())
	if !fetching || c.pulse.last.Load() == 0 || now.Sub(last) < fetchPatience {
		return okay(name, "")
	}
	return warning(name, diag.HealthNoFetch, "nothing was fetched since %s", last.UTC().Format(time.RFC3339))
}

// judgeEntry is whether an entry rests, which is nobody's failure: somebody
// wants it so, or the breaker protects what the handler needs.
func judgeEntry(e *entry) finding {
	name := "entry " + e.Name
	switch state := e.gate.Breaker().State(); {
	case state == protect.Open, state == protect.HalfOpen:
		return warning(name, diag.HealthBreakerOpen, "the breaker is %v", state)
	case e.paused.Load():
		return okay(name, "paused by an operator")
	case e.keys.Load() != nil:
		return okay(name, "keys are held by an operator")
	}
	return okay(name, "")
}
