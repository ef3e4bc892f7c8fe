package contract

import "time"

// A Service is one contract: what a service owns, produces and consumes.
// Defaults are filled in; a nil pointer means the block is absent.
type Service struct {
	Name        string // DNS label, at most 40 characters
	Owner       string // the team to ask
	Description string

	Auth     Auth
	Topics   map[string]*Topic   // topics this service owns, by name
	Produces map[string]*Produce // by topic
	Consumes map[string]*Consume // by entry name: the topic, or any name where Topic is given

	Quotas     *Quotas
	Connectors map[string]*Connector // by their name in the contract
	Outbox     *OutboxPolicy         // nil means that the service's instances relay it
	Config     map[string]*Setting   // the service's own settings, by name

	SLO      SLO
	Workload *Workload
	Launch   *Launch
	Adopt    *Adopt

	// Environments names the overlays the contract has, sorted.
	Environments []string

	// Env is the environment laid over this contract by [Service.In]; empty
	// for the contract as written.
	Env string

	source source
}

// Auth says how a service proves who it is to Kafka.
type Auth string

// The ways to authenticate. Plain is for dev only, and only over TLS.
const (
	MTLS        Auth = "mtls"
	SCRAMSHA512 Auth = "scram-sha-512"
	SCRAMSHA256 Auth = "scram-sha-256"
	Plain       Auth = "plain"
)

// A Topic is one that the service owns.
type Topic struct {
	Name        string
	Cluster     string // alias of the logical cluster; "default" if absent
	Key         Key
	Partitions  int           // 0 means the cluster's default
	Replicas    int           // 0 means the cluster's default
	Partitioner Partitioner   // java if absent
	Retention   time.Duration // 0 means the broker's default, negative means for ever
	Compact     bool          // cleanup.policy=compact
	MaxMessage  Bytes         // 0 means the broker's default
	Schema      *Schema       // nil means opaque bytes
	Readers     []string      // nil means any service of the estate
	Writers     []string      // services beside the owner that may write
	Protect     []Protection
}

// A Key says which field of the value is the record's key, and how it is
// written. A zero Key means records without a key.
type Key struct {
	Field  string
	Format KeyFormat
}

// A KeyFormat is how a key becomes bytes.
type KeyFormat string

// The key formats. KeyString is the default.
const (
	KeyString KeyFormat = "string"
	KeyBytes  KeyFormat = "bytes"
	KeyInt64  KeyFormat = "int64"
	KeyAvro   KeyFormat = "avro"
)

// A Partitioner chooses the partition of a keyed record.
type Partitioner string

// The partitioners, by the client whose placement they reproduce.
const (
	Java       Partitioner = "java" // murmur2, as the Java client and franz-go
	Sarama     Partitioner = "sarama"
	Librdkafka Partitioner = "librdkafka"
)

// A Protection is a change that a plan refuses for the topic.
type Protection string

// The protections.
const (
	ProtectDelete      Protection = "delete"
	ProtectRepartition Protection = "repartition"
)

// A Schema points to the schema of a topic's values.
type Schema struct {
	Format        Format
	File          string // relative to the contract's directory
	Message       string // of Protobuf, its full name; empty is the first of the file
	References    map[string]*SchemaReference
	Compatibility Compatibility
	Subject       SubjectStrategy
	ID            IDPlacement
}

// A SchemaReference is a schema that another one builds on: a file beside the
// contract, a version of a subject that somebody else registers, or a file with
// the subject that it is registered under.
type SchemaReference struct {
	Name    string // as the schema spells it: an import, a type's full name, a $ref
	File    string // relative to the contract's directory; empty means the registry's
	Subject string // empty means the name
	Version int    // of the subject; 0 means the one that holds the file
}

// A SubjectStrategy says which subject a topic's schema is registered under.
type SubjectStrategy string

// The strategies, as Confluent's serializers know them. SubjectTopic is the
// default.
const (
	SubjectTopic       SubjectStrategy = "topic"        // <topic>-value
	SubjectRecord      SubjectStrategy = "record"       // <record>
	SubjectTopicRecord SubjectStrategy = "topic-record" // <topic>-<record>
)

// An IDPlacement says where a record names its schema.
type IDPlacement string

// The placements. IDPrefix is the default.
const (
	IDPrefix IDPlacement = "prefix" // five bytes in front of the value
	IDHeader IDPlacement = "header" // the header __value_schema_id
)

// A Format is the encoding of values.
type Format string

// The formats.
const (
	Avro     Format = "avro"
	JSON     Format = "json"
	Protobuf Format = "protobuf"
)

// A Compatibility is the registry's rule for new versions of a subject.
type Compatibility string

// The compatibility levels, as Confluent's registry names them in lower case.
const (
	Backward           Compatibility = "backward"
	BackwardTransitive Compatibility = "backward_transitive"
	Forward            Compatibility = "forward"
	ForwardTransitive  Compatibility = "forward_transitive"
	Full               Compatibility = "full"
	FullTransitive     Compatibility = "full_transitive"
	NoCompatibility    Compatibility = "none"
)

// A Produce is one topic the service writes.
type Produce struct {
	Topic   string
	Cluster string
	Via     Via
	Max     Bytes    // largest value; 1 MiB if absent
	Away    Fallback // what happens when the cluster is away; block if absent

	Buffer      Buffer        // 32 MiB and 50,000 records if absent
	Compression Compression   // snappy if absent
	Linger      time.Duration // how long a batch waits for company
	Timeout     time.Duration // until an acknowledgement must be there; 2m if absent
	Spill       SpillPolicy   // of away: spill and of what is to be delivered later

	// OldBrokers is what becomes of transactions on a cluster below
	// transaction.version 2; refuse if absent.
	OldBrokers OldBrokers
}

