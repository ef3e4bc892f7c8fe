package arm

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

// CommitInterval is how often every client commits.
const CommitInterval = time.Second

// A Spec is what an arm is to do.
type Spec struct {
	Kind     string          `json:"kind"`   // what is measured: consume, slow, latency, rebalance, parked, produce, relay
	Name     string          `json:"name"`   // of the arm, as tables show it
	Client   string          `json:"client"` // a key of Loops, or of what the kind knows
	Endpoint broker.Endpoint `json:"endpoint"`
	Topic    string          `json:"topic"`
	Ends     []int64         `json:"ends"` // records of each partition
	Zero     []int64         `json:"zero"` // records of key 0 in each partition
	Keys     int             `json:"keys"`
	Run      string          `json:"run"` // unique: names the group

	Plaintext bool `json:"plaintext,omitempty"` // a control arm without TLS and login

	Order    string        `json:"order,omitempty"` // Slipway's order, and what is checked: key, partition, none
	InFlight int           `json:"in_flight"`
	Work     time.Duration `json:"work"`
	Hashes   int           `json:"hashes,omitempty"` // that a handler computes, which unlike sleep takes a processor
	Warmup   time.Duration `json:"warmup"`
	Window   time.Duration `json:"window"`
	Rate     int           `json:"rate,omitempty"`     // records a second, of an open loop
	Linger   time.Duration `json:"linger,omitempty"`   // of the producer
	Retry    string        `json:"retry,omitempty"`    // Slipway's policy, as the contract writes it
	Poison   bool          `json:"poison,omitempty"`   // the handler fails for key 0
	Size     int           `json:"size,omitempty"`     // bytes of a value, where an arm produces
	Count    int           `json:"count,omitempty"`    // records that it produces
	Warm     int           `json:"warm,omitempty"`     // records before that, which are not measured
	Database string        `json:"database,omitempty"` // a Postgres database of the arm's own, where it relays

	Telemetry Telemetry `json:"telemetry,omitzero"` // of Slipway's
}

func (s Spec) records() (n int64) {
	for _, end := range s.Ends {
		n += end
	}
	return n
}

// A Result is what an arm measured, by name.
type Result map[string]float64

// Run does what a spec says.
func Run(ctx context.Context, s Spec) (Result, error) {
	kinds := map[string]func(context.Context, Spec) (Result, error){
		"consume": consume, "slow": slow, "latency": latency, "rebalance": rebalance, "parked": parked, "produce": produce, "relay": relay,
	}
	run := kinds[s.Kind]
	if run == nil {
		return nil, fmt.Errorf("no kind of arm %q", s.Kind)
	}
	if s.Retry != "" {
		if err := createDerived(ctx, s); err != nil {
			return nil, err
		}
	}
	return run(ctx, s)
}

// A Record is what every client delivers.
type Record struct {
	Partition int32
	Offset    int64
	Value     []byte
}

// A Job is what a [Loop] consumes and hands over.
type Job struct {
	Endpoint broker.Endpoint
	Topic    string
	Group    string
	Order    string
	InFlight int
	Retry    string

	Telemetry Telemetry

	// Handle handles one record. Only Slipway's arms look at the error: no
	// other client has a use for it.
	Handle func(Record) error
}

// A Loop consumes with one client library until ctx ends.
type Loop func(ctx context.Context, j Job) error

// Loops are the clients that consume, by name.
var Loops = map[string]Loop{
	"slipway":        slipwayLoop,
	"franz":          franzLoop,
	"franz-serial":   franzSerial,
	"franz-hash":     franzHash,
	"franz-key":      franzKey,
	"sarama":         saramaLoop,
	"kafkago":        kafkagoLoop,
	"kafkago-serial": kafkagoSerial,
}

func (s Spec) job(handle func(Record) error) Job {
	return Job{Endpoint: s.Endpoint, Topic: s.Topic, Group: s.Run, Order: s.Order, InFlight: s.InFlight, Retry: s.Retry, Telemetry: s.Telemetry, Handle: handle}
}
