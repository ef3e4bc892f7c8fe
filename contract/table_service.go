package contract

import "time"

// What every contract begins with.
const (
	APIVersion    = "slipway.dev/v1"
	serviceKind   = "Service"
	clustersKind  = "Clusters"
	externalKind  = "External"
	maxPartitions = 100_000
	kib           = Bytes(1) << 10
	gib           = Bytes(1) << 30
)

// The tables of slipway.yaml. A key is one line: its name, its type with its
// bounds, the place it fills, what it means; then whether it is required, its
// default, and whether it is fixed, that is the same in every environment.
// Reading, the JSON Schema and the documentation all follow from these lines.
var serviceType = object(append(overlayable(),
	at("environments", patchesOf(environmentNames, object(overlayable()...)), func(s *Service) *[]string { return &s.Environments },
		"What differs by environment, laid over the contract by a merge of mappings (RFC 7396). It may change sizing, policy, workload and launch, but nothing that readers rely on."),
)...)

func overlayable() []field[Service] {
	return []field[Service]{
		at("apiVersion", literal(APIVersion), func(*Service) *string { return new(string) }, "The version of this format.", required, fixed),
		at("kind", literal(serviceKind), func(*Service) *string { return new(string) }, "That this file is a service's contract.", required, fixed),
		at("metadata", metadataType, func(s *Service) *Service { return s }, "Who the service is.", required, fixed),
		at("identity", identityType, func(s *Service) *Service { return s }, "How the service proves who it is to Kafka."),
		at("topics", mapOf(topicNames, topicType, func(t *Topic, name string) { t.Name = name }), func(s *Service) *map[string]*Topic { return &s.Topics },
			"The topics this service owns: it alone decides their shape."),
		at("produces", mapOf(topicNames, produceType, func(p *Produce, name string) { p.Topic = name }), func(s *Service) *map[string]*Produce { return &s.Produces },
			"The topics this service writes: its own, or others' that list it as a writer."),
		at("consumes", mapOf(topicNames, consumeType, func(c *Consume, name string) { c.Name, c.Topic = name, name }), func(s *Service) *map[string]*Consume { return &s.Consumes },
			"The topics this service reads. The name is the topic, or any name where topic is given."),
		at("quotas", optional(quotasType), func(s *Service) **Quotas { return &s.Quotas },
			"What the service's principal may take of each broker at most; who is over it is slowed down, not refused."),
		at("connectors", mapOf(connectorNames, connectorType, func(c *Connector, name string) { c.Name = name }), func(s *Service) *map[string]*Connector { return &s.Connectors },
			"The connectors that Kafka Connect runs for this service, as svc-<service>-<environment>.<name>."),
		at("outbox", optional(outboxType), func(s *Service) **OutboxPolicy { return &s.Outbox },
			"How the rows of topics with via: outbox are published. Absent means that the service's instances do."),
		at("config", mapOf(configNames, settingType, func(s *Setting, name string) { s.Name = name }), func(s *Service) *map[string]*Setting { return &s.Config },
			"The service's own settings, by name. Their values come from defaults here, config/common.yaml, config/<environment>.yaml and variables."),
		at("slo", sloType, func(s *Service) *SLO { return &s.SLO }, "What the service promises of its consumption."),
		at("workload", optional(workloadType), func(s *Service) **Workload { return &s.Workload }, "The size of the service's pods."),
		at("launch", optional(launchType), func(s *Service) **Launch { return &s.Launch }, "How a new version takes traffic."),
		at("adopt", optional(adoptType), func(s *Service) **Adopt { return &s.Adopt }, "Names from before Slipway that the service keeps."),
	}
}

var metadataType = object(
	at("name", serviceNames.typ(), func(s *Service) *string { return &s.Name }, "The service's name, a DNS label. Every derived name begins with svc-<name>-<environment>.", required, fixed),
	at("owner", text(100), func(s *Service) *string { return &s.Owner }, "The team to ask.", required, fixed),
	at("description", text(1000), func(s *Service) *string { return &s.Description }, "What the service does, in a sentence.", fixed),
)

