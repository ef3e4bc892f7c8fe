package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// faults collects what is wrong with one contract, by element.
type faults struct {
	service *Service
	list    diag.List
}

// add reports an error at an element of the contract. An empty fix leaves the
// catalogue's.
func (f *faults) add(code diag.Code, element, fix, format string, args ...any) {
	d := diag.New(code, "%s: %s", element, fmt.Sprintf(format, args...)).At(f.service.Position(element))
	d.Fix = fix
	f.list.Add(d)
}

// warn is [faults.add] for what works but is likely not meant.
func (f *faults) warn(code diag.Code, element, fix, format string, args ...any) {
	f.add(code, element, fix, format, args...)
	f.list[len(f.list)-1].Severity = diag.Warning
}

// check judges the contract alone, in any environment.
func (s *Service) check() diag.List {
	f := &faults{service: s}
	for _, name := range slices.Sorted(maps.Keys(s.Topics)) {
		f.topic(s.Topics[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Produces)) {
		f.produce(s.Produces[name])
	}
	groups := map[string][]*Consume{}
	for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
		c := s.Consumes[name]
		f.consume(c)
		if c.Grouped() {
			at := c.Group + " on " + cmp.Or(c.Cluster, DefaultAlias)
			groups[at] = append(groups[at], c)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		f.group(groups[group])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Connectors)) {
		f.connector(s.Connectors[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Config)) {
		f.setting(s.Config[name])
	}
	f.outbox()
	f.transactions()
	f.workload()
	return f.list
}

// transactions judges that what goes into one transaction is on one cluster:
// all that the service handles, and all that it produces so.
func (f *faults) transactions() {
	home, first := "", ""
	judge := func(element, alias string) {
		alias = cmp.Or(alias, DefaultAlias)
		switch {
		case first == "":
			home, first = alias, element
		case alias != home:
			f.add(diag.TransactionClusters, element, "", "it is on cluster %s and %s is on %s, and the service produces via: transaction", alias, first, home)
		}
	}
	if !f.service.exact() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(f.service.Produces)) {
		if p := f.service.Produces[name]; p.Via == Transaction {
			judge("produces/"+name, p.Cluster)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.service.Consumes)) {
		if c := f.service.Consumes[name]; c.Grouped() {
			judge("consumes/"+name, c.Cluster)
		}
	}
}

func (f *faults) topic(t *Topic) {
	element := "topics/" + t.Name
	if strings.HasPrefix(t.Name, "svc-") || strings.HasPrefix(t.Name, "__") {
		f.add(diag.ContractReserved, element, "", "%s begins like a name of Slipway's or Kafka's own", t.Name)
	}
	if t.Compact && t.Key.Field == "" {
		f.add(diag.ContractCompact, element+"/compact", "", "%s is compacted but has no key", t.Name)
	}
}

func (f *faults) produce(p *Produce) {
	element := "produces/" + p.Topic
	if p.Via == Outbox && p.Away != Block {
		f.warn(diag.ContractUseless, element+"/away", "remove it, or write via: direct",
			"away: %s has no effect, because the outbox waits in the database", p.Away)
	}
	if p.Via != Transaction && f.service.source.written(element, "oldBrokers") {
		f.warn(diag.ContractUseless, element+"/oldBrokers", "remove it, or write via: transaction",
			"oldBrokers: %s has no effect without transactions", p.OldBrokers)
	}
	f.producing(p, element)
}

func (f *faults) consume(c *Consume) {
	element := "consumes/" + c.Name
	f.retry(c, element)
	switch c.As {
	case Share:
		f.share(c, element)
	case Table:
		f.forbid(diag.ContractTable, element, "a table", "group", "order", "retry", "start", "gap", "protocol", "dedup", "breaker", "concurrency", "bulkhead", "rate",
			"batch", "stuck", "assignment", "static", "session", "heartbeat")
	default:
		f.membership(c, element)
		if c.Retry.Then == Park && c.Order != ByKey {
			f.add(diag.ContractPark, element+"/retry/then", "", "then: park does not go with order: %s", c.Order)
		}
	}
	if c.Bulkhead > c.Concurrency && f.service.source.written(element, "bulkhead") {
		f.warn(diag.ContractUseless, element+"/bulkhead", "", "bulkhead %d is above concurrency %d", c.Bulkhead, c.Concurrency)
	}
	f.dedup(c, element)
}

