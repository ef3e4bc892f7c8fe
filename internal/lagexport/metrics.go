package lagexport

import (
	"fmt"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
)

var (
	ofPartition = []string{"consumer_group", "topic", "partition"}

	lagDesc       = prometheus.NewDesc("slipway_group_lag", "Records that the group has yet to finish in the partition.", ofPartition, nil)
	secondsDesc   = prometheus.NewDesc("slipway_group_lag_seconds", "How long ago the oldest record was appended that the group has not finished; 0 if there is none.", ofPartition, nil)
	committedDesc = prometheus.NewDesc("slipway_group_committed_offset", "The offset that the group goes on from.", ofPartition, nil)
	statusDesc    = prometheus.NewDesc("slipway_group_partition_status", "1 for the status that the last looks come to: ok, unsure, warn, rewind, stall, stop or err.", append(ofPartition[:3:3], "status"), nil)
	retryDesc     = prometheus.NewDesc("slipway_group_retry_lag", "Records before the group in a retry topic, where waiting is meant.", ofPartition, nil)
	membersDesc   = prometheus.NewDesc("slipway_group_members", "Members of the group.", []string{"consumer_group"}, nil)
	stateDesc     = prometheus.NewDesc("slipway_group_state", "1 for the state that the group is in, in Kafka's words; Dead if nobody knows it.", []string{"consumer_group", "state"}, nil)

	errorsDesc  = prometheus.NewDesc("slipway_lag_export_errors_total", "Groups, topics and whole looks that could not be seen.", nil, nil)
	lastDesc    = prometheus.NewDesc("slipway_lag_export_last_success_timestamp_seconds", "When everything was last seen that is exported.", nil, nil)
	tookDesc    = prometheus.NewDesc("slipway_lag_export_duration_seconds", "How long the last look took.", nil, nil)
	unknownDesc = prometheus.NewDesc("slipway_lag_export_unknown_groups", "Groups that the last look did not get to see.", nil, nil)
)

var _ prometheus.Collector = (*Exporter)(nil)

// Describe implements [prometheus.Collector].
func (e *Exporter) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		lagDesc, secondsDesc, committedDesc, statusDesc, retryDesc, membersDesc, stateDesc,
		errorsDesc, lastDesc, tookDesc, unknownDesc,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector]: it tells the last look.
func (e *Exporter) Collect(ch chan<- prometheus.Metric) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.seen {
		ch <- m
	}
	ch <- prometheus.MustNewConstMetric(errorsDesc, prometheus.CounterValue, float64(e.errors))
	ch <- prometheus.MustNewConstMetric(unknownDesc, prometheus.GaugeValue, float64(e.unknown))
	ch <- prometheus.MustNewConstMetric(tookDesc, prometheus.GaugeValue, e.took.Seconds())
	if !e.last.IsZero() {
		ch <- prometheus.MustNewConstMetric(lastDesc, prometheus.GaugeValue, float64(e.last.UnixMilli())/1e3)
	}
}

// Handler answers scrapes.
func (e *Exporter) Handler() http.Handler {
	return promhttp.HandlerFor(e.registry(), promhttp.HandlerOpts{})
}

// Write writes what a scrape would get, in Prometheus' text format.
func (e *Exporter) Write(w io.Writer) error {
	families, err := e.registry().Gather()
	if err != nil {
		return fmt.Errorf("gather lag: %w", err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("write lag: %w", err)
		}
	}
	return nil
}

func (e *Exporter) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(e)
	return r
}
