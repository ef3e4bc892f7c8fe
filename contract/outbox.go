package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// An OutboxRelay says who publishes the rows of a service's outbox.
type OutboxRelay string

// The relays. RelaySlipway is the default.
const (
	RelaySlipway  OutboxRelay = "slipway"  // the service's own instances
	RelayDebezium OutboxRelay = "debezium" // a connector that reads the database's log
)

// An OutboxPolicy is how the rows of topics with via: outbox are published.
type OutboxPolicy struct {
	Relay    OutboxRelay
	Database *OutboxDatabase // the connector's way to it; nil if the file does not say
}

// An OutboxDatabase is where Debezium finds the service's tables.
type OutboxDatabase struct {
	Host     string
	Port     int
	Name     string
	Schema   string // that the tables are in
	User     string
	Password string // a reference that the Connect worker resolves
	TLS      string // in Postgres's words: require, verify-full …
}

// The table of the outbox in slipway.yaml.
var outboxType = object(
	at("relay", oneOf(RelaySlipway, RelayDebezium), func(o *OutboxPolicy) *OutboxRelay { return &o.Relay }, "Who publishes the rows of topics with via: outbox: slipway (the service's instances share the work) or debezium (a connector that is derived as svc-<service>-<environment>.outbox; only Postgres).", def("slipway")),
	at("database", optional(outboxDatabaseType), func(o *OutboxPolicy) **OutboxDatabase { return &o.Database }, "Where the connector finds the service's tables. It logs in as a role of its own, which slipway explain SLP-OBX-034 tells how to make."),
)

var outboxDatabaseType = object(
	at("host", text(253), func(d *OutboxDatabase) *string { return &d.Host }, "The server's name, as the Connect workers reach it."),
	at("port", integer(1, 65535), func(d *OutboxDatabase) *int { return &d.Port }, "Its port.", def("5432")),
	at("name", text(63), func(d *OutboxDatabase) *string { return &d.Name }, "The database."),
	at("schema", text(63), func(d *OutboxDatabase) *string { return &d.Schema }, "The schema that the tables are in.", def("public")),
	at("user", text(63), func(d *OutboxDatabase) *string { return &d.User }, "The role that the connector logs in as: LOGIN, REPLICATION, and SELECT on slipway_outbox."),
	at("password", secretReference, func(d *OutboxDatabase) *string { return &d.Password }, "A reference to its password that the Connect workers resolve, such as ${file:/etc/secrets/db:password}."),
	at("tls", oneOf("disable", "prefer", "require", "verify-ca", "verify-full"), func(d *OutboxDatabase) *string { return &d.TLS }, "How the connection is secured, in Postgres's words.", def("require")),
)

// secretReference is a secret that somebody else resolves. What is written
// instead of one is not repeated: it may be the secret.
var secretReference = typ[string]{&kind{
	shape: &shape{name: "reference", like: `"${file:/etc/secrets/db:password}"`, schema: map[string]any{"type": "string", "pattern": reference.String(), "maxLength": 2000}, bounds: "at most 2000 characters"},
	read: func(d *decoder, n *node, into any) {
		if n.kind != scalarNode || n.scalar() == nullScalar {
			d.wrongType(n, "a reference", "write ${file:/path:key}, in quotes")
			return
		}
		if len([]rune(n.text)) > 2000 || !reference.MatchString(n.text) {
			d.fault(n.at, diag.ContractValue, "write ${file:/path:key}, in quotes", "the value is no reference to a secret, and contracts hold none")
			return
		}
		*into.(*string) = n.text
	},
}}

// outboxConnector is the local name of the connector that relays an outbox.
const outboxConnector = "outbox"

// RelaysByDebezium reports whether a connector publishes the service's outbox:
// the service itself then writes rows and no records.
func (s *Service) RelaysByDebezium() bool {
	return s.Outbox != nil && s.Outbox.Relay == RelayDebezium && len(s.outboxTopics()) > 0
}

// outboxTopics are the topics whose records go through the database, sorted.
func (s *Service) outboxTopics() []string {
	var topics []string
	for name, p := range s.Produces {
		if p.Via == Outbox {
			topics = append(topics, name)
		}
	}
	slices.Sort(topics)
	return topics
}

// OutboxSlot is the name of the replication slot, and of the publication, that
// Debezium reads the outbox through: at most 63 characters of a-z, 0-9 and _.
func (s *Service) OutboxSlot() string {
	return "slipway_" + strings.ReplaceAll(s.Name+"_"+s.Env, "-", "_")
}