var identityType = object(
	at("auth", oneOf(MTLS, SCRAMSHA512, SCRAMSHA256, Plain), func(s *Service) *Auth { return &s.Auth }, "The way to authenticate. plain is for environment dev only, and only over TLS.", def("mtls")),
)

var topicType = object(
	at("cluster", aliasNames.typ(), func(t *Topic) *string { return &t.Cluster }, "The logical cluster; clusters.yaml says what it is in each environment.", def(DefaultAlias), fixed),
	at("key", keyType, func(t *Topic) *Key { return &t.Key }, "The field of the value that is the record's key. Records of one key stay in order. Absent means records without a key.", fixed),
	at("partitions", integer(1, maxPartitions), func(t *Topic) *int { return &t.Partitions }, "How many partitions the topic has. Absent means the cluster's default."),
	at("replicas", integer(1, 100), func(t *Topic) *int { return &t.Replicas }, "How many brokers hold each partition. Absent means the cluster's default."),
	at("partitioner", oneOf(Java, Sarama, Librdkafka), func(t *Topic) *Partitioner { return &t.Partitioner }, "The client whose placement of keys is kept: java (murmur2), sarama or librdkafka.", def("java"), fixed),
	at("retention", retention(), func(t *Topic) *time.Duration { return &t.Retention }, "How long records are kept, or forever. Absent means the cluster's default."),
	at("compact", boolean(), func(t *Topic) *bool { return &t.Compact }, "Keep the last record of every key for ever (cleanup.policy=compact).", def("false"), fixed),
	at("maxMessage", bytesBetween(kib, gib), func(t *Topic) *Bytes { return &t.MaxMessage }, "The largest record batch the topic takes (max.message.bytes). Absent means the cluster's default."),
	at("schema", optional(topicSchemaType), func(t *Topic) **Schema { return &t.Schema }, "The schema of the values. Absent means bytes that nobody checks.", fixed),
	at("readers", setOf(serviceNames.typ()), func(t *Topic) *[]string { return &t.Readers }, "The services that may read. Absent means any service of the estate, [] means none but the owner."),
	at("writers", setOf(serviceNames.typ()), func(t *Topic) *[]string { return &t.Writers }, "The services beside the owner that may write. Absent means none."),
	at("protect", setOf(oneOf(ProtectDelete, ProtectRepartition)), func(t *Topic) *[]Protection { return &t.Protect }, "Changes that a plan refuses for this topic."),
)

var keyType = object(
	at("field", text(255), func(k *Key) *string { return &k.Field }, "The field of the value.", required),
	at("format", oneOf(KeyString, KeyBytes, KeyInt64, KeyAvro), func(k *Key) *KeyFormat { return &k.Format }, "How the key becomes bytes.", def("string")),
).orJust("field")

var topicSchemaType = object(
	at("format", formatType, func(s *Schema) *Format { return &s.Format }, formatDoc),
	at("file", schemaFileType, func(s *Schema) *string { return &s.File }, schemaFileDoc, required),
	at("compatibility", oneOf(Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive, NoCompatibility), func(s *Schema) *Compatibility { return &s.Compatibility },
		"What the registry demands of a new version.", def("backward_transitive")),
	at("message", messageType, func(s *Schema) *string { return &s.Message }, messageDoc),
	at("references", schemaReferencesType, func(s *Schema) *map[string]*SchemaReference { return &s.References }, referencesDoc),
	at("subject", oneOf(SubjectTopic, SubjectRecord, SubjectTopicRecord), func(s *Schema) *SubjectStrategy { return &s.Subject },
		"The subject that the schema is registered under: topic is <topic>-value, record the name of the record alone, topic-record <topic>-<record>.", def("topic")),
	at("id", oneOf(IDPrefix, IDHeader), func(s *Schema) *IDPlacement { return &s.ID },
		"Where a record names its schema: prefix is five bytes in front of the value, header is __value_schema_id, which needs a registry that hands out GUIDs.", def("prefix")),
)

var readerSchemaType = object(
	at("format", formatType, func(s *Schema) *Format { return &s.Format }, formatDoc),
	at("file", schemaFileType, func(s *Schema) *string { return &s.File }, schemaFileDoc, required),
	at("message", messageType, func(s *Schema) *string { return &s.Message }, messageDoc),
	at("references", schemaReferencesType, func(s *Schema) *map[string]*SchemaReference { return &s.References }, referencesDoc),
)

