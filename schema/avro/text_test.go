package avro_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

func TestAValueIsReadAsJSONWhateverItsType(t *testing.T) {
	t.Parallel()
	const order = `{"type": "record", "name": "Order", "fields": [
		{"name": "id", "type": "string"}, {"name": "items", "type": {"type": "array", "items": "int"}}, {"name": "note", "type": ["null", "string"]}]}`
	for name, tt := range map[string]struct {
		schema, data, want, fault string
	}{
		"a record":               {order, "\x06o-1\x04\x02\x04\x00\x02\x04hi", `{"id":"o-1","items":[1,2],"note":"hi"}`, ""},
		"an array in two blocks": {order, "\x06o-1\x02\x02\x02\x04\x00\x00", `{"id":"o-1","items":[1,2],"note":null}`, ""},
		"no record":              {`"long"`, "\x08", "4", ""},
		"bytes left over":        {`"long"`, "\x08\x00", "", "left over"},
		"cut off":                {order, "\x06o", "", "decode avro"},
		"an endless array":       {`{"type": "array", "items": "null"}`, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "", "decode avro"},
		"no schema":              {`{`, "", "", "parse avro schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := avro.JSON(schema.Source{Schema: tt.schema}, []byte(tt.data))
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("JSON() = %s, %v, want %q", got, err, tt.fault)
				}
				return
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("JSON() = %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}
