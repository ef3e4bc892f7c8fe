package slipway

import (
	"errors"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/record"
)

// deadLetter is a record's copy for the dead-letter topic: key, value and
// headers as they were, with the evidence of why it is there.
func (c *consumer) deadLetter(w *work) *kgo.Record {
	headers := w.rec.Headers
	set := func(key, value string) { headers = record.Set(headers, key, value) }
	set(record.ErrorTopic, w.rec.Topic)
	set(record.ErrorPartition, strconv.Itoa(int(w.rec.Partition)))
	set(record.ErrorOffset, strconv.FormatInt(w.rec.Offset, 10))
	set(record.ErrorGroup, c.group)
	set(record.ErrorDeliveryCount, strconv.Itoa(w.attempts))
	set(record.ErrorMessage, record.Cut(w.verdict.Error(), record.MaxMessage))
	set(record.Reason, w.reason)
	set(record.Timestamp, w.rec.Timestamp.UTC().Format(time.RFC3339Nano))
	if p, ok := errors.AsType[*panicked](w.verdict); ok {
		set(record.Stack, p.stack)
	}
	return &kgo.Record{Topic: w.partition.entry.dead, Key: w.rec.Key, Value: w.rec.Value, Headers: headers}
}
