package monitoring

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
)

// serviceBoard shows one service, with panels for what its contract has.
func serviceBoard(in render.Input, r *contract.Resolved, svc *contract.Service) *board {
	v := &boardView{scope: &scope{in: in, service: svc.Name, env: r.Env, owner: svc.Owner}, svc: svc}
	v.board = newBoard(r.Env+"/"+svc.Name, svc.Name+" · "+r.Env, strings.TrimSuffix(svc.Description, ".")+". Owner: "+svc.Owner+".", r.Env, svc.Owner)
	reads := slices.DeleteFunc(slices.Collect(maps.Values(svc.Consumes)), func(c *contract.Consume) bool { return !c.Grouped() })
	v.row("Now")
	v.table("Alerts that fire", "With their causes and runbooks.", v.of("ALERTS", `alertstate="firing"`))
	v.graph("Instances that answer", "", "none", query{"sum(" + v.of("up") + ")", "answer"})
	if len(reads) > 0 {
		v.objectives()
		v.consumption(reads)
		v.lanes()
		v.failures(reads)
	}
	if len(svc.Produces) > 0 {
		v.production()
		v.outbox(len(reads) > 0)
	}
	v.identity(svc.AuthOn(r.Bindings["default"].Cluster))
	v.process()
	return v.board
}

// A boardView fills the dashboard of a service.
type boardView struct {
	*board
	*scope
	svc *contract.Service
}

// sum is a gauge summed by labels, which are what a line is called.
func (v *boardView) sum(by, metric string) query {
	return query{"sum by (" + by + ") (" + v.of(metric) + ")", legend(by)}
}

// most is the highest of a gauge by labels.
func (v *boardView) most(by, metric string, matchers ...string) query {
	return query{"max by (" + by + ") (" + v.of(metric, matchers...) + ")", legend(by)}
}

// rate is a counter's growth in a second.
func (v *boardView) rate(by, metric string, matchers ...string) query {
	return query{"sum by (" + by + ") (rate(" + v.of(metric, matchers...) + "[5m]))", legend(by)}
}

// quantile is a quantile of a histogram.
func (v *boardView) quantile(q, by, metric string) query {
	labels := "le"
	if by != "" {
		labels += ", " + by
	}
	return query{fmt.Sprintf("histogram_quantile(%s, sum by (%s) (rate(%s[5m])))", q, labels, v.of(metric+"_bucket")), strings.TrimSpace("p" + strings.TrimPrefix(q, "0.") + " " + legend(by))}
}

// legend calls a line by its labels.
func legend(by string) string {
	var all []string
	for name := range strings.SplitSeq(by, ", ") {
		if name != "" {
			all = append(all, "{{"+name+"}}")
		}
	}
	return strings.Join(all, " ")
}

func (v *boardView) objectives() {
	o := v.svc.SLO
	if o == (contract.SLO{}) {
		return
	}
	v.row("What the service promises")
	if o.Success > 0 {
		q := query{"max by (topic) (" + v.of("slipway:failed:ratio_rate1h") + ")", "{{topic}}"}
		v.bounded("Share of records that fail", "Over an hour; the line is what slo.success leaves, "+percent(o.Success)+".", "percentunit", 1-o.Success, q)
	}
	if o.FreshnessP99 > 0 {
		v.bounded("Age of records when handled, p99", fmt.Sprintf("The line is slo.freshness.p99, %v.", o.FreshnessP99), "s", o.FreshnessP99.Seconds(), v.quantile("0.99", "topic", "kafka_consumer_freshness_seconds"))
	}
	if o.Lag > 0 {
		v.bounded("Lag", fmt.Sprintf("The line is slo.lag, %d.", o.Lag), "short", float64(o.Lag), v.sum("topic", "kafka_consumer_lag"))
	}
}

func (v *boardView) consumption(reads []*contract.Consume) {
	v.row("Consumption")
	v.graph("Records by what became of them", "A second.", "ops", v.rate("topic, result", "kafka_consumer_messages_processed_total"))
	v.graph("How long an attempt takes", "", "s", v.quantile("0.5", "topic", "kafka_message_processing_duration_seconds"), v.quantile("0.99", "topic", "kafka_message_processing_duration_seconds"))
	v.graph("Handlers that run", "", "none", v.sum("topic", "kafka_consumer_handlers_running"), query{v.sum("topic", "kafka_consumer_handlers_overdue").expr + " > 0", "overdue {{topic}}"})
	v.row("Lag")
	v.graph("Lag by partition", "", "short", query{"topk(10, " + v.most("topic, partition", "kafka_consumer_lag").expr + ")", "{{topic}} {{partition}}"})
	v.graph("Lag in time", "", "s", v.most("topic", "kafka_consumer_lag_time_seconds"))
	v.graph("Lag as the brokers see it", "Outlives the pods; from slipway lag export.", "short", query{"sum by (consumer_group, topic) (slipway_group_lag{consumer_group=~" + quote(groupsOf(v.svc, reads)) + "})", "{{consumer_group}} {{topic}}"})
	v.graph("Partitions that do not move", "By status.", "none", query{"sum by (topic, status) (" + v.of("kafka_consumer_partition_status", `status!~"ok|unsure"`) + ")", "{{topic}} {{status}}"})
	v.graph("Partitions that instances own", "", "none", v.sum("topic", "kafka_consumer_partitions_assigned"), query{v.sum("topic", "kafka_consumer_partitions_paused").expr + " > 0", "paused {{topic}}"})
	v.graph("Rebalances", "In five minutes.", "none", query{"sum by (kind) (increase(" + v.of("kafka_consumer_rebalances_total") + "[5m]))", "{{kind}}"})
}