// schemaReferencesType is a mapping by the name that the schema uses. A bare
// value is a file.
var schemaReferencesType = mapOf(referenceNames, object(
	at("file", schemaFileType, func(r *SchemaReference) *string { return &r.File }, "The file of the schema that is referred to. Absent means that the registry has it."),
	at("subject", text(255), func(r *SchemaReference) *string { return &r.Subject }, "The subject that it is registered under. Absent means the name."),
	at("version", integer(1, 1_000_000), func(r *SchemaReference) *int { return &r.Version }, "The subject's version. Absent means the one that holds the file."),
).orJust("file"), func(r *SchemaReference, name string) { r.Name = name })

const (
	messageDoc    = "The full name of the message, for a .proto file with several. Absent means the first one."
	referencesDoc = "The schemas that this one builds on, by the name it uses for them: what a .proto file imports, the full name of an Avro type, the $ref of a JSON Schema. A value is a file, or the subject and version of what the registry has."
	formatDoc     = "The encoding of values. Absent means what the file's ending says: .avsc is avro, .json is json, .proto is protobuf."
	schemaFileDoc = "The schema's file, relative to the contract and not outside of its directory."
)

var (
	formatType     = oneOf(Avro, JSON, Protobuf)
	schemaFileType = text(255)
	messageType    = matching("message name", `^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`, 255, "write the full name with its package, such as shop.v1.OrderPlaced")
)

var produceType = object(
	at("cluster", aliasNames.typ(), func(p *Produce) *string { return &p.Cluster }, "The logical cluster the topic is on.", def(DefaultAlias), fixed),
	at("via", oneOf(Direct, Outbox, Transaction), func(p *Produce) *Via { return &p.Via }, "How a record is bound to the service's own state: direct, outbox (one commit with the database) or transaction (one commit with what was consumed).", def("direct"), fixed),
	at("max", bytesBetween(1, gib), func(p *Produce) *Bytes { return &p.Max }, "The largest value.", def("1MiB")),
	at("away", oneOf(Block, Spill, Sample, Fail), func(p *Produce) *Fallback { return &p.Away }, "What happens while the cluster is away and the buffer is full.", def("block")),
	at("buffer", bufferType, func(p *Produce) *Buffer { return &p.Buffer }, "What is held of this topic until the cluster acknowledges it. When it is full, away says what happens."),
	at("compression", oneOf(Snappy, LZ4, Zstd, Gzip, Uncompressed), func(p *Produce) *Compression { return &p.Compression }, "The codec of batches.", def("snappy")),
	at("linger", duration(0, time.Minute), func(p *Produce) *time.Duration { return &p.Linger }, "How long a batch waits for more records. With 0s it takes what comes while the requests before it are on their way.", def("0s")),
	at("timeout", duration(time.Second, time.Hour), func(p *Produce) *time.Duration { return &p.Timeout }, "How long the cluster has to acknowledge a record. After that the sender is told that it was not written, or that nobody knows.", def("2m")),
	at("spill", spillType, func(p *Produce) *SpillPolicy { return &p.Spill }, "What away: spill, and values with a due time, keep on disk."),
	at("oldBrokers", oneOf(RefuseOld, AllowOld), func(p *Produce) *OldBrokers { return &p.OldBrokers }, "With via: transaction, whether to start on a cluster below transaction.version 2, where a request of an ended transaction that comes late can end up in the next one.", def("refuse")),
)

var bufferType = object(
	at("bytes", bytesBetween(64*kib, 4*gib), func(b *Buffer) *Bytes { return &b.Bytes }, "Keys, values and headers, before compression. Absent means 32MiB, or two of the largest values where that is more.", def("32MiB")),
	at("records", integer(1, 10_000_000), func(b *Buffer) *int { return &b.Records }, "Records.", def("50000")),
).orJust("bytes")