func (f *faults) share(c *Consume, element string) {
	f.forbid(diag.ContractShare, element, "a share group", "gap", "protocol", "stuck", "assignment", "static", "session", "heartbeat")
	if c.Order != Unordered {
		f.add(diag.ContractShare, element+"/order", "", "as: share does not go with order: %s", c.Order)
	}
	if c.Retry.Then == Park {
		f.add(diag.ContractShare, element+"/retry/then", "write then: dead-letter", "as: share does not go with then: park")
	}
	if c.Start == StartRefuse {
		f.add(diag.ContractShare, element+"/start", "write start: earliest or latest", "as: share does not go with start: refuse")
	}
}

// forbid reports the keys that the file states although they mean nothing.
func (f *faults) forbid(code diag.Code, element, what string, keys ...string) {
	for _, k := range keys {
		if f.service.source.written(element, k) {
			f.add(code, element+"/"+k, "", "%s has no %s", what, k)
		}
	}
}

func (f *faults) dedup(c *Consume, element string) {
	if c.Dedup == nil {
		return
	}
	if waits := c.Retry.Longest(); c.Dedup.TTL <= waits {
		f.warn(diag.ContractDedupTTL, element+"/dedup", fmt.Sprintf("write ttl: %s or more", FormatDuration(2*waits)),
			"the retries take %s, and a record is remembered for %s", FormatDuration(waits), FormatDuration(c.Dedup.TTL))
	}
}

func (f *faults) workload() {
	if w := f.service.Workload; w != nil {
		if w.Scale.Max > 0 && w.Scale.Min > w.Scale.Max {
			f.add(diag.ContractScale, "workload/scale/min", "", "min %d is above max %d", w.Scale.Min, w.Scale.Max)
		}
		if w.HTTP != 0 && w.HTTP == w.GRPC {
			f.add(diag.ContractScale, "workload/grpc", "", "http and grpc are both %d", w.HTTP)
		}
		f.traffic(w)
	}
	if l := f.service.Launch; l != nil && !slices.Contains(l.Canary, 0) && !ascendsToOne(l.Canary) {
		f.add(diag.ContractCanary, "launch/canary", "", "the shares are not ascending, or do not end with 100%%")
	}
}

func ascendsToOne(shares []float64) bool {
	for i := 1; i < len(shares); i++ {
		if shares[i] <= shares[i-1] {
			return false
		}
	}
	return len(shares) > 0 && shares[len(shares)-1] == 1
}

// checkEnvironment judges what depends on the environment's name.
func (s *Service) checkEnvironment() diag.List {
	f := &faults{service: s}
	if s.Auth == Plain && s.Env != "dev" {
		f.add(diag.ContractPlainAuth, "identity/auth", "", "auth: plain in environment %s", s.Env)
	}
	if user := s.RedriveUser(); s.Auth == MTLS && s.DeadLetters() && len(user) > maxCommonName {
		f.add(diag.ContractNameLength, "metadata/name", "shorten the service or the environment", "%s, who redrives dead letters in environment %s, has %d characters, and a certificate takes %d",
			user, s.Env, len(user), maxCommonName)
	}
	f.connectorNamesIn()
	f.outboxIn()
	derived := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
		for _, topic := range s.derivedTopics(s.Consumes[name]) {
			element := "consumes/" + name
			if len(topic) > maxName {
				f.add(diag.ContractNameLength, element, "", "%.60s… in environment %s has %d characters", topic, s.Env, len(topic))
			}
			if other, twice := derived[metricName(topic)]; twice && other != name {
				f.add(diag.EstateDerivedCollision, element, "", "%s would also be derived from %s", topic, other)
			}
			derived[metricName(topic)] = name
		}
	}
	return f.list
}

// maxCommonName is the longest common name of a certificate (X.520).
const maxCommonName = 64

// derivedTopics are the topics that an entry brings with it.
func (s *Service) derivedTopics(c *Consume) []string {
	var topics []string
	if c.Retries() {
		topics = append(topics, s.RetryTopic(c))
	}
	if c.DeadLetters() {
		topics = append(topics, s.DeadLetterTopic(c))
	}
	return topics
}

// metricName is what a topic is called in metrics.
func metricName(topic string) string { return strings.ReplaceAll(topic, ".", "_") }