func (v *boardView) lanes() {
	v.row("Lanes")
	v.graph("Lanes that hold something", "", "none", v.sum("topic", "kafka_consumer_lanes"))
	v.graph("Open records", "", "short", v.sum("topic", "kafka_consumer_open_records"))
	v.graph("Age of the record at the frontier", "", "s", v.most("topic", "kafka_consumer_head_age_seconds"))
}

func (v *boardView) failures(reads []*contract.Consume) {
	v.row("Retries and dead letters")
	v.graph("Keys that wait", "For their retry, or parked for an operator.", "none", v.sum("topic, state", "kafka_consumer_held_keys"))
	v.graph("How long the oldest key waits", "", "s", v.most("topic, state", "kafka_consumer_held_age_seconds"))
	if slices.ContainsFunc(reads, (*contract.Consume).DeadLetters) {
		v.graph("Dead letters written", "In five minutes.", "none", query{"sum by (topic, reason) (increase(" + v.of("kafka_consumer_deadletters_written_total") + "[5m]))", "{{topic}} {{reason}}"})
		v.graph("Dead letters that lie there", "Those already redriven included.", "short", v.most("topic", "kafka_consumer_deadletters_depth"))
	}
	if slices.ContainsFunc(reads, func(c *contract.Consume) bool { return c.Breaker != nil }) {
		v.graph("Breaker", "1 for the state it has.", "none", v.most("topic, state", "kafka_consumer_breaker_state", `state!="closed"`))
	}
}

func (v *boardView) production() {
	v.row("Production")
	v.graph("Records by what became of them", "A second.", "ops", v.rate("topic, result", "kafka_producer_messages_total"))
	v.graph("From the buffer to the acknowledgement, p99", "", "s", v.quantile("0.99", "topic", "kafka_producer_send_duration_seconds"))
	v.bounded("How full the buffers are", "", "percentunit", .8, v.most("topic", "channel_buffer_full_ratio"))
	for _, p := range v.svc.Produces {
		if p.Away == contract.Spill {
			v.graph("Records on disk", "That wait for the cluster.", "bytes", v.sum("topic", "kafka_producer_spill_bytes"))
			break
		}
	}
}

func (v *boardView) outbox(reads bool) {
	out := false
	for _, p := range v.svc.Produces {
		out = out || p.Via == contract.Outbox
	}
	if !out {
		return
	}
	if !v.svc.RelaysByDebezium() {
		v.row("Outbox")
		v.graph("Rows that wait", "", "short", query{"sum(" + v.of("slipway_outbox_backlog") + ")", "rows"})
		v.bounded("Age of the oldest row", "", "s", 60, query{"max(" + v.of("slipway_outbox_backlog_age_seconds") + ")", "oldest"})
		v.graph("From the commit to the acknowledgement", "", "s", v.quantile("0.99", "", "slipway_outbox_publish_latency_seconds"))
	}
	if reads {
		v.row("Sagas, where the service has any")
		v.graph("Sagas that are not over", "", "none", v.most("saga_name, saga_state", "slipway_saga_open"))
		v.graph("Sagas by the state they came into", "A second.", "ops", v.rate("saga_name, saga_state", "slipway_saga_transitions_total"))
	}
}

func (v *boardView) identity(auth contract.Auth) {
	v.row("Certificates and rights")
	v.graph("Time until certificates end", "", "s", query{"min by (which) (" + v.of("slipway_certificate_expiry_seconds") + ")", "{{which}}"})
	if auth != contract.MTLS {
		v.graph("Password in use", "1 for the one that logged in last.", "none", v.sum("which", "slipway_credential"))
	}
	v.graph("Rights that lack", "", "none", v.most("operation, resource", "kafka_acl_missing"))
}

func (v *boardView) process() {
	v.row("Process")
	v.graph("Checks of health that fail", "", "none", query{"max by (check) (" + v.of("slipway_health_check", `status="fail"`) + ")", "{{check}}"})
	v.graph("Configuration", "Refused, and settings that wait for a restart.", "none", query{"max(" + v.of("slipway_config_rejected") + ")", "refused"}, query{"max(" + v.of("slipway_config_pending") + ")", "pending"})
	v.graph("Memory", "", "bytes", query{v.of("process_resident_memory_bytes"), "{{instance}}"})
	v.graph("CPU", "Seconds in a second.", "none", query{"rate(" + v.of("process_cpu_seconds_total") + "[5m])", "{{instance}}"})
	v.graph("Goroutines", "", "none", query{v.of("go_goroutines"), "{{instance}}"})
}
