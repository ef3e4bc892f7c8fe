package slipway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// check holds code and contract against each other, without the network.
func (a *App) check() error {
	faults := slices.Clone(a.faults)
	for _, name := range slices.Sorted(maps.Keys(a.contract.Consumes)) {
		c := a.contract.Consumes[name]
		if c.Grouped() && a.handlers[name] == nil {
			faults.Add(diag.New(diag.RuntimeNoHandler, "the contract of %s consumes %q and no code handles it", a.contract.Name, name).
				At(a.contract.Position("consumes/"+name)).
				WithFix("call slipway.Handle(app, %q, …) or remove the entry", name))
		}
		faults = append(faults, a.unsupported(name, c)...)
		faults = append(faults, a.untransactable(name, c)...)
		faults = append(faults, a.undeduplicated(name, c)...)
	}
	faults = append(faults, a.disunited(a.contract.Consumes)...)
	faults = append(faults, a.untriggered()...)
	faults = append(faults, a.unreached()...)
	for _, p := range a.producers {
		faults = append(faults, a.unrelayed(a.contract.Produces[p.topic])...)
	}
	for _, name := range slices.Sorted(maps.Keys(a.contract.Produces)) {
		faults = append(faults, a.unspillable(a.contract.Produces[name])...)
	}
	if want := a.contract.Principal(); a.cfg.Environment.Principal != "" && a.cfg.Environment.Principal != want {
		faults.Add(diag.New(diag.RuntimePrincipalDiffers, "ACL_PRINCIPAL is %q, the contract's principal is %q", a.cfg.Environment.Principal, want))
	}
	return faults.Err()
}

// unsupported names what an entry asks for that this version does not do. A
// policy is never ignored: a service that would not keep it does not start.
func (a *App) unsupported(name string, c *contract.Consume) diag.List {
	var faults diag.List
	refuse := func(asked bool, what, instead string) {
		if asked {
			faults.Add(diag.New(diag.RuntimeUnsupported, "consumes/%s: %s is not supported yet", name, what).
				At(a.contract.Position("consumes/"+name)).WithFix("%s", instead))
		}
	}
	refuse(c.As == contract.Share, "as: share", "use as: stream")
	refuse(c.As == contract.Table && a.handlers[name] != nil, "a handler of an entry with as: table", "read it with slipway.NewReader, or use as: stream")
	return faults
}

// unrelayed finds a topic whose outbox nothing empties.
func (a *App) unrelayed(p *contract.Produce) diag.List {
	var faults diag.List
	path := "produces/" + p.Topic
	if p.Via == contract.Outbox && !a.relayed[p.Topic] {
		faults.Add(diag.New(diag.ProducerUnrelayed, "%s: via: outbox, and nothing relays what is put into it", path).At(a.contract.Position(path)))
	}
	return faults
}

// disunited finds entries that share a group and want it to behave differently:
// a member of a group has one start, one preset, one protocol.
func (a *App) disunited(entries map[string]*contract.Consume) diag.List {
	var faults diag.List
	type membership struct{ cluster, group string }
	first := make(map[membership]string) // its first entry
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		c := entries[name]
		if !c.Grouped() {
			continue
		}
		group := a.contract.GroupID(c)
		of := membership{cmp.Or(c.Cluster, contract.DefaultAlias), group}
		other, seen := first[of]
		if !seen {
			first[of] = name
			continue
		}
		o := entries[other]
		if !united(c, o) {
			faults.Add(diag.New(diag.RuntimeUnsupported, "consumes/%s and consumes/%s share the group %s and differ in start, gap, preset, isolation or membership", other, name, group).
				At(a.contract.Position("consumes/" + name)).WithFix("make them equal, or give one of them a group of its own with group: <suffix>"))
		}
	}
	return faults
}

// united reports whether two entries can share a group.
func united(a, b *contract.Consume) bool {
	return a.Start == b.Start && a.Gap == b.Gap && a.Preset == b.Preset && a.Isolation == b.Isolation &&
		a.Protocol == b.Protocol && a.Assignment == b.Assignment && a.Static == b.Static &&
		a.Session == b.Session && a.Heartbeat == b.Heartbeat
}

// prepare binds every schema, asks the registry for ids, and looks whether the
// contract's topics are there.
func (a *App) prepare(ctx context.Context) error {
	var faults diag.List
	for _, l := range a.links {
		faults = append(faults, diag.Of(l.checkTransactions(ctx))...)
	}
	for _, p := range a.producers {
		if err := a.bindProducer(ctx, p); err != nil {
			faults = append(faults, faultOf(err)...)
		}
		p.settle()
	}
	for _, name := range slices.Sorted(maps.Keys(a.handlers)) {
		if err := a.bindConsumer(ctx, name); err != nil {
			faults = append(faults, faultOf(err)...)
		}
	}
	for _, l := range a.links {
		faults = append(faults, l.missingTopics(ctx)...)
	}
	return faults.Err()
}

func (a *App) bindConsumer(ctx context.Context, name string) error {
	c, h := a.contract.Consumes[name], a.handlers[name]
	l := a.linkOf(c.Cluster)
	r, err := l.newReader(ctx, name, c, h.typ)
	if err != nil {
		return err
	}
	if err := a.checkDedup(name, c, h.typ, r); err != nil {
		return err
	}
	e := &entry{Consume: c, link: l, group: a.contract.GroupID(c), handler: h, reader: r, dead: a.contract.DeadLetterTopic(c)}
	if c.Retries() {
		e.retry = a.contract.RetryTopic(c)
	}
	a.entries[name] = e
	return nil
}

