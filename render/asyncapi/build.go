package asyncapi

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// builder makes a contract from a model.
type builder struct {
	*reader
	name string
	out  manifest.Map
	open []string

	from  map[string]diag.Position // where the document says an element of the contract
	files map[string]*source
}

// copied is a part of the document as a part of the contract.
func (b *builder) copied(element string, t *contract.Tree) any {
	b.track(element, t)
	return written(t)
}

// track remembers where a part of the contract came from.
func (b *builder) track(element string, t *contract.Tree) {
	b.from[element] = t.At
	for i, c := range t.Children {
		key := c.Key
		if t.Kind == contract.TreeList {
			key = strconv.Itoa(i)
		}
		b.track(element+"\x00"+key, c)
	}
}

// decide notes what the document leaves open.
func (b *builder) decide(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(b.open, text) {
		b.open = append(b.open, text)
	}
}

func (b *builder) build(m *model) {
	b.takeFiles(m)
	b.out = manifest.Map{
		manifest.E("apiVersion", contract.APIVersion), manifest.E("kind", "Service"),
		manifest.E("metadata", b.metadata(m)),
	}
	if m.said == nil {
		b.identity(m)
	} else if t := child(m.said, "identity"); t != nil {
		b.out = append(b.out, manifest.E("identity", b.copied("identity", t)))
	}
	owned, topics := b.topics(m)
	b.section("topics", topics)
	b.section("produces", b.produces(m))
	b.section("consumes", b.consumes(m, owned))
	for _, c := range children(m.said) {
		switch c.Key {
		case "contract", "files", "identity":
		default:
			b.out = append(b.out, manifest.E(c.Key, b.copied(c.Key, c)))
		}
	}
	if m.said == nil {
		b.adopt(m)
	}
	for _, name := range m.elsewhere {
		b.decide("the channel %s is on no server of Kafka's; it was left out", name)
	}
}

func (b *builder) section(key string, entries manifest.Map) {
	if len(entries) > 0 {
		b.out = append(b.out, manifest.E(key, entries))
	}
}

// undecided stands for the owner that a document does not name.
const undecided = "undecided"

func (b *builder) metadata(m *model) manifest.Map {
	title := b.word(m.info, "title")
	b.from["metadata"] = b.root.At
	for key, path := range map[string][]string{"name": {"title"}, "owner": {"contact", "name"}, "description": {"description"}} {
		if t := child(m.info, path...); t != nil {
			b.from["metadata\x00"+key] = t.At
		}
	}
	b.name = title
	owner, description := b.word(m.info, "contact", "name"), b.word(m.info, "description")
	if m.said == nil {
		if b.name = label(title); b.name != title {
			b.decide("metadata.name: the document is called %q, and a service has a DNS label of at most 40 characters", title)
		}
		if owner == "" {
			owner = undecided
			b.decide("metadata.owner: the team to ask")
		}
		description = strings.Join(strings.Fields(description), " ")
		if runes := []rune(description); len(runes) > 1000 {
			description = string(runes[:1000])
		}
	}
	return manifest.Map{manifest.E("name", text(b.name)), manifest.E("owner", text(owner)),
		manifest.If(description != "", manifest.E("description", text(description)))}
}

// label is a title as the name of a service.
func label(title string) string {
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(title), "-")
	name = strings.TrimLeft(name, "-0123456789")
	return cmp.Or(strings.Trim(name[:min(len(name), 40)], "-"), "service")
}

// identity is how others' servers are logged in to.
func (b *builder) identity(m *model) {
	for _, auth := range []string{string(contract.MTLS), string(contract.SCRAMSHA512), string(contract.SCRAMSHA256)} {
		if slices.Contains(m.schemes, schemeTypes[auth]) {
			b.out = append(b.out, manifest.E("identity", manifest.Map{manifest.E("auth", auth)}))
			return
		}
	}
	b.decide("identity.auth: mtls, which is the default, or scram-sha-512")
}

