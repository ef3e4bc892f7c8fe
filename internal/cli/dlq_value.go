package cli

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/proto"
)

// decoded is a letter's value as the cluster's schema registry helps to read it;
// nil where it does not: there is no registry, or none that answers, or the
// value is not what its header says, which may be why it is here. A registry
// that refuses is told of.
func (a *app) decoded(ctx context.Context, l *letters, letter *dlq.Letter) *view.Decoded {
	id, payload, err := schema.SplitHeader(letter.Record.Value)
	if err != nil {
		return nil
	}
	registry, err := l.endpoint.registryAdmin(false)
	if err == nil && registry == nil {
		return nil
	}
	d := &view.Decoded{Schema: id}
	if err == nil {
		d.Format, d.Value, err = decode(ctx, registry.(schema.Registry), id, payload)
	}
	if err != nil {
		a.warn(warnings(err))
		return nil
	}
	return d
}

// decode is a value as JSON.
func decode(ctx context.Context, registry schema.Registry, id int, payload []byte) (format string, value []byte, err error) {
	text, err := registry.Text(ctx, id)
	if err != nil {
		return "", nil, err
	}
	source, err := schema.Resolve(ctx, registry, text)
	if err != nil {
		return "", nil, err
	}
	switch {
	case text.Format == "avro":
		value, err = avro.JSON(source, payload)
	case text.Format == "protobuf":
		value, err = proto.JSON(source, payload)
	case text.Format == "json" && json.Valid(payload):
		value = payload
	default:
		err = diag.New(diag.DLQUndecoded, "a value of schema %d, which is of format %s, cannot be shown decoded", id, text.Format)
	}
	if err != nil && len(diag.Of(err)) == 0 {
		err = diag.New(diag.DLQUndecoded, "the value does not fit schema %d that it names: %v", id, err)
	}
	return text.Format, value, err
}

// warnings is what an error says, as something that the command goes on with.
func warnings(err error) diag.List {
	list := slices.Clone(diag.Of(err))
	for i := range list {
		list[i].Severity = diag.Warning
	}
	return list
}
