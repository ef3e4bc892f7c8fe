package slipway

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/record"
)

// deadLetter is a record's copy for the dead-letter topic: key, value and
// headers as they were, with the evidence of why it is there. Evidence that the
// record came with is left out: it is an earlier death's, or forged.
func (c *consumer) deadLetter(w *work) *kgo.Record {
	headers := make([]kgo.RecordHeader, 0, len(w.rec.Headers)+16)
	for _, h := range w.rec.Headers {
		if !record.Evidence(h.Key) {
			headers = append(headers, h)
		}
	}
	set := func(key, value string) { headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(value)}) }
	set(record.ErrorTopic, w.rec.Topic)
	set(record.ErrorPartition, strconv.Itoa(int(w.rec.Partition)))
	set(record.ErrorOffset, strconv.FormatInt(w.rec.Offset, 10))
	set(record.ErrorGroup, c.group)
	set(record.ErrorDeliveryCount, strconv.Itoa(w.fails))
	set(record.ErrorMessage, record.Cut(w.verdict.Error(), record.MaxMessage))
	set(record.Reason, w.reason)
	set(record.Class, fmt.Sprintf("%T", root(w.verdict)))
	set(record.LastFailure, time.Now().UTC().Format(time.RFC3339Nano))
	if !w.first.IsZero() {
		set(record.FirstFailure, w.first.UTC().Format(time.RFC3339Nano))
	}
	if w.life() != "" {
		set(record.Life, w.life())
		set(record.Epoch, strconv.Itoa(int(w.rec.LeaderEpoch)))
	}
	if w.fromRetry() {
		set(record.Redrives, strconv.Itoa(w.head.Redrives))
	}
	set(record.Timestamp, w.rec.Timestamp.UTC().Format(time.RFC3339Nano))
	if p, ok := errors.AsType[*panicked](w.verdict); ok {
		set(record.Stack, p.stack)
	}
	return &kgo.Record{Topic: w.partition.entry.dead, Key: w.rec.Key, Value: w.rec.Value, Headers: headers}
}

// life is the life of the record's ticket.
func (w *work) life() string {
	if w.fromRetry() {
		return w.head.Ticket.Life
	}
	if w.trouble.life != "" {
		return w.trouble.life
	}
	if w.partition.yard == nil {
		return ""
	}
	return w.partition.yard.life
}

// root is the error that others were wrapped around.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
