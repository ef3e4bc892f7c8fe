package proto

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/slipway-go/slipway/schema"
)

// JSON returns a value as JSON, under the schema that it was written with: for
// people who look at one record, whatever Go type it was meant for.
func JSON(writer schema.Source, data []byte) ([]byte, error) {
	file, err := Parse(writer)
	if err != nil {
		return nil, err
	}
	written, payload, err := split(file, data)
	if err != nil {
		return nil, fmt.Errorf("decode protobuf: %w", err)
	}
	m := dynamicpb.NewMessage(written)
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(payload, m); err != nil {
		return nil, fmt.Errorf("decode protobuf: %w", err)
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write as JSON: %w", err)
	}
	return text, nil
}
