package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// Where keys of consumption stand: for all entries, and for one below entries.
const (
	allEntries = "kafka.consumer"
	entries    = "consumes"
)

const day = 24 * time.Hour

// surroundings are the keys of where a service runs. Each has the variable of
// its bare name too.
var surroundings = []Key{
	{Name: "bootstrap.servers", kind: list(), Doc: "The brokers' addresses, host:port."},
	{Name: "tls.ca.path", kind: text(), Doc: "The PEM file of the authorities that sign the brokers' certificates."},
	{Name: "tls.cert.path", kind: text(), Doc: "The PEM file of the service's certificate, for mutual TLS."},
	{Name: "tls.key.path", kind: text(), Doc: "The PEM file of the certificate's key."},
	{Name: "acl.principal", kind: text(), Doc: "Who the service is to Kafka. It is asserted against the contract and chooses nothing."},
	{Name: "sasl.password.path", kind: text(), Doc: "The file with the service's password, for SCRAM."},
	{Name: "schema.registry.url", kind: text(), Doc: "The schema registry."},
	{Name: "schema.registry.auth.path", kind: text(), Doc: "The file with user:password for the schema registry."},
	{Name: "database.url", kind: text(), Secret: true, Doc: "The service's database."},
	{Name: "topic.prefix", kind: text(), Doc: "What keeps environments on one cluster apart."},
	{Name: "spill.path", kind: text(), Doc: "A directory of this instance's own, where records wait while the cluster is away or for their due time."},
	{Name: "kafka.admin.create-topics", kind: boolean(), Default: "false", Doc: "Whether brokers create a topic that is missing when it is first written. In dev only."},
	{Name: "shutdown.timeout", kind: duration(time.Millisecond, day), Default: "30s", Doc: "How long the service may take to stop."},
	{Name: "listen.host", kind: text(), Doc: "The address that the contract's ports are served at. None means all."},
	{Name: "health.address", kind: text(), Doc: "host:port where probes and /metrics are served if the contract has no workload.http. None means nowhere."},
	{Name: "admin.address", kind: text(), Doc: "host:port where the service listens for whoever operates it. None means nowhere."},
	{Name: "admin.token.path", kind: text(), Doc: "The file with the token that the admin endpoint asks for."},
	{Name: "admin.cert.path", kind: text(), Doc: "The PEM file of the admin endpoint's certificate, for mutual TLS."},
	{Name: "admin.key.path", kind: text(), Doc: "The PEM file of that certificate's key."},
	{Name: "admin.client.ca.path", kind: text(), Doc: "The PEM file of the authorities that sign the operators' certificates."},
	{Name: "admin.principals", kind: list(), Doc: "The common names of the operators' certificates. None means all that those authorities vouch for."},
	{Name: "log.level", kind: words("debug", "info", "warn", "error"), Default: "info", Live: true, Doc: "The least level that is logged."},
	{Name: "log.format", kind: words("text", "json"), Default: "text", Doc: "How log lines are written."},
}

// below the alias of a cluster stand the keys that say how that cluster is
// reached, where it is not the default one.
const clusters = "clusters"

// reaching are the keys of the surroundings that every cluster has.
var reaching = []string{
	"bootstrap.servers", "tls.ca.path", "tls.cert.path", "tls.key.path", "sasl.password.path",
	"schema.registry.url", "schema.registry.auth.path", "topic.prefix",
}

// clusterKeys are the keys of a cluster.
func clusterKeys(alias string) []Key {
	var all []Key
	for _, of := range surroundings {
		if !slices.Contains(reaching, of.Name) {
			continue
		}
		name := clusters + "." + alias + "." + of.Name
		bare := variable(clusters) + "_" + variable(alias) + "_" + variable(of.Name)
		if alias == aliasTemplate {
			bare = variable(clusters) + "_<ALIAS>_" + variable(of.Name)
		}
		k := Key{
			Name: name, kind: of.kind, cluster: alias, path: append([]string{clusters, alias}, strings.Split(of.Name, ".")...),
			Variables: []string{prefix + bare, bare},
			Doc:       of.Doc + " Of a cluster other than the default one; what is not said is as it is there.",
		}
		switch of.Name {
		case "bootstrap.servers":
			k.Doc = "The addresses of the brokers of a cluster other than the default one, host:port. Needed for each that the contract names."
		case "topic.prefix":
			k.Doc = "What keeps environments on that cluster apart. None means none, whatever the default cluster has."
		}
		all = append(all, k.described())
	}
	return all
}

// A consuming is a key of how entries are consumed, for all of them or for one.
type consuming struct {
	name    string
	kind    *kind
	initial string // what a contract that says nothing means
	live    bool
	single  bool   // for one entry only
	part    string // of the contract's entry
	of      func(*contract.Consume) string
	doc     string
}

