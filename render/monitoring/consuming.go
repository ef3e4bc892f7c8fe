package monitoring

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// consumption adds the alerts on what the service reads in groups.
func (s *scope) consumption(svc *contract.Service, reads []*contract.Consume) {
	if len(reads) == 0 {
		return
	}
	a := s.sample
	s.lag(svc, reads)
	stuck := s.of("kafka_consumer_partition_status", `status=~"stall|stop|err"`)
	status := func(is string) []series {
		return []series{a.series("kafka_consumer_partition_status", flat("1"), `partition="3"`, `status="`+is+`"`)}
	}
	s.alert(partitionStuck, "max by (consumer_group, topic, partition, status) ("+stuck+") == 1",
		probe{status("stall"), status("warn"), 10 * minute, a.with("partition", "3", "status", "stall")})
	s.gauge(handlerOverdue, "kafka_consumer_handlers_overdue", 5*minute)
	s.breakers(svc, reads)
	s.deadLetters(svc, reads)
	s.gaps(svc, reads)
	s.commits(reads)
}

// gauge alerts while a number of a group and topic is above zero.
func (s *scope) gauge(k Kind, metric string, at time.Duration, matchers ...string) {
	s.alert(k, "sum by (consumer_group, topic) ("+s.of(metric, matchers...)+") > 0", probe{
		[]series{s.sample.series(metric, flat("2"), matchers...)}, []series{s.sample.series(metric, flat("0"), matchers...)}, at, s.sample.labels(),
	})
}

func (s *scope) lag(svc *contract.Service, reads []*contract.Consume) {
	a := s.sample
	own := "sum by (consumer_group, topic) (" + s.of("kafka_consumer_lag") + ")"
	limit, why := int64(0), []string(nil)
	if svc.SLO.Lag > 0 {
		limit, why = svc.SLO.Lag, []string{because(svc, "slo/lag", "slo.lag is %d", svc.SLO.Lag)}
		behind := func(n int64) []series {
			return []series{a.series("kafka_consumer_lag", flat(fmt.Sprint(n)), `partition="0"`), a.series("kafka_consumer_lag", flat("1"), `partition="1"`)}
		}
		s.alert(lagAboveObjective, fmt.Sprintf("%s > %d", own, limit),
			probe{behind(limit), behind(limit - 1), 10 * minute, a.labels()}, why...)
	}
	brokers := "sum by (consumer_group, topic) (slipway_group_lag{consumer_group=~" + quote(groupsOf(svc, reads)) + "})"
	seen := series{`slipway_group_lag{consumer_group="` + a.group + `",topic="` + a.topic + `",partition="0"}`, flat(fmt.Sprint(limit + 1))}
	s.alert(backlogUnattended, fmt.Sprintf("%s > %d\nunless on (consumer_group, topic)\n%s", brokers, limit, own),
		probe{[]series{seen}, []series{seen, a.series("kafka_consumer_lag", flat("0"), `partition="0"`)}, 10 * minute, a.labels()}, why...)
}

// groupsOf matches the consumer groups of a service.
func groupsOf(svc *contract.Service, reads []*contract.Consume) string {
	var groups []string
	for _, c := range reads {
		groups = append(groups, regexp.QuoteMeta(svc.GroupID(c)))
	}
	slices.Sort(groups)
	return strings.Join(slices.Compact(groups), "|")
}

func (s *scope) breakers(svc *contract.Service, reads []*contract.Consume) {
	i := slices.IndexFunc(reads, func(c *contract.Consume) bool { return c.Breaker != nil })
	if i < 0 {
		return
	}
	a := s.sample
	state := s.of("kafka_consumer_breaker_state", `state="open"`)
	open := a.series("kafka_consumer_breaker_state", flat("1"), `state="open"`)
	shut := a.series("kafka_consumer_breaker_state", flat("1"), `state="closed"`)
	s.alert(breakerOpen, "max by (consumer_group, topic) (last_over_time("+state+"[2m])) == 1",
		probe{[]series{open}, []series{shut}, 5 * minute, a.labels()},
		because(svc, "consumes/"+reads[i].Name+"/breaker", "%s has a breaker", reads[i].Name))
}

func (s *scope) deadLetters(svc *contract.Service, reads []*contract.Consume) {
	i := slices.IndexFunc(reads, (*contract.Consume).DeadLetters)
	if i < 0 {
		return
	}
	a, c := s.sample, reads[i]
	const metric = "kafka_consumer_deadletters_written_total"
	why := because(svc, "consumes/"+c.Name+"/retry", "%s has dead letters", c.Name)
	one := a.series(metric, "_x10 1x20", `reason="rejected"`) // a series that begins with its first
	old := a.series(metric, flat("7"), `reason="rejected"`)
	s.alert(deadLettersWritten, s.grew("consumer_group, topic, reason", metric)+" > 0",
		probe{[]series{one}, []series{old}, 20 * minute, a.with("reason", "rejected")}, why)
	s.gauge(keysParked, "kafka_consumer_held_keys", 10*minute, `state="parked"`)
}

func (s *scope) gaps(svc *contract.Service, reads []*contract.Consume) {
	i := slices.IndexFunc(reads, func(c *contract.Consume) bool { return c.Gap != contract.GapStop })
	if i < 0 {
		return
	}
	a, c := s.sample, reads[i]
	metric := s.of("kafka_consumer_start_offset", `source=~"gap-earliest|gap-latest"`)
	began := func(from string) []series {
		return []series{a.series("kafka_consumer_start_offset", flat("500"), `partition="0"`, `source="`+from+`"`)}
	}
	const by = "max by (consumer_group, topic, partition, source) "
	s.alert(recordsLost, by+"("+metric+") >= 0\nunless "+by+"("+metric+" offset 1h)",
		probe{began("gap-latest"), began("committed"), 5 * minute, a.with("partition", "0", "source", "gap-latest")},
		because(svc, "consumes/"+c.Name+"/gap", "%s goes on behind a gap", c.Name))
}

func (s *scope) commits(reads []*contract.Consume) {
	a := s.sample
	fails := func(metric, bad, good string) (string, probe) {
		rate := func(result string) string {
			return "sum by (consumer_group) (rate(" + s.of(metric, `result="`+result+`"`) + "[5m])) > 0"
		}
		one := func(result string, n int) series {
			return s.series(metric, counting(n), `consumer_group="`+a.group+`"`, `result="`+result+`"`)
		}
		return rate(bad) + "\nunless\n" + rate(good), probe{
			[]series{one(bad, 3), one(good, 0)}, []series{one(bad, 3), one(good, 1)}, 20 * minute, map[string]string{"consumer_group": a.group},
		}
	}
	expr, p := fails("kafka_consumer_commits_total", "failed", "ok")
	s.alert(commitsFail, expr, p)
	if slices.ContainsFunc(reads, func(c *contract.Consume) bool { return c.Exact }) {
		expr, p = fails("kafka_consumer_transactions_total", "aborted", "committed")
		s.alert(transactionsAbort, expr, p, "what it produces is written in transactions")
	}
	const rebalances = "kafka_consumer_rebalances_total"
	moves := func(n int) []series {
		return []series{s.series(rebalances, counting(n), `consumer_group="`+a.group+`"`, `kind="lost"`)}
	}
	s.alert(rebalanceStorm, "max by (consumer_group) (sum without (kind) (increase("+s.of(rebalances, `kind=~"revoked|lost"`)+"[15m]))) > 10",
		probe{moves(1), moves(0), 20 * minute, map[string]string{"consumer_group": a.group}})
}
