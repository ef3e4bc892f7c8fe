package plan

import (
	"cmp"
	"math"
	"strconv"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
)

const (
	// DeadLetterRetention is how long dead letters are kept at least. They
	// wait for a person, who may be on holiday; a topic that keeps its records
	// longer keeps its dead letters as long.
	DeadLetterRetention = 30 * 24 * time.Hour

	// Headroom is how much larger a record of a derived topic may be than the
	// largest record of its source: it is the same record with headers added,
	// and one that does not fit would block its partition for ever.
	Headroom = 64 << 10

	// brokerMaxMessage is Kafka's default of max.message.bytes, without the
	// twelve bytes it adds for the batch.
	brokerMaxMessage = 1 << 20
)

// What a retry topic is set to beside what other topics are, in Kafka's words.
const (
	retentionBytes = "retention.bytes"
	timestampType  = "message.timestamp.type"
	appendTime     = "LogAppendTime"
	unlimited      = "-1"
)

// derived are the topics that an entry brings with it.
func (d *derivation) derived(svc *contract.Service, entry string, c *contract.Consume) {
	if c.Retries() {
		d.retries(svc, entry, c)
	}
	if c.DeadLetters() {
		d.deadLetters(svc, entry, c)
	}
}

// retries has the partitions of its source, one for one: a record of partition
// n waits in partition n, with whoever owns that one. It is a log that its
// service trims by itself, record by record once they are through. The broker
// must delete nothing: what is gone before it is settled is lost, and with it
// the place of its key. Times are those of appending, because what waits is
// timed by the broker's clock.
func (d *derivation) retries(svc *contract.Service, entry string, c *contract.Consume) {
	why := "retries records of " + c.Topic
	if c.Retry.Then == contract.Park {
		why = "retries and parks records of " + c.Topic
	}
	t := d.beside(svc, entry, c, Retries, why)
	t.Name = svc.RetryTopic(c)
	t.Configs[kafka.RetentionMillis] = unlimited
	t.Configs[retentionBytes] = unlimited
	t.Configs[timestampType] = appendTime
	d.out.Topics = append(d.out.Topics, t)
}

// deadLetters has as many partitions as its source, so that a flood of dead
// letters spreads as its source does. The number is that of its creation: a
// source that grows leaves it alone.
func (d *derivation) deadLetters(svc *contract.Service, entry string, c *contract.Consume) {
	why := "sends dead letters of " + c.Topic
	if c.Retry.Then == contract.Park {
		why = "tells what is parked of " + c.Topic
	}
	source := d.source(c.Topic)
	keep := max(source.Retention, DeadLetterRetention)
	if source.Retention < 0 {
		keep = source.Retention
	}
	t := d.beside(svc, entry, c, DeadLetters, why)
	t.Name = svc.DeadLetterTopic(c)
	t.Configs[kafka.RetentionMillis] = retention(keep)
	d.out.Topics = append(d.out.Topics, t)
}

// beside is what all topics that serve another one have in common.
func (d *derivation) beside(svc *contract.Service, entry string, c *contract.Consume, role Role, why string) Topic {
	source := d.source(c.Topic)
	return Topic{
		Service:    svc.Name,
		Role:       role,
		Source:     d.estate.PhysicalTopic(c.Cluster, c.Topic),
		Partitions: d.partitions(source),
		Replicas:   cmp.Or(source.Replicas, d.cluster.Defaults.Replicas),
		Configs: d.durable(map[string]string{
			kafka.CleanupPolicy:   "delete",
			kafka.MaxMessageBytes: above(cmp.Or(int64(source.MaxMessage), brokerMaxMessage)),
		}),
		Reasons: []Reason{{Service: svc.Name, Text: why, Position: svc.Position("consumes/" + entry)}},
	}
}

// above is the max.message.bytes of a topic that takes every record of one
// that takes so many bytes.
func above(largest int64) string {
	return strconv.FormatInt(min(largest+Headroom, math.MaxInt32), 10)
}

// probes is the topic of the writing probe. It is as durable as what the service
// produces, or its probe would prove nothing.
func (d *derivation) probes(svc *contract.Service) {
	if !svc.ProbesByWriting() || !d.here(contract.DefaultAlias) {
		return
	}
	d.out.Topics = append(d.out.Topics, Topic{
		Name: svc.ProbeTopic(), Service: svc.Name, Role: Probes,
		Partitions: 1, Replicas: d.cluster.Defaults.Replicas,
		Configs: d.durable(map[string]string{kafka.CleanupPolicy: "delete", kafka.RetentionMillis: retention(time.Hour)}),
		Reasons: []Reason{{Service: svc.Name, Text: "proves by writing that it can", Position: svc.Position("workload", "probe")}},
	})
}

// source is what is known of a consumed topic.
func (d *derivation) source(topic string) *contract.Topic {
	if t := d.owners[topic]; t != nil {
		return t
	}
	if d.estate.External != nil {
		if t := d.estate.External.Topics[topic]; t != nil {
			return &contract.Topic{Name: topic, Partitions: t.Partitions}
		}
	}
	return &contract.Topic{Name: topic}
}

// fitted is a derived topic made to fit its source as it is on the cluster, or
// will be: contracts do not know how many partitions a topic of another owner
// has, nor how large its records are where the broker decides.
func (t Topic) fitted(sources map[string]Topic, have *Actual) Topic {
	if t.Source == "" {
		return t
	}
	is := have.Topics[t.Source]
	if t.Role == Retries {
		t.Partitions = max(t.Partitions, is.Partitions, sources[t.Source].Partitions)
	}
	// A few bytes are no reason to change anything: half of the headroom is
	// still more than headers take.
	largest, err := strconv.ParseInt(is.Configs[kafka.MaxMessageBytes], 10, 64)
	if err == nil && largest > limit(t.Configs[kafka.MaxMessageBytes])-Headroom/2 {
		t.Configs = with(t.Configs, kafka.MaxMessageBytes, above(largest))
	}
	return t
}
