package lagexport

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/lag"
)

// keep is how long a partition that is not seen keeps what was seen before, so
// that a broker's restart does not cost the history.
const keep = time.Hour

// A place is one partition as one group reads it.
type place struct {
	group string
	kafka.Partition
}

// A window is what was seen of a place in one life of the topic.
type window struct {
	lag.Window
	topic string // the topic's id
	at    time.Time
}

// findings are what one look comes to.
type findings struct {
	metrics  []prometheus.Metric
	judged   []behind
	first    map[place]behind // of judged: looked at for the first time, with a lag of unknown age
	problems diag.List
	unknown  int
}

func (f *findings) gauge(d *prometheus.Desc, value float64, labels ...string) {
	f.metrics = append(f.metrics, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...))
}

// statuses are the statuses as labels.
var statuses = map[lag.Status]string{
	lag.OK: "ok", lag.Unsure: "unsure", lag.Warn: "warn", lag.Rewind: "rewind",
	lag.Stall: "stall", lag.Stop: "stop", lag.Err: "err",
}

// judge exports what a survey tells of a group.
func (e *Exporter) judge(g Group, s kafka.Survey, f *findings) {
	seen := s.Groups[g.ID]
	f.gauge(stateDesc, 1, g.ID, seen.State)
	f.gauge(membersDesc, float64(len(seen.Members)), g.ID)
	if seen.State == kafka.Dead && len(seen.Positions) == 0 {
		return
	}
	held := map[kafka.Partition]bool{}
	topics := map[string]bool{}
	for topic := range g.Topics {
		topics[topic] = true
	}
	for at := range seen.Positions {
		topics[at.Topic] = true
	}
	for _, m := range seen.Members {
		for _, topic := range m.Topics {
			topics[topic] = true
		}
		for topic, ids := range m.Assigned {
			topics[topic] = true
			for _, id := range ids {
				held[kafka.Partition{Topic: topic, ID: id}] = true
			}
		}
	}
	for topic := range topics {
		for id := range s.Topics[topic].Partitions {
			at := kafka.Partition{Topic: topic, ID: id}
			e.partition(g, s, at, !held[at], f)
		}
	}
}

// A behind is a partition whose lag was judged and is yet to be exported.
type behind struct {
	*window
	labels []string
	lag    int64
	offset int64 // of the oldest record that is not finished
}

// date finds of what time records are that were there before the first look, and
// then exports the seconds of all that was judged. Each is asked about once.
func (e *Exporter) date(ctx context.Context, f *findings) {
	for len(f.first) > 0 { // a partition is asked about at one offset at a time
		undated := map[kafka.Partition]int64{}
		for at, b := range f.first {
			undated[at.Partition] = b.offset
		}
		dates := e.cluster.Dates(ctx, undated)
		for at, b := range f.first {
			if undated[at.Partition] != b.offset {
				continue
			}
			if date, ok := dates[at.Partition]; ok {
				b.Since(date, b.offset)
			}
			delete(f.first, at)
		}
	}
	for _, b := range f.judged {
		seconds, _ := b.Seconds()
		f.gauge(lagDesc, float64(b.lag), b.labels...)
		f.gauge(secondsDesc, seconds, b.labels...)
	}
}

// partition exports what is known of one partition.
func (e *Exporter) partition(g Group, s kafka.Survey, at kafka.Partition, vacant bool, f *findings) {
	b, ok := s.Bounds[at]
	if !ok {
		return // its leader did not answer
	}
	seen, policy := s.Groups[g.ID], g.Topics[at.Topic]
	sample := lag.Sample{At: s.At, Committed: lag.None, Start: b.Start, End: b.End, Vacant: vacant}
	labels := []string{g.ID, at.Topic, strconv.Itoa(int(at.ID))}
	position, committed := seen.Positions[at]
	if committed {
		sample.Committed = position.Offset
		f.gauge(committedDesc, float64(position.Offset), labels...)
	}
	if n, ok := seen.ShareLag[at]; ok { // less what is acknowledged ahead of the start
		sample.Committed, committed = b.End-n, true
	}
	beyond := sample.Committed > b.End
	known := (committed || policy.FromStart) && !beyond
	switch {
	case policy.Retry && known:
		f.gauge(retryDesc, float64(sample.Records()), labels...)
		return
	case policy.Retry || !known && !beyond:
		return
	}
	w := e.window(place{g.ID, at}, s.Topics[at.Topic].ID)
	_, before := w.Last()
	first := !before
	w.Add(sample)
	w.at = s.At
	f.gauge(statusDesc, 1, append(labels, statuses[w.Status()])...)
	if !known {
		return
	}
	judged := behind{w, labels, sample.Records(), max(sample.Committed, sample.Start)}
	f.judged = append(f.judged, judged)
	if _, exact := w.Seconds(); !exact && first {
		f.first[place{g.ID, at}] = judged
	}
}

// window is what was seen of a place. A topic that was deleted and made anew is
// another place.
func (e *Exporter) window(p place, topic string) *window {
	w := e.windows[p]
	if w == nil || w.topic != topic {
		w = &window{topic: topic}
		e.windows[p] = w
	}
	return w
}

// forget drops what has not been seen for long.
func (e *Exporter) forget(now time.Time) {
	for p, w := range e.windows {
		if now.Sub(w.at) > keep {
			delete(e.windows, p)
		}
	}
}