// Via says how a produced record is bound to the service's own state.
type Via string

// The ways to produce.
const (
	Direct      Via = "direct"
	Outbox      Via = "outbox"
	Transaction Via = "transaction"
)

// A Fallback says what a producer does when its buffer is full and the
// cluster is away.
type Fallback string

// The fallbacks.
const (
	Block  Fallback = "block"
	Spill  Fallback = "spill"
	Sample Fallback = "sample"
	Fail   Fallback = "fail"
)

// A SpillPolicy bounds what is kept on disk for a topic, and says how safe it is
// there.
type SpillPolicy struct {
	Sync SpillSync
	Max  Bytes         // on disk; 1 GiB if absent
	Age  time.Duration // of the oldest record, before no more are taken; 24h if absent
}

// SpillSync says when what goes to disk is forced there.
type SpillSync string

// The choices. SyncAlways is the default.
const (
	SyncAlways   SpillSync = "always"   // before the sender is told: it survives a power cut
	SyncInterval SpillSync = "interval" // every 100ms: it survives the process, a power cut costs what came since
)

// OldBrokers says whether transactions are used on brokers that can mistake
// the late request of an ended transaction for one of the next (KIP-890).
type OldBrokers string

// The choices. RefuseOld is the default.
const (
	RefuseOld OldBrokers = "refuse"
	AllowOld  OldBrokers = "allow"
)

// A Consume is one topic the service reads, and the policy it is read with.
type Consume struct {
	Name        string // the entry's name in the contract
	Topic       string
	Cluster     string
	As          Mode
	Order       Order
	Exact       bool    // not written: the service produces via transaction, and handles this in them
	Schema      *Schema // what this reader needs; nil means the owner's schema
	Isolation   Isolation
	Concurrency int
	Batch       int           // the most records a handler of batches gets at once
	Timeout     time.Duration // per attempt
	Start       Start
	Gap         Gap
	Retry       Retry
	Stuck       time.Duration // how old the head record may be before the partition counts as stuck
	Dedup       *Dedup
	Breaker     *Breaker
	Bulkhead    int  // 0 means no bound of its own
	Rate        Rate // 0 means unlimited
	Preset      Preset

	// What follows is one for each group: entries that share a group have
	// the same.

	Group      string // suffix of the consumer group; empty for the service's own
	Protocol   Protocol
	Assignment Assignment    // of protocol classic
	Static     bool          // an instance keeps its partitions over a restart
	Session    time.Duration // how long a member may be silent
	Heartbeat  time.Duration // how often a member speaks
}

// A Mode says in what role a topic is read.
type Mode string

// The modes. Stream is the default.
const (
	Stream Mode = "stream"
	Table  Mode = "table" // no group, the whole topic
	Share  Mode = "share"
)

// An Order is the order that handling keeps.
type Order string

// The orders. ByKey is the default.
const (
	ByKey       Order = "key"
	ByPartition Order = "partition"
	Unordered   Order = "none"
)

// A Start says where a group without commits begins.
type Start string

// The starts. Earliest is the default: nothing is skipped silently.
const (
	StartEarliest Start = "earliest"
	StartLatest   Start = "latest"
	StartRefuse   Start = "refuse"
)

// A Gap says what to do when retention deleted the committed offset.
type Gap string

// The gap policies. GapStop is the default.
const (
	GapStop     Gap = "stop"
	GapEarliest Gap = "earliest"
	GapLatest   Gap = "latest"
)

// A Dedup names what identifies a repeated record, and for how long.
type Dedup struct {
	By  string // "header:<name>" or "field:<name>"
	TTL time.Duration
}

// A Breaker stops handling after consecutive failures.
type Breaker struct {
	Failures int
	Open     time.Duration
	Probes   int // attempts that must succeed, one after the other, before it closes again
}

// An SLO is what the service promises of its consumption.
type SLO struct {
	Lag          int64         // records; 0 means none stated
	FreshnessP99 time.Duration // 0 means none stated
	Success      float64       // a fraction such as 0.9995; 0 means none stated
}

// A Workload sizes the service's pods.
type Workload struct {
	Image  string
	CPU    MilliCPU
	Memory Bytes
	Scale  Scale
	HTTP   int // port; 0 means none
	GRPC   int // port; 0 means none
	Probe  Probe
	Volume Bytes            // what its instances keep on disk; 0 means that they need no volume of their own
	Egress map[string]*Peer // what the service calls beside Kafka, its registry and telemetry, by name
	Access *Access          // who may call it; nil means every pod of the namespace
}

// A Probe says how a service finds out whether its records would be
// acknowledged.
type Probe string

// The probes. ProbeMetadata is the default.
const (
	ProbeMetadata Probe = "metadata" // it asks for the metadata of its topics
	ProbeWrite    Probe = "write"    // beside that it writes small records to a topic of its own
)

// A Scale bounds the number of instances. Max 0 means auto: as many as the
// partitions can use.
type Scale struct{ Min, Max int }

// A Launch says how a new version takes traffic.
type Launch struct {
	Canary []float64 // fractions, ascending, the last one 1
	Bake   time.Duration
}

// Adopt keeps names that existed before the service came to Slipway.
type Adopt struct {
	Group               string
	Principal           string // without the "User:" prefix
	TransactionalPrefix string
	ClientID            string
}
