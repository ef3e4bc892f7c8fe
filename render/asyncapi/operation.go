package asyncapi

import (
	"regexp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// send is one entry of produces.
func (w *writer) send(p *contract.Produce) manifest.Map {
	return manifest.Map{
		manifest.E("action", "send"),
		manifest.E("channel", ref("channels", channelID(p.Topic, p.Cluster))),
		manifest.E("messages", []manifest.Map{ref("channels", channelID(p.Topic, p.Cluster), "messages", p.Topic)}),
		kafka(manifest.E("clientId", w.clientID())),
		manifest.E(slipway, manifest.Map{manifest.E("produces", written(child(w.tree, "produces", p.Topic)))}),
	}
}

// receive is one entry of consumes: one operation, with the topics where records
// wait and end below x-slipway, because nobody else sends there or receives from
// there.
func (w *writer) receive(c *contract.Consume) manifest.Map {
	id, message := channelID(c.Topic, c.Cluster), c.Topic
	if c.Schema != nil {
		message = readersMessage(c.Name)
	}
	bound := manifest.Map{manifest.E("clientId", w.clientID())}
	if c.Grouped() {
		bound = append(manifest.Map{manifest.E("groupId", manifest.Map{manifest.E("type", "string"), manifest.E("enum", []any{text(w.svc.GroupID(c))})})}, bound...)
	}
	said := manifest.Map{manifest.If(c.Name != c.Topic, manifest.E("name", text(c.Name)))}
	var entry any = manifest.Map{}
	if kept := without(child(w.tree, "consumes", c.Name), "schema", "topic"); kept != nil {
		entry = written(kept)
	}
	said = append(said, manifest.E("consumes", entry),
		manifest.If(c.Retries(), manifest.E("retryTopic", text(w.svc.RetryTopic(c))).From("derived; so are the rights to it")),
		manifest.If(c.DeadLetters(), manifest.E("deadLetterTopic", text(w.svc.DeadLetterTopic(c))).From("derived; so are the rights to it")))
	return manifest.Map{
		manifest.E("action", "receive"),
		manifest.E("channel", ref("channels", id)),
		manifest.E("messages", []manifest.Map{ref("channels", id, "messages", message)}),
		kafka(bound...),
		manifest.E(slipway, said),
	}
}

// clientID is the form of the service's client ids, which end in the instance.
func (w *writer) clientID() manifest.Map {
	return manifest.Map{
		manifest.E("type", "string"),
		manifest.E("pattern", text("^"+regexp.QuoteMeta(w.svc.ClientID(""))+`\.`)),
	}
}