var spillType = object(
	at("sync", oneOf(SyncAlways, SyncInterval), func(s *SpillPolicy) *SpillSync { return &s.Sync }, "When a record is forced to the disk: always (before the sender is told, so that it survives a power cut) or interval (every 100ms; it survives the process being killed, and a power cut costs what came since).", def("always")),
	at("max", bytesBetween(64*kib, 1024*gib), func(s *SpillPolicy) *Bytes { return &s.Max }, "How much is kept. When that is reached, sends fail.", def("1GiB")),
	at("age", duration(time.Second, 30*24*time.Hour), func(s *SpillPolicy) *time.Duration { return &s.Age }, "How long the oldest record may wait for the cluster. When it waits longer, sends fail; what waits is kept. Records with a due time are not meant.", def("24h")),
)

var consumeType = object(
	at("topic", topicNames.typ(), func(c *Consume) *string { return &c.Topic }, "The topic, where the entry's name is not the topic's.", fixed),
	at("cluster", aliasNames.typ(), func(c *Consume) *string { return &c.Cluster }, "The logical cluster the topic is on.", def(DefaultAlias), fixed),
	at("as", oneOf(Stream, Table, Share), func(c *Consume) *Mode { return &c.As }, "stream (a consumer group), table (no group, every instance reads the whole topic) or share (a share group).", def("stream"), fixed),
	at("order", oneOf(ByKey, ByPartition, Unordered), func(c *Consume) *Order { return &c.Order }, "The order that handling keeps. A share group keeps none.", def("key"), fixed),
	at("schema", optional(readerSchemaType), func(c *Consume) **Schema { return &c.Schema }, "What this reader needs. Absent means the owner's schema.", fixed),
	at("isolation", oneOf(Committed, Uncommitted), func(c *Consume) *Isolation { return &c.Isolation }, "Which records of transactions are read: committed ones, once they are, or all as they come, what is aborted later included.", def("committed"), fixed),
	at("concurrency", integer(1, 10_000), func(c *Consume) *int { return &c.Concurrency }, "How many records an instance handles at a time.", def("16")),
	at("batch", integer(1, 10_000), func(c *Consume) *int { return &c.Batch }, "The most records that a handler of batches gets at once.", def("100")),
	at("timeout", duration(time.Millisecond, 24*time.Hour), func(c *Consume) *time.Duration { return &c.Timeout }, "How long one attempt may take.", def("10s")),
	at("start", oneOf(StartEarliest, StartLatest, StartRefuse), func(c *Consume) *Start { return &c.Start }, "Where a group without commits begins.", def("earliest")),
	at("gap", oneOf(GapStop, GapEarliest, GapLatest), func(c *Consume) *Gap { return &c.Gap }, "What happens when retention deleted the committed offset.", def("stop")),
	at("retry", retryType, func(c *Consume) *Retry { return &c.Retry }, "When a failed record is tried again. Absent means one attempt, then the dead letter topic."),
	at("stuck", duration(time.Second, 7*24*time.Hour), func(c *Consume) *time.Duration { return &c.Stuck }, "How long the first unfinished record of a partition may be in hand before the partition counts as stuck. What waits on purpose does not count.", def("5m")),
	at("dedup", optional(dedupType), func(c *Consume) **Dedup { return &c.Dedup }, "How a repeated record is known."),
	at("breaker", optional(breakerType), func(c *Consume) **Breaker { return &c.Breaker }, "Stop handling for a while after failures in a row."),
	at("bulkhead", integer(1, 10_000), func(c *Consume) *int { return &c.Bulkhead }, "At most so many handlers of this entry at a time, whatever the concurrency. Absent means no bound of its own."),
	at("rate", rate(), func(c *Consume) *Rate { return &c.Rate }, "At most so many records a second for each instance. Absent means unlimited."),
	at("preset", oneOf(Throughput, Latency), func(c *Consume) *Preset { return &c.Preset }, "The fetch settings: throughput waits up to half a second for 64 KiB, latency for nothing.", def("latency")),
	at("protocol", oneOf(Classic, Consumer), func(c *Consume) *Protocol { return &c.Protocol }, "The group protocol: classic, or consumer (KIP-848), where brokers share out the partitions.", def("classic")),
	at("assignment", oneOf(Cooperative, Sticky, Range, RoundRobin), func(c *Consume) *Assignment { return &c.Assignment }, "How a classic group shares out partitions: cooperative (balanced, and only what moves is paused), sticky (balanced, everything is paused), range (neighbours of each topic, can be uneven) or roundrobin (across topics).", def("cooperative")),
	at("static", boolean(), func(c *Consume) *bool { return &c.Static }, "Static membership: an instance that restarts within its session keeps its partitions, and nobody else takes them in the meantime. Instances need names that outlive them, as those of a StatefulSet do.", def("false")),
	at("session", duration(6*time.Second, 30*time.Minute), func(c *Consume) *time.Duration { return &c.Session }, "How long a member may be silent before its partitions are given away. With protocol: consumer it is a setting of the group on the brokers, which a plan makes where it differs from the default; brokers take 45s to 1m there unless they are told otherwise.", def("45s")),
	at("heartbeat", duration(100*time.Millisecond, 10*time.Minute), func(c *Consume) *time.Duration { return &c.Heartbeat }, "How often a member says that it is there, three times a session or more, and learns from the answer whether partitions are shared out anew: a rebalance lasts as long as its slowest member. With protocol: consumer it is a setting of the group on the brokers, which a plan makes where it differs from the default; brokers ask for 5s by themselves, and take 5s to 15s unless they are told otherwise.", def("3s")),
	at("group", aliasNames.typ(), func(c *Consume) *string { return &c.Group }, "A suffix that gives this entry a consumer group of its own.", fixed),
)