var consumption = []consuming{
	{name: "concurrency", kind: integer(1, 10_000), initial: "16", live: true, part: "concurrency",
		of:  func(c *contract.Consume) string { return positive(c.Concurrency) },
		doc: "How many records an instance handles at a time."},
	{name: "bulkhead", kind: integer(0, 10_000), initial: "0", live: true, part: "bulkhead",
		of:  func(c *contract.Consume) string { return strconv.Itoa(c.Bulkhead) },
		doc: "At most so many handlers at a time, whatever the concurrency; 0 is no bound."},
	{name: "rate", kind: rate(1e9), initial: "0/s", live: true, part: "rate",
		of:  func(c *contract.Consume) string { return c.Rate.String() },
		doc: "At most so many records a second for each instance; 0/s is no bound."},
	{name: "timeout", kind: duration(time.Millisecond, day), initial: "10s", live: true, part: "timeout",
		of:  func(c *contract.Consume) string { return lasting(c.Timeout) },
		doc: "How long one attempt may take."},
	{name: "paused", kind: boolean(), initial: "false", live: true,
		doc: "Whether fetching and handling stand still."},
	{name: "held", kind: list(), live: true, single: true,
		doc: "The keys whose records stay where they are. A measure for minutes: what is behind them cannot be committed for good."},
	{name: "preset", kind: words(string(contract.Latency), string(contract.Throughput)), initial: "latency", part: "preset",
		of:  func(c *contract.Consume) string { return string(c.Preset) },
		doc: "The fetch settings: throughput waits for data to come together, latency does not."},
	{name: "retry.first", kind: duration(time.Millisecond, day), initial: "1s", part: "retry/backoff/first",
		of:  backoff(func(b *contract.Backoff) string { return lasting(b.First) }),
		doc: "The full length of the first wait before another attempt. Any of retry makes waits grow, in place of listed delays."},
	{name: "retry.factor", kind: number(1, 10), initial: "2", part: "retry/backoff/factor",
		of:  backoff(func(b *contract.Backoff) string { return strconv.FormatFloat(b.Factor, 'f', -1, 64) }),
		doc: "What each full length is multiplied by for the next."},
	{name: "retry.max", kind: duration(time.Millisecond, 7*day), initial: "30s", part: "retry/backoff/max",
		of:  backoff(func(b *contract.Backoff) string { return lasting(b.Max) }),
		doc: "What no full length exceeds."},
	{name: "retry.attempts", kind: integer(1, 1000), initial: "4", part: "retry/backoff/attempts",
		of:  backoff(func(b *contract.Backoff) string { return positive(b.Attempts) }),
		doc: "How many further attempts there are, after the first one."},
	{name: "retry.budget", kind: duration(time.Millisecond, 30*day), initial: "5m", part: "retry/backoff/budget",
		of:  backoff(func(b *contract.Backoff) string { return lasting(b.Budget) }),
		doc: "How long after the first failure another attempt may begin."},
	{name: "breaker.failures", kind: integer(1, 1_000_000), initial: "5", part: "breaker/failures",
		of:  breaker(func(b *contract.Breaker) string { return positive(b.Failures) }),
		doc: "Failures in a row that stop handling for a while. Any of breaker sets one up where the contract has none."},
	{name: "breaker.open", kind: duration(time.Millisecond, day), initial: "1m", part: "breaker/open",
		of:  breaker(func(b *contract.Breaker) string { return lasting(b.Open) }),
		doc: "How long it stops."},
}

// forAll is the key for all entries.
func (c consuming) forAll() Key {
	name := allEntries + "." + c.name
	return Key{
		Name: name, Default: c.initial, Live: c.live, Doc: c.doc + " For all entries that do not say so themselves.",
		Variables: []string{prefix + variable(name)}, path: strings.Split(name, "."), kind: c.kind,
	}.described()
}

// forEntry is the key for one entry.
func (c consuming) forEntry(entry string) Key {
	name := entries + "." + entry + "." + c.name
	k := Key{
		Name: name, Default: c.initial, Live: c.live, Doc: c.doc,
		Variables: []string{prefix + variable(entries) + "_" + variable(entry) + "_" + variable(c.name)},
		entry:     entry,
		path:      append([]string{entries, entry}, strings.Split(c.name, ".")...), kind: c.kind, part: c.part, of: c.of,
	}
	if entry == template {
		k.Variables[0] = prefix + variable(entries) + "_<ENTRY>_" + variable(c.name)
	}
	if !c.single {
		k.whole = allEntries + "." + c.name
	}
	return k.described()
}

func backoff(of func(*contract.Backoff) string) func(*contract.Consume) string {
	return func(c *contract.Consume) string {
		if c.Retry.Backoff == nil {
			return ""
		}
		return of(c.Retry.Backoff)
	}
}

func breaker(of func(*contract.Breaker) string) func(*contract.Consume) string {
	return func(c *contract.Consume) string {
		if c.Breaker == nil {
			return ""
		}
		return of(c.Breaker)
	}
}

// positive and lasting leave out what a contract built by hand does not say.
func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func lasting(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return contract.FormatDuration(d)
}
