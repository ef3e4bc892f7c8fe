package slipway

import (
	"cmp"
	"slices"
	"time"
)

// An EntryStatus is how an entry of the contract's consumes block stands in
// this instance.
type EntryStatus struct {
	Entry string `json:"entry"`
	Topic string `json:"topic"` // on the cluster
	Group string `json:"group"`

	// Cluster is the alias of the cluster that the topic is on; empty for the
	// default one.
	Cluster string `json:"cluster,omitempty"`

	// Tuning is how the entry is consumed now.
	Tuning Tuning `json:"tuning"`

	// Breaker is closed, half-open or open; an entry without one is closed.
	Breaker string `json:"breaker"`

	Running   int   `json:"running"`    // handlers
	Lanes     int   `json:"lanes"`      // that hold something
	Open      int   `json:"open"`       // records that are queued, waiting or in a handler
	OpenBytes int64 `json:"open_bytes"` // of them

	// Waiting and Parked are the keys whose first record is in the retry topic
	// and waits for its attempt, or for an operator. Held counts the records
	// there, those behind the first ones included.
	Waiting int `json:"waiting_keys"`
	Parked  int `json:"parked_keys"`
	Held    int `json:"held_records"`

	// WaitingSeconds is how long ago the first record of the oldest waiting key
	// failed first, and ParkedSeconds that of the oldest parked one, or since
	// when that is parked by hand; nil for no key, or if nobody knows.
	WaitingSeconds *float64 `json:"waiting_seconds,omitempty"`
	ParkedSeconds  *float64 `json:"parked_seconds,omitempty"`

	// DeadLetters is how many records the dead-letter topic holds; nil if that
	// is not known. It is looked up every 30 seconds.
	DeadLetters *int64 `json:"dead_letters,omitempty"`

	// Partitions are those that this instance owns and has opened, in order.
	Partitions []PartitionStatus `json:"partitions"`
}

// A PartitionStatus is how an assigned partition stands.
type PartitionStatus struct {
	Partition int32 `json:"partition"`

	// Lag is how many records lie between what is finished and the end; nil if
	// that is not known yet. LagSeconds says it in time.
	Lag        *int64   `json:"lag,omitempty"`
	LagSeconds *float64 `json:"lag_seconds,omitempty"`

	// Status is ok, unsure, warn, rewind, stall, stop or err, as the metric
	// kafka_consumer_partition_status has it.
	Status string `json:"status"`

	// StartOffset is where reading began when the partition was assigned, and
	// StartSource what decided: committed, earliest, latest, or gap- with the
	// contract's policy. StartOffset is -1 where nothing did.
	StartOffset int64  `json:"start_offset"`
	StartSource string `json:"start_source"`

	// HeadSeconds is how long the first unfinished record is in hand; 0 for
	// none.
	HeadSeconds float64 `json:"head_seconds"`

	// Paused says that fetching rests, for whatever reason.
	Paused bool `json:"paused"`
}

// Consumption returns how each consumed entry stands in this instance, in the
// order of their names. It is empty before the app runs.
func (a *App) Consumption() []EntryStatus {
	a.settings.mu.Lock()
	defer a.settings.mu.Unlock()
	members := a.health.running()
	all := []EntryStatus{}
	for _, c := range members {
		s := c.snapshot()
		for _, e := range c.entries {
			all = append(all, c.status(e, s))
		}
	}
	slices.SortFunc(all, func(a, b EntryStatus) int { return cmp.Compare(a.Entry, b.Entry) })
	return all
}

// status is what a snapshot says of an entry.
func (c *consumer) status(e *entry, s groupSnapshot) EntryStatus {
	now := EntryStatus{
		Entry: e.Name, Topic: c.link.physical(e.Topic), Cluster: c.link.other(), Group: c.group, Tuning: e.tuning(), Partitions: []PartitionStatus{},
	}
	for _, of := range s.entries {
		if of.topic != e.Topic {
			continue
		}
		now.Breaker, now.Running, now.Lanes, now.Open, now.OpenBytes = of.breaker.String(), of.running, of.lanes, of.records, of.bytes
		now.Waiting, now.Parked, now.Held = of.waiting.keys, of.parked.keys, of.waiting.records+of.parked.records
		now.WaitingSeconds, now.ParkedSeconds = of.waiting.seconds(), of.parked.seconds()
		if of.deadLetters >= 0 {
			now.DeadLetters = new(of.deadLetters)
		}
	}
	for _, p := range s.partitions {
		if p.topic == e.Topic {
			now.Partitions = append(now.Partitions, p.public())
		}
	}
	slices.SortFunc(now.Partitions, func(a, b PartitionStatus) int { return cmp.Compare(a.Partition, b.Partition) })
	return now
}

// seconds is the age, if there is one and it is known.
func (b backlog) seconds() *float64 {
	if b.keys == 0 || b.age < 0 {
		return nil
	}
	return new(seconds(b.age))
}

func (p partitionSnapshot) public() PartitionStatus {
	s := PartitionStatus{
		Partition: p.id, Status: statusName(p.status), StartOffset: p.startOffset, StartSource: p.startSource,
		HeadSeconds: seconds(p.headAge), Paused: p.paused,
	}
	if p.lag >= 0 {
		s.Lag = new(p.lag)
	}
	if p.behind >= 0 {
		s.LagSeconds = new(seconds(p.behind))
	}
	return s
}

// seconds is a duration in seconds, to the millisecond.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