var retryType = object(
	at("delays", listOf(duration(time.Millisecond, 7*24*time.Hour)), func(r *Retry) *[]time.Duration { return &r.Delays }, "The wait before each further attempt, ascending. Later records of the key wait too, so its order stays, and no attempt comes early."),
	at("backoff", optional(backoffType), func(r *Retry) **Backoff { return &r.Backoff }, "In place of delays: waits that grow, each drawn between nothing and its full length, so that what failed together is not tried again together."),
	at("inPlace", duration(0, 5*time.Minute), func(r *Retry) *time.Duration { return &r.InPlace }, "The longest wait that is spent in the process, where commits of the partition wait too and a restart begins the attempts anew. Longer ones are spent in the retry topic and survive restarts.", def("5s")),
	at("then", oneOf(DeadLetter, Park, Stop), func(r *Retry) *Then { return &r.Then }, "What follows the last attempt: dead-letter, park (the key waits in order for an operator, other keys flow) or stop.", def("dead-letter")),
)

var backoffType = object(
	at("first", duration(time.Millisecond, 24*time.Hour), func(b *Backoff) *time.Duration { return &b.First }, "The full length of the first wait.", def("1s")),
	at("factor", decimal(1, 10), func(b *Backoff) *float64 { return &b.Factor }, "What the full length of each wait is multiplied by for the next one.", def("2")),
	at("max", duration(time.Millisecond, 7*24*time.Hour), func(b *Backoff) *time.Duration { return &b.Max }, "What no full length exceeds.", def("30s")),
	at("attempts", integer(1, 1000), func(b *Backoff) *int { return &b.Attempts }, "How many further attempts there are, after the first one.", def("4")),
	at("budget", duration(time.Millisecond, 30*24*time.Hour), func(b *Backoff) *time.Duration { return &b.Budget }, "How long after the first failure another attempt may begin.", def("5m")),
)

var dedupType = object(
	at("by", matching("header:<name> or field:<name>", `^(header|field):[^\s:]+$`, 255, `write "header:ce_id" or "field:event_id", in quotes`), func(d *Dedup) *string { return &d.By }, "What identifies a record: a header or a field of the value.", required, fixed),
	at("ttl", duration(time.Second, 365*24*time.Hour), func(d *Dedup) *time.Duration { return &d.TTL }, "How long it is remembered.", def("1d")),
)

var breakerType = object(
	at("failures", integer(1, 1_000_000), func(b *Breaker) *int { return &b.Failures }, "Failures in a row that open it.", def("5")),
	at("open", duration(time.Millisecond, 24*time.Hour), func(b *Breaker) *time.Duration { return &b.Open }, "How long it stays open.", def("1m")),
	at("probes", integer(1, 1000), func(b *Breaker) *int { return &b.Probes }, "How many attempts are made when it has been open, one at a time; all of them must succeed before it closes.", def("1")),
)

