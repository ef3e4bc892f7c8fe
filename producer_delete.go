package slipway

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// tombstone fills a record without a value.
func (p *producer) tombstone(ctx context.Context, rec *kgo.Record, headers []kgo.RecordHeader, key string, o *sendOptions) error {
	if p.link.client == nil {
		return ErrNotRunning
	}
	bytes, err := p.deletes(key)
	if err != nil {
		return err
	}
	p.complete(ctx, rec, headers, nil, bytes, o)
	return nil
}

// deletes returns the bytes of a key to delete. It needs a topic of this
// service that keeps the last record of every key: anywhere else a record
// without a value deletes nothing, and readers stumble over it.
func (p *producer) deletes(key string) ([]byte, error) {
	topic := p.link.own(p.topic)
	lacks := ""
	switch {
	case topic == nil:
		lacks = "belongs to another service"
	case topic.Key.Field == "":
		lacks = "has no key"
	case !topic.Compact:
		lacks = "is not compacted"
	case key == "":
		lacks = "has no record with an empty key"
	}
	if lacks != "" {
		return nil, diag.New(diag.ProducerKeyless, "topic %s %s", p.topic, lacks).At(p.app.contract.Position("topics/" + p.topic))
	}
	if p.key.Format == contract.KeyAvro {
		return p.avroKey(key)
	}
	return formatKey([]byte(key), p.key.Format)
}

// avroKey encodes a key that is given as text under the schema of the topic's
// keys.
func (p *producer) avroKey(text string) ([]byte, error) {
	keyer, err := p.keyer()
	if err != nil {
		return nil, err
	}
	source, err := keyer.KeySchema(p.key.Field)
	if err != nil {
		return nil, err
	}
	var typ string
	if err := json.Unmarshal([]byte(source), &typ); err != nil {
		typ = source
	}
	dst := append([]byte(nil), p.frame.key...)
	switch typ {
	case "string", "bytes":
		return append(binary.AppendVarint(dst, int64(len(text))), text...), nil
	case "int", "long":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("key %q is not a number", text)
		}
		return binary.AppendVarint(dst, n), nil
	default:
		return nil, fmt.Errorf("key of the schema %s cannot be made of text", source)
	}
}

// delete writes a tombstone and waits for its acknowledgement.
func (p *producer) delete(ctx context.Context, key string, opts []SendOption) (Receipt, error) {
	var o sendOptions
	for _, opt := range opts {
		opt.apply(&o)
	}
	s := new(parted)
	ctx, s.span = p.trace(ctx, &o)
	if err := p.tombstone(ctx, &s.rec, s.headers[:0], key, &o); err != nil {
		endSend(s.span, nil, err)
		return Receipt{}, fmt.Errorf("delete from %s: %w", p.topic, err)
	}
	return p.wait(ctx, func(done func(Receipt, error)) { p.deliver(ctx, s, &o, done) })
}
