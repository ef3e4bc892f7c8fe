package dlq

import (
	"math"
	"strings"

	"github.com/slipway-go/slipway/internal/record"
)

// A Dialect is the set of headers in which a tool says why a record died.
type Dialect string

// The dialects, by who writes them.
const (
	None         Dialect = ""          // no evidence at all
	Slipway      Dialect = "slipway"   // slipway-* beside KIP-1191's
	ShareGroup   Dialect = "kip-1191"  // __dlq.errors.*: Kafka's share groups
	Connect      Dialect = "connect"   // __connect.errors.*: Kafka Connect
	Spring       Dialect = "spring"    // kafka_dlt-*: Spring for Apache Kafka
	SmallRye     Dialect = "smallrye"  // dead-letter-*: SmallRye and Quarkus
	Karafka      Dialect = "karafka"   // source_*, formerly original_*
	Watermill    Dialect = "watermill" // *_poisoned
	KafkaStreams Dialect = "kip-1034"  // __streams.errors.*: Kafka Streams
)

// precedence is the order in which evidence is believed where a record has
// passed several tools: ours is written last.
var precedence = []Dialect{Slipway, ShareGroup, KafkaStreams, Connect, Spring, SmallRye, Karafka, Watermill}

// prefixes are the namespaces of header names.
var prefixes = []struct {
	prefix  string
	dialect Dialect
}{
	{"slipway-", Slipway},
	{"__dlq.errors.", ShareGroup},
	{"__streams.errors.", KafkaStreams},
	{"__connect.errors.", Connect},
	{"kafka_dlt-", Spring},
	{"kafka_original-", Spring},
	{"kafka_exception-", Spring},
	{"kafka_key_exception-", Spring},
	{"retry_topic-", Spring},
	{"dead-letter-", SmallRye},
}

// names are the headers of those who keep no namespace.
var names = map[string]Dialect{
	"kafka_deliveryAttempt": Spring,

	"source_topic": Karafka, "source_partition": Karafka, "source_offset": Karafka, "source_consumer_group": Karafka,
	"source_attempts": Karafka, "source_trace_id": Karafka,
	"original_topic": Karafka, "original_partition": Karafka, "original_offset": Karafka, "original_consumer_group": Karafka,
	"original_attempts": Karafka, "original_key": Karafka,

	"reason_poisoned": Watermill, "topic_poisoned": Watermill, "handler_poisoned": Watermill, "subscriber_poisoned": Watermill,
}

// initials are the first letters of all prefixes and names.
const initials = "_dhkorst"

// dialects read the evidence into the letter.
var dialects = map[Dialect]func(evidence){
	Slipway:      readSlipway,
	ShareGroup:   readShareGroup,
	KafkaStreams: readStreams,
	Connect:      readConnect,
	Spring:       readSpring,
	SmallRye:     readSmallRye,
	Karafka:      readKarafka,
	Watermill:    readWatermill,
}

func readSlipway(e evidence) {
	readShareGroup(e)
	l := e.letter
	l.Reason = e.text(64, record.Reason)
	l.Class = e.text(maxName, record.Class)
	l.Stack = e.text(maxStack, record.Stack)
	l.Redrives = e.count(record.Redrives)
	l.Origin.Time = e.moment(record.Timestamp)
	l.First = e.moment(record.FirstFailure)
	l.Last = e.moment(record.LastFailure)
	if n, ok := e.number(record.Epoch, 4, Unknown, math.MaxInt32, "leader epoch"); ok {
		l.Origin.Epoch = int32(n)
	}
	if life, ok := e.get(record.Life); ok {
		if len(life) == 0 || len(life) > maxLife || strings.ContainsFunc(string(life), notID) {
			e.fault(record.Life, "topic id")
			return
		}
		l.Origin.Life = string(life)
	}
}

// maxLife is the longest id of a topic or a redrive.
const maxLife = 64

func notID(r rune) bool { return r <= ' ' || r > '~' }

func readShareGroup(e evidence) {
	e.origin(record.ErrorTopic, record.ErrorPartition, record.ErrorOffset, record.ErrorGroup)
	e.letter.Attempts = e.count(record.ErrorDeliveryCount)
	e.letter.Error = e.text(maxText, record.ErrorMessage)
}

func readStreams(e evidence) {
	const p = "__streams.errors."
	e.origin(p+"topic", p+"partition", p+"offset", "")
	e.letter.Class = e.text(maxName, p+"exception")
	e.letter.Error = e.text(maxText, p+"message")
	e.letter.Stack = e.text(maxStack, p+"stacktrace")
}

func readConnect(e evidence) {
	const p = "__connect.errors."
	e.origin(p+"topic", p+"partition", p+"offset", p+"connector.name")
	e.letter.Class = e.text(maxName, p+"exception.class.name")
	e.letter.Error = e.text(maxText, p+"exception.message")
	e.letter.Stack = e.text(maxStack, p+"exception.stacktrace")
}

// readSpring reads what DeadLetterPublishingRecoverer and the retry topics
// write. Retry topics keep the place under names without dlt.
func readSpring(e evidence) {
	const p = "kafka_dlt-"
	place := p + "original-"
	if _, ok := e.get(place + "topic"); !ok {
		if _, ok := e.get("kafka_original-topic"); ok {
			place = "kafka_original-"
		}
	}
	e.origin(place+"topic", place+"partition", place+"offset", p+"original-consumer-group")
	l := e.letter
	l.Origin.Time = e.moment(place + "timestamp")
	l.First = e.moment("retry_topic-original-timestamp")
	l.Attempts = e.count("retry_topic-attempts", "kafka_deliveryAttempt")
	// The first class is Spring's own wrapper; the cause is what was thrown.
	l.Class = e.text(maxName, p+"exception-cause-fqcn", "kafka_exception-cause-fqcn", p+"exception-fqcn", "kafka_exception-fqcn")
	l.Error = e.text(maxText, p+"exception-message", "kafka_exception-message")
	l.Stack = e.text(maxStack, p+"exception-stacktrace", "kafka_exception-stacktrace")
}

func readSmallRye(e evidence) {
	const p = "dead-letter-"
	e.origin(p+"topic", p+"partition", p+"offset", "")
	e.letter.Class = e.text(maxName, p+"cause-class-name", p+"exception-class-name")
	e.letter.Error = e.text(maxText, p+"reason")
	if cause := e.text(maxText, p+"cause"); cause != "" {
		e.letter.Error = record.Cut(e.letter.Error+": "+cause, maxText)
	}
}

func readKarafka(e evidence) {
	p := "source_"
	if _, ok := e.get(p + "topic"); !ok {
		p = "original_"
	}
	e.origin(p+"topic", p+"partition", p+"offset", p+"consumer_group")
	e.letter.Attempts = e.count(p + "attempts")
}

func readWatermill(e evidence) {
	e.letter.Origin.Topic = e.text(maxName, "topic_poisoned")
	e.letter.Class = e.text(maxName, "handler_poisoned")
	e.letter.Error = e.text(maxText, "reason_poisoned")
}