// topics are those that the service owns, with what the contract says of them. Of
// somebody else's document they are the ones that the service sends to.
func (b *builder) topics(m *model) (owned map[*channel]bool, entries manifest.Map) {
	owned = make(map[*channel]bool)
	seen := make(map[string]bool)
	for _, c := range m.channels {
		sends := slices.ContainsFunc(m.operations, func(op operation) bool { return op.channel == c && op.send })
		if owned[c] = child(c.said, "owns") != nil || m.said == nil && sends; !owned[c] {
			continue
		}
		if seen[c.topic] {
			b.fault(c.at, diag.AsyncAPITopic, "two channels are the topic %s", c.topic)
			continue
		}
		seen[c.topic] = true
		element := "topics\x00" + c.topic
		b.from[element] = c.at.At
		entry := b.sizes(c, element)
		for _, t := range children(child(c.said, "owns")) {
			entry = append(entry, manifest.E(t.Key, b.copied(element+"\x00"+t.Key, t)))
		}
		if m.said == nil {
			b.openTopic(c)
		}
		entry = append(entry, b.schema(m, c, element)...)
		entries = append(entries, manifest.E(c.topic, entry))
	}
	return owned, entries
}

// openTopic notes what AsyncAPI does not say of a topic.
func (b *builder) openTopic(c *channel) {
	if !regexp.MustCompile(contract.DefaultTopicNaming).MatchString(c.topic) {
		b.decide("topics.%s: the name is not of the form that clusters.yaml asks for unless its naming.topic says otherwise", c.topic)
	}
	b.decide("topics.%s.key: the field of the value that is the key, if records of one key are to stay in order", c.topic)
	if child(c.binding, "partitions") == nil {
		b.decide("topics.%s.partitions: the cluster's default, unless it is written here", c.topic)
	}
	if compacts(child(c.binding, "topicConfiguration", "cleanup.policy")) {
		b.decide("topics.%s.compact: true, as the document says, once there is a key", c.topic)
	}
	b.decide("topics.%s.readers: any service, unless some are named", c.topic)
}

// compacts reports whether a cleanup policy keeps the last record of every key.
func compacts(policy *contract.Tree) bool {
	return slices.ContainsFunc(items(policy), func(i *contract.Tree) bool { return i.Text == "compact" })
}

// sizes are what Kafka's binding says of a topic, but for what the contract of its
// owner says otherwise or not at all.
func (b *builder) sizes(c *channel, element string) manifest.Map {
	var entry manifest.Map
	skip := make(map[string]bool)
	for _, t := range children(child(c.said, "owns")) {
		skip[t.Key] = true
	}
	for _, t := range items(child(c.said, "defaults")) {
		skip[t.Text] = true
	}
	add := func(key string, t *contract.Tree, value any) {
		if t != nil && value != nil && !skip[key] {
			b.from[element+"\x00"+key] = t.At
			entry = append(entry, manifest.E(key, value))
		}
	}
	number := func(path ...string) (*contract.Tree, any) {
		t := child(c.binding, path...)
		if t == nil {
			return nil, nil
		}
		n, err := strconv.ParseInt(t.Text, 10, 64)
		if err != nil || t.Kind != contract.TreeInteger {
			b.fault(t, diag.AsyncAPIElement, "%s is %s, want a whole number", path[len(path)-1], t.Kind)
			return nil, nil
		}
		return t, n
	}
	for _, key := range []string{"partitions", "replicas"} {
		t, n := number(key)
		add(key, t, n)
	}
	if t, n := number("topicConfiguration", "retention.ms"); t != nil {
		ms := n.(int64)
		retention := contract.Forever
		if ms >= 0 {
			retention = min(time.Duration(min(ms, contract.MaxDuration.Milliseconds()))*time.Millisecond, contract.MaxDuration)
		}
		add("retention", t, text(contract.FormatDuration(retention)))
	}
	if t := child(c.binding, "topicConfiguration", "cleanup.policy"); child(c.said, "owns") != nil && compacts(t) {
		add("compact", t, true)
	}
	if t, n := number("topicConfiguration", "max.message.bytes"); t != nil {
		add("maxMessage", t, text(contract.Bytes(n.(int64)).String()))
	}
	return entry
}
