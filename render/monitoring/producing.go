package monitoring

import (
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
)

// production adds the alerts on what the service writes itself. What Debezium
// publishes is the connector's to watch.
func (s *scope) production(svc *contract.Service) {
	var writes []*contract.Produce
	for _, name := range slices.Sorted(maps.Keys(svc.Produces)) {
		if p := svc.Produces[name]; p.Via != contract.Outbox || !svc.RelaysByDebezium() {
			writes = append(writes, p)
		}
	}
	if len(writes) == 0 {
		return
	}
	topic := writes[0].Topic
	s.above(bufferNearlyFull, "max", "channel_buffer_full_ratio", ".8", topic, "0.9", "0.7")
	s.counted(producingFails, "kafka_producer_messages_total", topic, "result", "failed", `result=~"failed|uncertain"`)
	s.above(clusterAway, "max", "kafka_producer_away", "0", topic, "1", "0")
	s.spare(topic)
	if i := slices.IndexFunc(writes, func(p *contract.Produce) bool { return p.Away == contract.Fail || p.Away == contract.Sample }); i >= 0 {
		p := writes[i]
		s.counted(recordsDropped, "channel_write_dropped_total", p.Topic, "reason", "full", "",
			because(svc, "produces/"+p.Topic+"/away", "%s refuses records when the cluster is away (%s)", p.Topic, p.Away))
	}
	for _, p := range writes {
		if p.Away == contract.Spill {
			s.spill(svc, p)
		}
	}
	if i := slices.IndexFunc(writes, func(p *contract.Produce) bool { return p.Away == contract.Spill }); i >= 0 {
		p := writes[i]
		s.counted(spillRefuses, "kafka_producer_spill_refused_total", p.Topic, "reason", "disk", "",
			because(svc, "produces/"+p.Topic+"/away", "%s goes to disk when the cluster is away", p.Topic))
		s.above(spillDamaged, "max", "kafka_producer_spill_quarantined_bytes", "0", p.Topic, "64", "0")
	}
}

// above alerts while a gauge of a topic is above a bound.
func (s *scope) above(k Kind, by, metric, bound, topic, fires, rests string, why ...string) {
	of := func(v string) []series { return []series{s.series(metric, flat(v), `topic="`+topic+`"`)} }
	s.alert(k, by+" by (topic) ("+s.of(metric)+") > "+bound,
		probe{of(fires), of(rests), 10 * minute, map[string]string{"topic": topic}}, why...)
}

// counted alerts when a counter of a topic and another label grows.
func (s *scope) counted(k Kind, metric, topic, label, value, matcher string, why ...string) {
	var matchers []string
	if matcher != "" {
		matchers = []string{matcher}
	}
	at := []string{`topic="` + topic + `"`, label + `="` + value + `"`}
	s.alert(k, s.grew("topic, "+label, metric, matchers...)+" > 0", probe{
		[]series{s.series(metric, counting(1), at...)}, []series{s.series(metric, flat("4"), at...)},
		20 * minute, map[string]string{"topic": topic, label: value},
	}, why...)
}

// spill alerts before what is kept on disk reaches a bound of the contract.
func (s *scope) spill(svc *contract.Service, p *contract.Produce) {
	const bytes, age = "kafka_producer_spill_bytes", "kafka_producer_spill_oldest_age_seconds"
	topic := `topic="` + p.Topic + `"`
	many := int64(p.Spill.Max) / 2
	old := int64(p.Spill.Age.Seconds() / 2)
	of := func(b, a int64) []series {
		return []series{s.series(bytes, flat(fmt.Sprint(b)), topic), s.series(age, flat(fmt.Sprint(a)), topic)}
	}
	s.alert(spillFills, fmt.Sprintf("max by (topic) (%s) > %d\nor\nmax by (topic) (%s) > %d", s.of(bytes, topic), many, s.of(age, topic), old),
		probe{of(many-1, old+1), of(many, old), 10 * minute, map[string]string{"topic": p.Topic}},
		because(svc, "produces/"+p.Topic+"/spill", "%s keeps at most %v and %v on disk", p.Topic, p.Spill.Max, p.Spill.Age))
}

// spare alerts where replicas were lost; a topic that never had one to spare was
// made so.
func (s *scope) spare(topic string) {
	const metric = "kafka_producer_replicas_spare"
	of := func(values string) []series { return []series{s.series(metric, values, `topic="`+topic+`"`)} }
	spare := s.of(metric)
	s.alert(spareReplicasGone, "min by (topic) ("+spare+") < 1\nand\nmax by (topic) (max_over_time("+spare+"[1d])) >= 1",
		probe{of("1x20 0x100"), of(flat("0")), 60 * minute, map[string]string{"topic": topic}})
}

// outbox adds the alerts on rows that wait to be published, and on sagas, which
// are made of an outbox and what comes back.
func (s *scope) outbox(svc *contract.Service, reads []*contract.Consume) {
	names := slices.Sorted(maps.Keys(svc.Produces))
	i := slices.IndexFunc(names, func(name string) bool { return svc.Produces[name].Via == contract.Outbox })
	if i < 0 {
		return
	}
	why := because(svc, "produces/"+names[i]+"/via", "%s goes through the outbox", names[i])
	if !svc.RelaysByDebezium() {
		s.plain(outboxBehind, "max", "slipway_outbox_backlog_age_seconds", "> 60", "61", "60", why)
		s.plain(outboxStuck, "sum", "slipway_outbox_stuck", "> 0", "1", "0", why)
	}
	if len(reads) > 0 {
		const open = "slipway_saga_open"
		of := func(state string) []series {
			return []series{s.series(open, flat("2"), `saga_name="order"`, `saga_state="`+state+`"`)}
		}
		s.alert(sagaStuck, "max by (saga_name) ("+s.of(open, `saga_state="stuck"`)+") > 0",
			probe{of("stuck"), of("running"), 5 * minute, map[string]string{"saga_name": "order"}}, why)
	}
}

// plain alerts on a gauge that concerns the whole service.
func (s *scope) plain(k Kind, by, metric, compare, fires, rests string, why ...string) {
	of := func(v string) []series { return []series{s.series(metric, flat(v))} }
	s.alert(k, by+"("+s.of(metric)+") "+compare, probe{of(fires), of(rests), 90 * minute, nil}, why...)
}
