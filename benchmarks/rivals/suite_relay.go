package main

import (
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
	"github.com/slipway-go/slipway/benchmarks/internal/broker"
	"github.com/slipway-go/slipway/benchmarks/internal/report"
)

const relayName = "Slipway's relay"

// relaySuite measures outboxes on one Postgres, into real Kafka.
func relaySuite(o options) suite {
	s := suite{
		name: "relay", title: "From a commit in Postgres to a topic", rounds: 3, plot: 0,
		about: `Events of 10,000 keys lie in an outbox of Postgres, with about 100 bytes of JSON each. The backlog's rate counts from the first record in the topic to the
last. Then, with an empty outbox, transactions of one event each commit at a fixed rate; the latency counts from the commit's return until a
consumer has the record, 10 s after a warm-up of 3 s. Every event must come, and of the backlog those of a key in the order of their commits. Postgres
runs with its defaults (fsync and synchronous commit) on the same disk. Debezium runs in a Kafka Connect of its own, so its columns of
processor time and memory say nothing of it.`,
		columns: []column{
			{title: "rows/s", key: "rate", unit: report.Count},
			ratio("rate against Slipway", "rate", to(relayName)),
			{title: "CPU s per million", key: "cpu", unit: report.Digits},
			{title: "p50, ms", key: "p50", unit: report.Digits},
			{title: "p99, ms", key: "p99", unit: report.Digits},
			{title: "p99.9, ms", key: "p999", unit: report.Digits},
			{title: "came twice", key: "repeats", unit: report.Digits},
			{title: "out of order", key: "disorders", unit: report.Digits},
		},
	}
	rows := 200_000
	if o.quick {
		rows = 40_000
	}
	arms := func(spec arm.Spec) []arm.Spec {
		spec.Size = 80
		all := []arm.Spec{spec, spec, spec}
		all[0].Name, all[0].Client = relayName, "slipway"
		all[1].Name, all[1].Client = "Watermill's forwarder", "watermill"
		all[2].Name, all[2].Client = "Debezium's outbox event router", "debezium"
		if spec.Count > 0 {
			all[1].Count /= 10 // it is slow
		}
		return kind("relay", all)
	}
	topic := broker.Topic{Name: "bench.relay", Keys: manyKeys}
	s.cases = []testCase{
		{title: "a backlog", broker: "kafka", topic: topic, arms: arms(arm.Spec{Count: rows})},
		{title: "1,000 commits a second", broker: "kafka", topic: topic, arms: arms(arm.Spec{Rate: 1_000, Warmup: 3 * time.Second, Window: 10 * time.Second})},
	}
	return s
}
