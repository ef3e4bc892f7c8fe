package asyncapi

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A model is what both versions of AsyncAPI say.
type model struct {
	info       *contract.Tree
	schemes    []string // types of the security schemes of Kafka's servers
	operations []operation
	channels   []*channel
	elsewhere  []string       // channels that are on no server of Kafka's
	said       *contract.Tree // x-slipway; nil for somebody else's document
}

// A channel is a topic of the document.
type channel struct {
	at       *contract.Tree
	topic    string
	binding  *contract.Tree // Kafka's
	messages []*contract.Tree
	said     *contract.Tree // x-slipway
}

// An operation sends to a channel or receives from one.
type operation struct {
	at       *contract.Tree
	send     bool
	channel  *channel
	messages []*contract.Tree // those of the channel where the operation names none
	binding  *contract.Tree   // Kafka's
	said     *contract.Tree   // x-slipway
}

// model reads the document by its version; nil if it cannot be read.
func (r *reader) model() *model {
	switch v := r.word(r.root, "asyncapi"); {
	case strings.HasPrefix(v, "3."):
		return r.third()
	case regexp.MustCompile(`^2\.[0-6]\.`).MatchString(v):
		return r.second()
	case v == "":
		r.fault(r.root, diag.AsyncAPIVersion, "the file is not an AsyncAPI document: it has no key asyncapi")
	default:
		r.list.Add(diag.New(diag.AsyncAPIVersion, "AsyncAPI %s is not read here", v).At(child(r.root, "asyncapi").At).
			WithFix("save the document as version 3, such as 3.0.0, or as 2.0 to 2.6"))
	}
	return nil
}

// third reads AsyncAPI 3.
func (r *reader) third() *model {
	m := &model{info: r.mapping(r.root, "info"), said: r.mapping(r.root, slipway)}
	servers := r.servers()
	if servers == nil {
		return nil
	}
	byElement := make(map[*contract.Tree]*channel)
	for _, entry := range children(r.mapping(r.root, "channels")) {
		at := r.resolve(entry)
		if at == nil {
			continue
		}
		if at.Kind != contract.TreeMapping {
			r.fault(at, diag.AsyncAPIElement, "channel %s is %s, want a mapping", entry.Key, at.Kind)
			continue
		}
		c := &channel{at: at, binding: r.mapping(at, "bindings", "kafka"), said: r.mapping(at, slipway)}
		for _, message := range children(r.mapping(at, "messages")) {
			c.messages = append(c.messages, r.resolve(message))
		}
		c.messages = slices.DeleteFunc(c.messages, func(t *contract.Tree) bool { return t == nil })
		byElement[at] = c
		if r.elsewhere(servers, items(child(at, "servers"))) {
			m.elsewhere = append(m.elsewhere, entry.Key)
			continue
		}
		address := entry.Key
		if own := child(at, "address"); own != nil {
			address = r.word(at, "address")
		}
		c.topic = r.topic(c, address)
		m.channels = append(m.channels, c)
	}
	for _, entry := range children(r.mapping(r.root, "operations")) {
		if op, ok := r.operation(entry, byElement); ok && op.channel.topic != "" {
			m.operations = append(m.operations, op)
		}
	}
	for server := range servers {
		for _, s := range items(child(server, "security")) {
			m.schemes = append(m.schemes, r.word(r.resolve(s), "type"))
		}
	}
	return m
}

func (r *reader) operation(entry *contract.Tree, channels map[*contract.Tree]*channel) (operation, bool) {
	at := r.resolve(entry)
	if at == nil {
		return operation{}, false
	}
	if at.Kind != contract.TreeMapping {
		r.fault(at, diag.AsyncAPIElement, "operation %s is %s, want a mapping", entry.Key, at.Kind)
		return operation{}, false
	}
	op := operation{at: at, binding: r.mapping(at, "bindings", "kafka"), said: r.mapping(at, slipway)}
	switch action := r.word(at, "action"); action {
	case "send", "receive":
		op.send = action == "send"
	default:
		r.fault(at, diag.AsyncAPIElement, "the action of operation %s is %q, want send or receive", entry.Key, action)
		return operation{}, false
	}
	target := r.resolve(child(at, "channel"))
	if op.channel = channels[target]; op.channel == nil {
		if target != nil || child(at, "channel") == nil {
			r.fault(at, diag.AsyncAPIElement, "operation %s names no channel of the document", entry.Key)
		}
		return operation{}, false
	}
	op.messages = op.channel.messages
	if own := child(at, "messages"); own != nil {
		op.messages = nil
		for _, item := range items(own) {
			if message := r.resolve(item); message != nil {
				op.messages = append(op.messages, message)
			}
		}
	}
	return op, true
}