func (a *App) bindProducer(ctx context.Context, p *producer) error {
	produce := a.contract.Produces[p.topic]
	p.physical = p.link.physical(p.topic)
	p.max = maxValue(produce)
	var declared *contract.Schema
	if topic := p.link.own(p.topic); topic != nil {
		p.key, declared = topic.Key, topic.Schema
	}
	if declared == nil {
		p.mime = "application/octet-stream"
		return a.wantBytes(p.typ, "producer of "+p.topic)
	}
	source, err := p.link.source(ctx, declared)
	if err != nil {
		return err
	}
	p.mime = "application/" + string(declared.Format)
	what := "producer of " + p.topic
	if p.binding, err = a.bind(what, declared.Format, source, p.typ); err != nil {
		return err
	}
	if err := a.checkKey(p); err != nil {
		return err
	}
	return p.link.markProducer(ctx, p, declared, source)
}

// checkKey tries the key on an empty value, so that a field that is not there,
// or cannot be a key, is told at start and not by every send.
func (a *App) checkKey(p *producer) error {
	if p.key.Field == "" {
		return nil
	}
	_, err := p.encodeKey(reflect.New(p.typ).Interface())
	if err == nil || errors.Is(err, schema.ErrNilKey) {
		return nil
	}
	return diag.New(diag.RuntimeKeyUnfit, "topics/%s: key %s of format %s does not fit the schema: %v", p.topic, p.key.Field, p.key.Format, err).
		At(a.contract.Position("topics/" + p.topic + "/key"))
}

// bind connects a Go type to a schema, or says what stands in the way.
func (a *App) bind(what string, format contract.Format, source schema.Source, typ reflect.Type) (schema.Binding, error) {
	codec := a.codec(format)
	if codec == nil {
		return nil, diag.New(diag.RuntimeNoCodec, "%s needs the codec for %s, which the program does not link", what, format).
			WithFix("pass the codec of github.com/slipway-go/slipway/schema/%s to serve.Main", codecPackage(format))
	}
	binding, err := codec.Bind(source, typ)
	if err != nil {
		d := diag.New(diag.RuntimeTypeMismatch, "%s: Go type %s cannot hold the schema", what, typ)
		for line := range strings.Lines(err.Error()) {
			d = d.WithEvidence("%s", strings.TrimSpace(line))
		}
		return nil, d
	}
	return binding, nil
}

func (a *App) codec(format contract.Format) schema.Codec {
	i := slices.IndexFunc(a.cfg.Codecs, func(c schema.Codec) bool { return c.Format() == string(format) })
	if i < 0 {
		return nil
	}
	return a.cfg.Codecs[i]
}

// codecPackage is where a format's codec lives.
func codecPackage(format contract.Format) string {
	switch format {
	case contract.JSON:
		return "jsonvalue"
	case contract.Protobuf:
		return "proto"
	default:
		return string(format)
	}
}

// wantBytes checks the type of a topic without a schema.
func (a *App) wantBytes(typ reflect.Type, what string) error {
	if typ == reflect.TypeFor[[]byte]() {
		return nil
	}
	return diag.New(diag.RuntimeTypeMismatch, "%s has no schema and Go type %s", what, typ).
		WithFix("use []byte, or give the topic a schema in the contract")
}

// missingTopics lists the contract's topics that the cluster does not have. In
// dev, where they may be created as they are used, none is missed.
func (l *link) missingTopics(ctx context.Context) diag.List {
	if l.env.CreateTopics {
		return nil
	}
	wanted := make(map[string]string)
	for _, name := range l.consumes() {
		c := l.contract.Consumes[name]
		wanted[l.physical(c.Topic)] = "consumes/" + name
		if c.DeadLetters() {
			wanted[l.contract.DeadLetterTopic(c)] = "consumes/" + name
		}
		if c.Retries() {
			wanted[l.contract.RetryTopic(c)] = "consumes/" + name
		}
	}
	for _, p := range l.producers {
		if p.link == l {
			wanted[p.physical] = "produces/" + p.topic
		}
	}
	var faults diag.List
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for _, topic := range slices.Sorted(maps.Keys(wanted)) {
		if err := l.settled(ctx, topic); err != nil {
			faults.Add(l.topicFault(topic, err).At(l.contract.Position(wanted[topic])))
		}
	}
	return faults
}

// settleTime is how long a broker may take to learn what was applied. Apply
// returns when the controller has a change; a broker asked at once may not.
const settleTime = 5 * time.Second

// settled describes a topic, and again while the answer may be that of a broker
// that has not heard of it yet.
func (l *link) settled(ctx context.Context, topic string) error {
	for {
		err := l.describe(context.WithoutCancel(ctx), topic)
		if !errors.Is(err, kerr.UnknownTopicOrPartition) && !errors.Is(err, kerr.TopicAuthorizationFailed) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (l *link) topicFault(topic string, err error) diag.Diagnostic {
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return diag.New(diag.RuntimeTopicMissing, "topic %s does not exist", topic).WithFix("run slipway apply -e %s", l.env.Name)
	}
	d := l.diagnose(err)
	d.Message = "describe topic " + topic + ": " + d.Message
	return d
}

// faultOf returns what err says as diagnostics; one that carries none becomes
// a wiring failure, so that nothing is swallowed.
func faultOf(err error) diag.List {
	if l := diag.Of(err); len(l) > 0 {
		return l
	}
	return diag.List{diag.New(diag.RuntimeWiringFailed, "%v", err)}
}

// list names the keys of a contract's block for a message.
func list[V any](m map[string]V) string {
	if len(m) == 0 {
		return "nothing"
	}
	return fmt.Sprint(strings.Join(slices.Sorted(maps.Keys(m)), ", "))
}
