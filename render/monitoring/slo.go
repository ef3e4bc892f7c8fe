package monitoring

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A ratio is the share of records that break an objective.
type ratio struct {
	name     string // of the recorded series
	budget   float64
	bad, all func(window string) string // expressions, by consumer_group and topic
	late     func(window string) string // how many records broke it, for the floor
	why      string
	fast     Kind
	slow     Kind
	samples  func(bad, good int) []series // so many of each, a minute
}

// The windows of the recorded ratios.
var windows = []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"}

// A burn is a pair of windows with the rate at which the budget is used up: 1 is
// the rate that uses it up in 30 days. The short window ends an alert soon after
// its cause has ended.
type burn struct {
	long, short string
	factor      float64
}

// The pairs of the Site Reliability Workbook, chapter 5: 2 % of the budget in an
// hour or 5 % in six page, 10 % in three days or at that rate in one is a ticket.
var (
	fastBurns = []burn{{"1h", "5m", 14.4}, {"6h", "30m", 6}}
	slowBurns = []burn{{"1d", "2h", 3}, {"3d", "6h", 1}}
)

// floor is how many records must have broken an objective before it pages: of a
// topic with three records an hour one would do otherwise.
const floor = 10

// objectives adds the rules of the contract's objectives for what the service reads.
func (s *scope) objectives(svc *contract.Service, reads []*contract.Consume) []Group {
	if len(reads) == 0 {
		return nil
	}
	var groups []Group
	if svc.SLO.Success > 0 {
		groups = append(groups, s.ratio(s.success(svc), "success"))
	}
	if svc.SLO.FreshnessP99 > 0 {
		groups = append(groups, s.ratio(s.freshness(svc), "freshness"))
	}
	return groups
}

func (s *scope) ratio(r ratio, name string) Group {
	for _, w := range windows {
		s.rules = append(s.rules, Rule{
			Record: r.name + w, Expr: r.bad(w) + "\n/\n(" + r.all(w) + " > 0)",
			Labels: map[string]string{"service": s.service, "environment": s.env},
		})
	}
	labels := s.sample.labels()
	fires, rests := r.samples(50, 50), r.samples(0, 100)
	s.alert(r.fast, s.burns(r, fastBurns, true), probe{fires: fires, rests: rests, at: 10 * minute, labels: labels}, r.why)
	s.alert(r.slow, s.burns(r, slowBurns, false), probe{fires: fires, rests: rests, at: 90 * minute, labels: labels}, r.why)
	return s.take(name)
}

// burns holds while the budget burns too fast in both windows of any pair.
func (s *scope) burns(r ratio, pairs []burn, floored bool) string {
	var pair []string
	for _, p := range pairs {
		limit := strconv.FormatFloat(threshold(p.factor, r.budget), 'g', 6, 64)
		text := fmt.Sprintf("(\n  %s > %s\n  and %s > %s", s.of(r.name+p.long), limit, s.of(r.name+p.short), limit)
		if floored {
			text += fmt.Sprintf("\n  and on (consumer_group, topic) %s >= %d", r.late(p.long), floor)
		}
		pair = append(pair, text+"\n)")
	}
	return strings.Join(pair, "\nor\n")
}

// threshold is the share at which a budget burns at a rate. A budget so large that
// no share would do is half way between itself and all.
func threshold(factor, budget float64) float64 { return min(factor*budget, (1+budget)/2) }

func (s *scope) success(svc *contract.Service) ratio {
	const metric = "kafka_consumer_messages_processed_total"
	const failed = `result=~"dead-lettered|rejected|parked"`
	return ratio{
		name: "slipway:failed:ratio_rate", budget: 1 - svc.SLO.Success,
		bad:  func(w string) string { return byTopic("rate", s.of(metric, failed), w) },
		all:  func(w string) string { return byTopic("rate", s.of(metric, `result!="retried"`), w) },
		late: func(w string) string { return byTopic("increase", s.of(metric, failed), w) },
		why:  because(svc, "slo/success", "slo.success is %s", percent(svc.SLO.Success)),
		fast: successBurnsFast, slow: successBurnsSlowly,
		samples: func(bad, good int) []series {
			return []series{
				s.sample.series(metric, counting(good), `result="ok"`),
				s.sample.series(metric, counting(bad), `result="dead-lettered"`),
			}
		},
	}
}

func (s *scope) freshness(svc *contract.Service) ratio {
	const metric = "kafka_consumer_freshness_seconds"
	bound := edge(svc.SLO.FreshnessP99.Seconds())
	bad := func(f string) func(string) string {
		return func(w string) string {
			return byTopic(f, s.of(metric+"_count"), w) + "\n- " + byTopic(f, s.of(metric+"_bucket", bound), w)
		}
	}
	parens := func(f func(string) string) func(string) string {
		return func(w string) string { return "(\n" + f(w) + "\n)" }
	}
	return ratio{
		name: "slipway:late:ratio_rate", budget: .01,
		bad:  parens(bad("rate")),
		all:  func(w string) string { return byTopic("rate", s.of(metric+"_count"), w) },
		late: parens(bad("increase")),
		why:  because(svc, "slo/freshness/p99", "slo.freshness.p99 is %v", svc.SLO.FreshnessP99),
		fast: freshnessBurnsFast, slow: freshnessBurnsSlowly,
		samples: func(bad, good int) []series {
			le := strconv.FormatFloat(svc.SLO.FreshnessP99.Seconds(), 'f', -1, 64)
			return []series{
				s.sample.series(metric+"_bucket", counting(good), `le="`+le+`"`),
				s.sample.series(metric+"_count", counting(good+bad)),
			}
		},
	}
}

// edge matches the bucket that ends with the bound, as different exporters and
// versions of Prometheus write its number.
func edge(seconds float64) string {
	text := strconv.FormatFloat(seconds, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		return fmt.Sprintf(`le=~"%s|%s.0"`, text, text)
	}
	return fmt.Sprintf("le=%q", text)
}

func byTopic(f, series, window string) string {
	return fmt.Sprintf("sum by (consumer_group, topic) (%s(%s[%s]))", f, series, window)
}

func percent(share float64) string {
	return strconv.FormatFloat(share*100, 'f', -1, 64) + "%"
}

// because is the comment that says where in a contract a value was found.
func because(svc *contract.Service, element, format string, args ...any) string {
	return fmt.Sprintf(format, args...) + ": " + svc.Position(element).String()
}