// OutboxHeartbeatTopic is where Debezium's heartbeats go. Kafka Connect notes
// how far a connector is only with records that it has written.
func (s *Service) OutboxHeartbeatTopic() string {
	return join(s.Identity(), outboxConnector, "heartbeat")
}

// OutboxRights are the statements that a database's owner runs once, so that
// the connector may read the outbox and nothing else.
func (s *Service) OutboxRights() []string {
	if !s.RelaysByDebezium() || s.Outbox.Database == nil {
		return nil
	}
	d := s.Outbox.Database
	table := quoteSQL(d.Schema) + ".slipway_outbox"
	return []string{
		fmt.Sprintf("CREATE ROLE %s WITH LOGIN REPLICATION PASSWORD '…';", quoteSQL(d.User)),
		fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", quoteSQL(d.Schema), quoteSQL(d.User)),
		fmt.Sprintf("GRANT SELECT ON %s TO %s;", table, quoteSQL(d.User)),
		fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (publish = 'insert');", s.OutboxSlot(), table),
	}
}

func quoteSQL(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// deriveOutbox adds the connector that relays the outbox to those of the
// contract. It is called once the environment is known.
func (s *Service) deriveOutbox() {
	if !s.RelaysByDebezium() || s.Outbox.Database == nil || s.Connectors[outboxConnector] != nil {
		return
	}
	s.Connectors = maps.Clone(s.Connectors)
	if s.Connectors == nil {
		s.Connectors = map[string]*Connector{}
	}
	alias := cmp.Or(s.Produces[s.outboxTopics()[0]].Cluster, DefaultAlias)
	s.Connectors[outboxConnector] = &Connector{Name: outboxConnector, Cluster: alias, Derived: true, Config: s.outboxSettings()}
}

// outboxSettings are those of Debezium's connector for Postgres with its event
// router, for the table that package outbox describes: the record has the row's
// topic, key and payload as they are and the headers of an event. Rows are
// taken from the log as they are committed. Heartbeats go to a topic of their
// own and move the slot on while the outbox is idle and others write, so that
// the server need not keep its log.
func (s *Service) outboxSettings() map[string]string {
	d := s.Outbox.Database
	const (
		binary = "io.debezium.converters.BinaryDataConverter" // bytes as they are; what is none, by the delegate
		json   = "org.apache.kafka.connect.json.JsonConverter"
	)
	return map[string]string{
		ConnectorClass:                        "io.debezium.connector.postgresql.PostgresConnector",
		"tasks.max":                           "1",
		"plugin.name":                         "pgoutput",
		"database.hostname":                   d.Host,
		"database.port":                       strconv.Itoa(d.Port),
		"database.dbname":                     d.Name,
		"database.user":                       d.User,
		"database.password":                   d.Password,
		"database.sslmode":                    d.TLS,
		"topic.prefix":                        s.Identity(),
		"slot.name":                           s.OutboxSlot(),
		"publication.name":                    s.OutboxSlot(),
		"publication.autocreate.mode":         "disabled",
		"table.include.list":                  d.Schema + ".slipway_outbox",
		"snapshot.mode":                       "initial",
		"tombstones.on.delete":                "false",
		"skipped.operations":                  "u,d,t",
		"snapshot.select.statement.overrides": d.Schema + ".slipway_outbox",
		"snapshot.select.statement.overrides." + d.Schema + ".slipway_outbox": "SELECT * FROM " + quoteSQL(d.Schema) + ".slipway_outbox ORDER BY seq",
		"binary.handling.mode":        "bytes",
		"extended.headers.enabled":    "false",
		"heartbeat.interval.ms":       "10000",
		"heartbeat.action.query":      "SELECT pg_logical_emit_message(false, 'slipway', '')",
		"message.prefix.exclude.list": "slipway",

		"key.converter":                                          binary,
		"key.converter.delegate.converter.type":                  json,
		"key.converter.delegate.converter.type.schemas.enable":   "false",
		"value.converter":                                        binary,
		"value.converter.delegate.converter.type":                json,
		"value.converter.delegate.converter.type.schemas.enable": "false",
		"header.converter":                                       "org.apache.kafka.connect.storage.StringConverter",

		"predicates":                                          "heartbeat",
		"predicates.heartbeat.type":                           "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
		"predicates.heartbeat.pattern":                        `__debezium-heartbeat\..*`,
		"transforms":                                          "heartbeat,outbox,id",
		"transforms.heartbeat.type":                           "org.apache.kafka.connect.transforms.RegexRouter",
		"transforms.heartbeat.regex":                          ".*",
		"transforms.heartbeat.replacement":                    s.OutboxHeartbeatTopic(),
		"transforms.heartbeat.predicate":                      "heartbeat",
		"transforms.outbox.type":                              "io.debezium.transforms.outbox.EventRouter",
		"transforms.outbox.table.field.event.id":              "id",
		"transforms.outbox.table.field.event.key":             "aggregateid",
		"transforms.outbox.table.field.event.payload":         "payload",
		"transforms.outbox.table.fields.additional.placement": "id:header:ce_id,source:header:ce_source,type:header:ce_type,occurred:header:ce_time,specversion:header:ce_specversion,mime:header:content-type,trace:header:traceparent",
		"transforms.outbox.route.by.field":                    "aggregatetype",
		"transforms.outbox.route.topic.regex":                 "(?<routedByValue>.*)",
		"transforms.outbox.route.topic.replacement":           "${routedByValue}",
		"transforms.outbox.route.tombstone.on.empty.payload":  "true",
		"transforms.id.type":                                  "org.apache.kafka.connect.transforms.DropHeaders",
		"transforms.id.headers":                               "id",
	}
}

// outbox judges what is written of the outbox, in any environment.
func (f *faults) outbox() {
	o := f.service.Outbox
	if o == nil {
		return
	}
	topics := f.service.outboxTopics()
	if len(topics) == 0 {
		f.warn(diag.OutboxUnused, "outbox", "", "the service has an outbox and produces no topic via: outbox")
		return
	}
	if o.Relay != RelayDebezium {
		return
	}
	if f.service.Connectors[outboxConnector] != nil && !f.service.Connectors[outboxConnector].Derived {
		f.add(diag.OutboxConnector, "connectors/"+outboxConnector, "give it another name", "connector %s is the one that is derived from outbox.relay: debezium", outboxConnector)
	}
	first := f.service.Produces[topics[0]]
	for _, name := range topics {
		p, own := f.service.Produces[name], f.service.Topics[name]
		if p.Cluster != first.Cluster {
			f.add(diag.OutboxConnector, "produces/"+name, "use relay: slipway, or one cluster", "one connector writes to one cluster, and %s is on %s while %s is on %s", topics[0], first.Cluster, name, p.Cluster)
		}
		if own != nil && own.Partitioner != Java {
			f.add(diag.OutboxConnector, "topics/"+name+"/partitioner", "use relay: slipway", "%s has its keys placed as %s does it, and Debezium places them as java does", name, own.Partitioner)
		}
		if own != nil && own.Key.Field == "" {
			f.add(diag.OutboxConnector, "topics/"+name, "give the topic a key, or use relay: slipway", "%s has no key, and Debezium's event router writes none but the row's for a row without", name)
		}
	}
}

// outboxIn judges what has to be there once the environment is known.
func (f *faults) outboxIn() {
	if !f.service.RelaysByDebezium() {
		return
	}
	d := f.service.Outbox.Database
	if d == nil {
		d = &OutboxDatabase{}
	}
	var missing []string
	for name, value := range map[string]string{"host": d.Host, "name": d.Name, "user": d.User, "password": d.Password} {
		if value == "" {
			missing = append(missing, name)
		}
	}
	if slices.Sort(missing); len(missing) > 0 {
		f.add(diag.OutboxConnector, "outbox", "", "in environment %s outbox.database has no %s", f.service.Env, strings.Join(missing, ", "))
	}
}

// outboxOn judges the cluster that the connector would run on.
func (f *faults) outboxOn(r *Resolved) {
	if !f.service.RelaysByDebezium() {
		return
	}
	alias := f.service.Produces[f.service.outboxTopics()[0]].Cluster
	cluster := r.ClusterName(alias)
	entry := r.Cluster(cluster)
	switch {
	case entry == nil: // told elsewhere
	case entry.Connect == nil:
		f.add(diag.OutboxConnector, "outbox/relay", fmt.Sprintf("write environments: {%s: {outbox: {relay: slipway}}}, or connect: for the cluster in clusters.yaml", r.Env),
			"in environment %s the outbox's relay is Debezium, and cluster %s has no Kafka Connect to run it", r.Env, cluster)
	case entry.Connect.Principal == "":
		f.warn(diag.OutboxConnector, "outbox/relay", "write connect: {url: …, principal: <who the workers log in as>} for the cluster in clusters.yaml",
			"cluster %s does not say who its Kafka Connect writes as, so nobody is given the right to write %s", cluster, strings.Join(f.service.outboxTopics(), ", "))
	}
}