var sloType = object(
	at("lag", count(1, 1_000_000_000_000), func(s *SLO) *int64 { return &s.Lag }, "The most records the service may be behind."),
	at("freshness", freshnessType, func(s *SLO) *SLO { return s }, "How old a record may be when it has been handled."),
	at("success", percent(0, 1), func(s *SLO) *float64 { return &s.Success }, "The share of records that are handled without a dead letter."),
)

var freshnessType = object(
	at("p99", duration(time.Millisecond, 365*24*time.Hour), func(s *SLO) *time.Duration { return &s.FreshnessP99 }, "The age that 99 of 100 records stay below."),
)

var workloadType = object(
	at("image", matching("container image", `^[^\s]+$`, 500, "write registry/name, with :tag or @digest if it is fixed"), func(w *Workload) *string { return &w.Image }, "The container image."),
	at("cpu", cpu(), func(w *Workload) *MilliCPU { return &w.CPU }, "The share of cores, as Kubernetes writes it.", def("500m")),
	at("memory", memory(), func(w *Workload) *Bytes { return &w.Memory }, "The memory, as Kubernetes writes it.", def("128Mi")),
	at("scale", scaleType, func(w *Workload) *Scale { return &w.Scale }, "The number of instances."),
	at("http", integer(1, 65535), func(w *Workload) *int { return &w.HTTP }, "The port of the service's HTTP API. Absent means none."),
	at("grpc", integer(1, 65535), func(w *Workload) *int { return &w.GRPC }, "The port of the service's gRPC API. Absent means none."),
	at("probe", oneOf(ProbeMetadata, ProbeWrite), func(w *Workload) *Probe { return &w.Probe }, "How readiness finds out whether records would be acknowledged: metadata asks how the topics stand, write also writes a small record every ten seconds to a topic of its own that is derived, svc-<service>-<environment>.probe, never to a business topic.", def("metadata")),
	at("volume", bytesBetween(1024*kib, 64*1024*gib), func(w *Workload) *Bytes { return &w.Volume }, "The size of the volume that each instance has for what it keeps on disk. Absent means 2GiB where the contract keeps something there, and none elsewhere."),
	at("egress", mapOf(peerNames, peerType, func(p *Peer, name string) { p.Name = name }), func(w *Workload) *map[string]*Peer { return &w.Egress }, "What the service calls beside Kafka, the schema registry and the collector, such as its database: a namespace with pods, or networks, and the ports."),
	at("access", optional(accessType), func(w *Workload) **Access { return &w.Access }, "Who may call the service's ports. Absent means every pod of the namespace."),
)

var scaleType = object(
	at("min", integer(0, 10_000), func(s *Scale) *int { return &s.Min }, "The fewest instances.", def("1")),
	at("max", auto(1, 10_000), func(s *Scale) *int { return &s.Max }, "The most instances; auto is as many as the partitions can use.", def("auto")),
)

var launchType = object(
	at("canary", listOf(percent(0.0001, 1)), func(l *Launch) *[]float64 { return &l.Canary }, "The shares of traffic a new version gets, one after the other, ascending to 100%.", def("100%")),
	at("bake", duration(0, 7*24*time.Hour), func(l *Launch) *time.Duration { return &l.Bake }, "How long each share is watched.", def("2m")),
)

var adoptType = object(
	at("group", kafkaName("consumer group"), func(a *Adopt) *string { return &a.Group }, "The consumer group."),
	at("principal", matching("principal without User:", `^[^\s:*]+$`, 255, "write the name alone, without User: and without *"), func(a *Adopt) *string { return &a.Principal }, "The principal, without User: in front."),
	at("transactionalPrefix", kafkaName("transactional id prefix"), func(a *Adopt) *string { return &a.TransactionalPrefix }, "What every transactional id begins with."),
	at("clientId", kafkaName("client id"), func(a *Adopt) *string { return &a.ClientID }, "The client id."),
)

// kafkaName is a name that a broker keeps as it is: anything without spaces
// that is not a pattern.
func kafkaName(noun string) typ[string] {
	return matching(noun, `^[^\s*]+$`, 255, "write it without spaces and without *")
}
