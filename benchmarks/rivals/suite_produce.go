package main

import (
	"fmt"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
	"github.com/slipway-go/slipway/benchmarks/internal/broker"
	"github.com/slipway-go/slipway/benchmarks/internal/report"
)

const (
	bareProducer    = "franz-go"
	headersProducer = "franz-go with Slipway's headers"
)

// produceSuite measures what the clients write, acknowledged by all in-sync
// replicas and without compression.
func produceSuite(o options) suite {
	s := suite{
		name: "produce", title: "Producing", rounds: 5, plot: 1,
		about: `Records of 100 bytes and of 1 KiB that no codec makes smaller, with keys and without, are written as fast as the client takes
them; batches wait for five milliseconds at most, and every record is acknowledged by all in-sync replicas. The rate counts from the first record
to the last acknowledgement. Afterwards the topic must hold what was acknowledged, no more and no less. Slipway writes six CloudEvents headers
with every record, 190 bytes, of which the event's id is new for each: the second arm of franz-go writes the same headers, ready made. Values are
bytes: no schema is encoded.`,
		columns: []column{
			{title: "records/s", key: "rate", unit: report.Count},
			ratio("rate against franz-go with the headers", "rate", to(headersProducer)),
			ratio("rate against franz-go", "rate", to(bareProducer)),
			{title: "CPU s per million", key: "cpu", unit: report.Digits},
			ratio("CPU against franz-go with the headers", "cpu", to(headersProducer)),
			{title: "allocations per record", key: "allocs", unit: report.Digits},
			{title: "peak RSS, MiB", key: "rss", unit: report.Digits},
		},
	}
	for _, size := range []int{100, 1024} {
		for _, keys := range []int{manyKeys, 0} {
			count, named := 1_000_000, "keyed"
			if size > 100 {
				count = 400_000
			}
			if o.quick {
				count /= 4
			}
			if keys == 0 {
				named = "without keys"
			}
			arms := []arm.Spec{
				{Name: bareProducer, Client: "franz"},
				{Name: headersProducer, Client: "franz-headers"},
				{Name: "Slipway", Client: "slipway"},
				{Name: "sarama", Client: "sarama"},
				{Name: "kafka-go", Client: "kafkago"},
				{Name: "confluent-kafka-go", Client: "confluent"},
				{Name: "Watermill, 256 callers", Client: "watermill"},
			}
			for i := range arms {
				arms[i].Size, arms[i].Count, arms[i].Warm = size, count, count/20
				if arms[i].Client == "watermill" {
					arms[i].Count /= 4 // it is slow
				}
			}
			s.cases = append(s.cases, testCase{
				title: fmt.Sprintf("%d bytes, %s", size, named), broker: "kafka",
				topic: broker.Topic{Name: "bench.produce", Keys: keys}, arms: kind("produce", arms),
			})
		}
	}
	return s
}
