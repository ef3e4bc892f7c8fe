package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
)

// group is what brokers must know of an entry's group. Only groups of protocol
// consumer have settings there: members of a classic group bring their own.
// What the contract leaves at its default is left to the broker, which by its
// own defaults refuses a heartbeat as short as that of a classic group.
func (d *derivation) group(svc *contract.Service, entry string, c *contract.Consume) {
	if c.As != contract.Stream || c.Protocol != contract.Consumer {
		return
	}
	configs := map[string]string{}
	var asked []string
	for _, s := range []struct {
		key, word     string
		value, common time.Duration
	}{
		{kafka.GroupSessionMillis, "session", c.Session, contract.DefaultSession},
		{kafka.GroupHeartbeatMillis, "heartbeat", c.Heartbeat, contract.DefaultHeartbeat},
	} {
		if s.value != 0 && s.value != s.common {
			configs[s.key] = strconv.FormatInt(s.value.Milliseconds(), 10)
			asked = append(asked, s.word+" "+contract.FormatDuration(s.value))
		}
	}
	if len(configs) == 0 {
		return
	}
	d.out.Groups = append(d.out.Groups, Group{
		Name:    svc.GroupID(c),
		Service: svc.Name,
		Configs: configs,
		Reasons: []Reason{{
			Service: svc.Name, Text: "consumes " + c.Topic + " with " + strings.Join(asked, " and "),
			Position: svc.Position("consumes/" + entry),
		}},
	})
}

// diffGroup makes an update of each setting that differs. They can be
// impossible only together with what the brokers have already: a contract is
// refused that asks for too short a session itself.
func diffGroup(want Group, have *Actual) []Change {
	is := have.Groups[want.Name]
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(want.Configs)) {
		if is[key] == want.Configs[key] {
			continue
		}
		changes = append(changes, Change{
			Action: Update, Kind: KindGroup, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
			Fields: []Field{{key, is[key], want.Configs[key]}},
			item:   item{group: kafka.GroupConfig{Group: want.Name, Configs: map[string]string{key: want.Configs[key]}}},
		})
	}
	session, known := millis(want.Configs[kafka.GroupSessionMillis], is[kafka.GroupSessionMillis])
	heartbeat, both := millis(want.Configs[kafka.GroupHeartbeatMillis], is[kafka.GroupHeartbeatMillis])
	if known && both && session < contract.HeartbeatsPerSession*heartbeat {
		for i := range changes {
			changes[i].Class = Impossible
			changes[i].Note = fmt.Sprintf("with what the brokers have for this group already, a session of %s would have no room for %d heartbeats of %s; write both session and heartbeat, other than their defaults",
				contract.FormatDuration(session), contract.HeartbeatsPerSession, contract.FormatDuration(heartbeat))
		}
	}
	return changes
}

// settings are the group's, in one line.
func (g Group) settings() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(g.Configs)) {
		all = append(all, key+"="+g.Configs[key])
	}
	return strings.Join(all, ", ")
}

func millis(want, is string) (time.Duration, bool) {
	n, err := strconv.ParseInt(cmp.Or(want, is), 10, 64)
	return time.Duration(n) * time.Millisecond, err == nil
}