// second reads AsyncAPI 2, where publish is what others do: the service receives.
func (r *reader) second() *model {
	m := &model{info: r.mapping(r.root, "info"), said: r.mapping(r.root, slipway)}
	servers := r.servers()
	if servers == nil {
		return nil
	}
	for _, entry := range children(r.mapping(r.root, "channels")) {
		at := r.resolve(entry)
		if at == nil || at.Kind != contract.TreeMapping {
			r.fault(entry, diag.AsyncAPIElement, "channel %s is not a mapping", entry.Key)
			continue
		}
		c := &channel{at: at, binding: r.mapping(at, "bindings", "kafka")}
		if r.elsewhere(servers, items(child(at, "servers"))) {
			m.elsewhere = append(m.elsewhere, entry.Key)
			continue
		}
		c.topic = r.topic(c, entry.Key)
		m.channels = append(m.channels, c)
		for _, action := range []string{"subscribe", "publish"} {
			own := r.mapping(at, action)
			if own == nil {
				continue
			}
			op := operation{at: own, send: action == "subscribe", channel: c, binding: r.mapping(own, "bindings", "kafka")}
			message := r.resolve(child(own, "message"))
			if list := items(child(message, "oneOf")); list != nil {
				for _, item := range list {
					op.messages = append(op.messages, r.resolve(item))
				}
			} else if message != nil {
				op.messages = append(op.messages, message)
			}
			op.messages = slices.DeleteFunc(op.messages, func(t *contract.Tree) bool { return t == nil })
			c.messages = append(c.messages, op.messages...)
			m.operations = append(m.operations, op)
		}
	}
	for server := range servers {
		for _, requirement := range items(child(server, "security")) {
			for _, named := range children(requirement) {
				m.schemes = append(m.schemes, r.word(r.root, "components", "securitySchemes", named.Key, "type"))
			}
		}
	}
	return m
}

// servers are those of the document that are Kafka's. A document that has servers
// and none of these is not about Kafka: then there is a fault, and they are nil.
func (r *reader) servers() map[*contract.Tree]bool {
	found := make(map[*contract.Tree]bool)
	var other *contract.Tree
	for _, entry := range children(r.mapping(r.root, "servers")) {
		server := r.resolve(entry)
		if protocol := r.word(server, "protocol"); protocol == "kafka" || protocol == "kafka-secure" {
			found[server] = true
		} else {
			other = entry
		}
	}
	if other != nil && len(found) == 0 {
		r.fault(other, diag.AsyncAPIProtocol, "the document is about %q and not about Kafka", r.word(r.resolve(other), "protocol"))
		return nil
	}
	return found
}

// elsewhere reports whether a channel names servers, by reference or by name, and
// none of them is Kafka's.
func (r *reader) elsewhere(servers map[*contract.Tree]bool, named []*contract.Tree) bool {
	for _, t := range named {
		server := r.resolve(t)
		if t.Kind == contract.TreeText {
			server = r.resolve(child(r.root, "servers", t.Text))
		}
		if servers[server] {
			return false
		}
	}
	return len(named) > 0
}

// topicForm is what the name of a topic may be.
var topicForm = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// topic is the name of a channel's topic as contracts call it.
func (r *reader) topic(c *channel, address string) string {
	name, at := address, cmp.Or(child(c.at, "address"), c.at)
	for _, own := range []string{r.word(c.said, "topic"), r.word(c.binding, "topic")} {
		if own != "" {
			name = own
			break
		}
	}
	switch {
	case name == "":
		r.fault(at, diag.AsyncAPITopic, "the channel has no address")
	case !topicForm.MatchString(name):
		r.fault(at, diag.AsyncAPITopic, "%s is no name of a topic", name)
	}
	return name
}
