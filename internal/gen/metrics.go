package main

import (
	"fmt"
	"strings"
)

// A metric is one that a service or the lag exporter exports, as Prometheus names
// it. Tests of the root package compare these with what a service really exports,
// and internal/arch with what the code makes.
type metric struct {
	name, kind, unit, labels string
	meaning                  string // in Markdown, as is alert
	alert                    string // the runbooks of the alerts made of it, or what to look for
}

// A section is a part of the page of metrics.
type section struct {
	title, before, after string
	metrics              []metric
}

func metricsPage() string {
	var b strings.Builder
	b.WriteString("# Metrics\n\nGenerated from the list in internal/gen; run `make generate` after a change.\n")
	for _, s := range metricSections {
		if s.title != "" {
			fmt.Fprintf(&b, "\n## %s\n", s.title)
		}
		if s.before != "" {
			fmt.Fprintf(&b, "\n%s\n", s.before)
		}
		b.WriteString("\n| metric | type | unit | labels | meaning | alert |\n|---|---|---|---|---|---|\n")
		for _, m := range s.metrics {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", m.name, m.kind, m.unit, m.labels, m.meaning, m.alert)
		}
		if s.after != "" {
			fmt.Fprintf(&b, "\n%s\n", s.after)
		}
	}
	return b.String()
}

var metricSections = []section{
	{
		before: "What a service measures of itself, on the OpenTelemetry metric API, and what the\n" +
			"lag exporter tells of it. The tables name each metric as Prometheus has it; in\n" +
			"OpenTelemetry dots stand for underscores, and neither `_total` nor a unit is part\n" +
			"of the name. A service exports them once its program sets a meter provider, which\n" +
			"[telemetry](../telemetry.md) does; until then they cost next to nothing.\n" +
			"\n" +
			"Labels are bounded by the contract and the number of partitions: no key, header\n" +
			"or message is ever one. `consumer_group` and `topic` are the names on the cluster\n" +
			"unless a row says otherwise. A series of a cluster other than the default one has\n" +
			"`kafka_cluster`, its [alias](../several-clusters.md), beside the labels below. Which\n" +
			"service and environment a series is of, the scrape says: see\n" +
			"[monitoring](../monitoring.md).\n" +
			"\n" +
			"The last column leads to the alerts that `slipway render prometheus` makes of a\n" +
			"metric, or else says what to look for. A service that has died tells nothing: its\n" +
			"lag is known from the brokers' side as well, see below. Memory and CPU of the\n" +
			"container are cAdvisor's to measure.",
		after: "`kafka_message_processing_duration_seconds` is what the conventions call\n" +
			"`messaging.process.duration`. It is recorded once, under the name above; a view\n" +
			"of the OpenTelemetry SDK can rename it. The bound of `slo.freshness` is always an\n" +
			"edge of the buckets of `kafka_consumer_freshness_seconds`, so that the share of\n" +
			"records that keep it is exact.",
		metrics: []metric{
			{`business_messages_processed_total`, `counter`, `messages`, `topic, status`, "Records by what became of them, over all groups: the statuses are the results below. `topic` is the contract's name", ``},
			{`kafka_acl_denied_total`, `counter`, `refusals`, `topic, operation, resource_type, resource`, "Refusals of a right that the contract implies. `topic` is the topic's name on the cluster, empty for groups and transactional ids", "`increase(…[5m]) > 0`: [what to do](../runbook-denied.md)"},
			{`kafka_acl_missing`, `gauge`, `rights`, `topic, operation, resource_type, resource`, `1 while the right lacks; what needs it waits, and goes on by itself after the grant`, `[acl-denied](../runbooks/acl-denied.md)`},
			{`kafka_consumer_breaker_opened_total`, `counter`, `times`, `consumer_group, topic`, `How often the breaker has opened`, "`increase(…[15m]) > 3`: what the handler needs is down, or comes and goes"},
			{`kafka_consumer_breaker_state`, `gauge`, `breakers`, `consumer_group, topic, state`, "1 for the state it has: `closed`, `half-open` or `open`", `[breaker-open](../runbooks/breaker-open.md)`},
			{`kafka_consumer_commits_total`, `counter`, `commits`, `consumer_group, result`, "Commits of offsets: `ok` or `failed`", `[commits-fail](../runbooks/commits-fail.md)`},
			{`kafka_consumer_deadletters_age_seconds`, `gauge`, `seconds`, `consumer_group, topic`, `Age of the oldest record in the dead-letter topic`, `above the time in which somebody has to look`},
			{`kafka_consumer_deadletters_depth`, `gauge`, `records`, `consumer_group, topic`, `Records in the dead-letter topic, those already redriven included; looked up every 30 s, no value where that fails`, "`> 0` for 1 h"},
			{`kafka_consumer_deadletters_written_total`, `counter`, `records`, `consumer_group, topic, reason`, `Dead letters that were acknowledged`, `[dead-letters-written](../runbooks/dead-letters-written.md)`},
			{`kafka_consumer_freshness_seconds`, `histogram`, `seconds`, `consumer_group, topic`, "How old a record was when it was finished. Only where the contract states `slo.freshness`", `[freshness-budget-burns-fast](../runbooks/freshness-budget-burns-fast.md), [freshness-budget-burns-slowly](../runbooks/freshness-budget-burns-slowly.md)`},
			{`kafka_consumer_handlers_overdue`, `gauge`, `handlers`, `consumer_group, topic`, `Handlers that have not returned although their timeout and grace are over`, `[handler-overdue](../runbooks/handler-overdue.md)`},
			{`kafka_consumer_handlers_running`, `gauge`, `handlers`, `consumer_group, topic`, `Handlers that run`, "at `concurrency` while lag grows: the handlers are too slow or too few"},
			{`kafka_consumer_head_age_seconds`, `gauge`, `seconds`, `consumer_group, topic, partition`, `How long the record at the frontier is open already; 0 if there is none`, `above the longest retry delay plus the timeout: the partition is stuck`},
			{`kafka_consumer_held_age_seconds`, `gauge`, `seconds`, `consumer_group, topic, state`, `How long ago the first record of the oldest key of the state failed first, or the key was parked by hand; 0 for none, and no value where that is not known`, "`{state=\"parked\"}` above the time in which an operator has to act"},
			{`kafka_consumer_held_keys`, `gauge`, `keys`, `consumer_group, topic, state`, "Keys whose first record is `waiting` for its retry, or `parked` for an operator", `[keys-parked](../runbooks/keys-parked.md)`},
			{`kafka_consumer_held_records`, `gauge`, `records`, `consumer_group, topic, state`, `Records of these keys, those behind the first included`, `growing for 1 h`},
			{`kafka_consumer_lag`, `gauge`, `records`, `consumer_group, topic, partition`, `Records between the committed offset and the end of the partition`, `[lag-above-objective](../runbooks/lag-above-objective.md), [backlog-unattended](../runbooks/backlog-unattended.md)`},
			{`kafka_consumer_lag_time_seconds`, `gauge`, `seconds`, `consumer_group, topic, partition`, `How long ago the end of the partition lay where the committed offset is now`, `above the freshness that the service promises`},
			{`kafka_consumer_lanes`, `gauge`, `lanes`, `consumer_group, topic`, `Lanes that hold something: how many records could run at once`, ``},
			{`kafka_consumer_messages_processed_total`, `counter`, `messages`, `consumer_group, topic, result`, "Records by what became of them after an attempt: `ok`, `retried`, `dead-lettered`, `rejected`, `skipped` (by its handler, or by an operator), `parked`. A record that was retried counts again at its next attempt", `[success-budget-burns-fast](../runbooks/success-budget-burns-fast.md), [success-budget-burns-slowly](../runbooks/success-budget-burns-slowly.md)`},
			{`kafka_consumer_open_bytes`, `gauge`, `bytes`, `consumer_group, topic`, `Bytes of the open records`, ``},
			{`kafka_consumer_open_records`, `gauge`, `records`, `consumer_group, topic`, `Records that are queued, waiting or in a handler`, ``},
			{`kafka_consumer_partition_status`, `gauge`, `partitions`, `consumer_group, topic, partition, status`, "1 for the status it has: `ok`, `unsure`, `warn` (moves, and does not catch up), `rewind`, `stall`, `stop`, `err`", `[partition-stuck](../runbooks/partition-stuck.md)`},
			{`kafka_consumer_partitions_assigned`, `gauge`, `partitions`, `consumer_group, topic`, `Partitions that this instance owns`, `sum over the instances below the topic's partitions`},
			{`kafka_consumer_partitions_paused`, `gauge`, `partitions`, `consumer_group, topic`, `Partitions of which fetching is paused, for want of room or because an operator paused the topic`, ``},
			{`kafka_consumer_rebalances_total`, `counter`, `times`, `consumer_group, kind`, "How often partitions were `assigned`, `revoked` or `lost`", `[rebalance-storm](../runbooks/rebalance-storm.md)`},
			{`kafka_consumer_repeats_total`, `counter`, `records`, `consumer_group, topic`, `Finished records that will be handled again after a handover, because the commit's metadata has no room to remember them`, `growing: a record is stuck while thousands behind it finish`},
			{`kafka_consumer_start_offset`, `gauge`, `offsets`, `consumer_group, topic, partition, source`, "Where reading began when the partition was assigned, and what decided: `committed`, `earliest`, `latest`, `gap-earliest`, `gap-latest`, `gap-stop`", `[records-lost-to-retention](../runbooks/records-lost-to-retention.md)`},
			{`kafka_consumer_transactional_id_renewals_total`, `counter`, `times`, `consumer_group`, "How often a transactional id had to be taken anew, because it was not known how a transaction ended. Only where the contract says `via: transaction`", "`increase(…[15m]) > 3`: the transaction coordinator comes and goes, or two instances have one name"},
			{`kafka_consumer_transactions_total`, `counter`, `transactions`, `consumer_group, result`, "Transactions, `committed` or `aborted`; one in doubt is counted once it is known. Only where the contract says `via: transaction`", `[transactions-abort](../runbooks/transactions-abort.md)`},
			{`kafka_consumer_watchdog_hits_total`, `counter`, `handlers`, `consumer_group, topic`, `Handlers that did not return after timeout and grace`, ``},
			{`kafka_message_processing_duration_seconds`, `histogram`, `seconds`, `consumer_group, topic, result, attempt`, "How long an attempt took, by `ok` or `failed` and `first` or `retry`; for a batch handler the batch", "p99 close to the contract's `timeout`"},
			{`messaging_client_consumed_messages_total`, `counter`, `messages`, `messaging_system, messaging_operation_name, messaging_destination_name, messaging_consumer_group_name`, `Records that came from the cluster, named as OpenTelemetry's conventions have it`, ``},
			{`slipway_certificate_connections_ended_total`, `counter`, `connections`, `how`, "Connections that were ended for the age of their certificates: `quiet`, between requests, or `cut`, with requests open, which are sent again", "`increase({how=\"cut\"}[1h]) > 0`: a broker leaves requests unanswered for long"},
			{`slipway_certificate_expiry_seconds`, `gauge`, `seconds`, `which`, "How long until the `own` certificate ends, and the `authority` of the bundle that ends first; below 0 once it has", `[certificate-ends](../runbooks/certificate-ends.md), [certificate-not-renewed](../runbooks/certificate-not-renewed.md), [authority-ends](../runbooks/authority-ends.md)`},
			{`slipway_certificate_lifetime_seconds`, `gauge`, `seconds`, `which`, "How long the `own` certificate is valid in all", `[certificate-ends](../runbooks/certificate-ends.md), [certificate-not-renewed](../runbooks/certificate-not-renewed.md)`},
			{`slipway_certificate_reload_failures_total`, `counter`, `changes`, ``, `Changes of mounted certificates, authorities and revocation lists that could not be used; what was there before is kept`, `[certificate-reload-fails](../runbooks/certificate-reload-fails.md)`},
			{`slipway_certificate_revocation_overdue`, `gauge`, `lists`, ``, `Revocation lists whose next update is overdue; they go on denying what they list`, `[revocation-list-overdue](../runbooks/revocation-list-overdue.md)`},
			{`slipway_config_pending`, `gauge`, `settings`, ``, `Settings that were changed and wait for a restart`, `[config-pending](../runbooks/config-pending.md)`},
			{`slipway_config_rejected`, `gauge`, `configurations`, ``, `1 while the configuration that is there now is refused, and the one before stays in force`, `[config-rejected](../runbooks/config-rejected.md)`},
			{`slipway_config_reloads_total`, `counter`, `changes`, `result`, "Changes of the configuration in the running service, `applied` or `rejected`", ``},
			{`slipway_credential`, `gauge`, `credentials`, `which`, "1 for the one that logged in last: `current`, `next`, or `former`, which is no longer in any file", `[credential-former](../runbooks/credential-former.md)`},
			{`slipway_credential_mounted`, `gauge`, `credentials`, `which`, "1 for each of `current` and `next` whose file can be used now", `[credential-unreadable](../runbooks/credential-unreadable.md)`},
			{`slipway_credential_refused_total`, `counter`, `logins`, ``, `Logins that the cluster did not accept`, `[credential-refused](../runbooks/credential-refused.md)`},
			{`slipway_credential_unread_total`, `counter`, `times`, ``, `How often a credential's file was found unusable and the one before was kept`, "`increase(…[5m]) > 0`"},
			{`slipway_health_check`, `gauge`, `checks`, `check, status`, "How many checks of a kind stand so: `ok`, `warn` or `fail`", `[health-check-fails](../runbooks/health-check-fails.md)`},
		},
	},
	{
		title: `Producing`,
		metrics: []metric{
			{`channel_buffer_full_ratio`, `gauge`, `share`, `topic`, `How full the topic's buffer is, by records or by bytes, whichever is more`, `[buffer-nearly-full](../runbooks/buffer-nearly-full.md)`},
			{`channel_write_dropped_total`, `counter`, `records`, `topic, reason`, "Records that did not go into the buffer: `full` or `away`, each an error at its sender", `[records-dropped](../runbooks/records-dropped.md)`},
			{`channel_write_spilled_total`, `counter`, `records`, `topic`, `Records that were accepted on disk because the cluster was away`, ``},
			{`channel_write_success_total`, `counter`, `records`, `topic`, `Records that went into the buffer`, ``},
			{`kafka_producer_away`, `gauge`, `topics`, `topic`, `1 while the cluster acknowledges nothing of the topic`, `[cluster-away](../runbooks/cluster-away.md)`},
			{`kafka_producer_buffer_bytes`, `gauge`, `bytes`, `topic`, `Bytes of them`, ``},
			{`kafka_producer_buffer_records`, `gauge`, `records`, `topic`, `Records that are not acknowledged`, ``},
			{`kafka_producer_messages_total`, `counter`, `records`, `topic, result`, "What became of the records in the buffer: `written`, `failed`, `uncertain`", `[producing-fails](../runbooks/producing-fails.md)`},
			{`kafka_producer_oldest_age_seconds`, `gauge`, `seconds`, `topic`, `How long the oldest of them waits`, ``},
			{`kafka_producer_replicas_spare`, `gauge`, `replicas`, `topic`, `In-sync replicas beyond what a write needs, of the partition that has fewest`, `[spare-replicas-gone](../runbooks/spare-replicas-gone.md)`},
			{`kafka_producer_scheduled_delivered_total`, `counter`, `records`, `topic`, `Records that the cluster has acknowledged at their time`, ``},
			{`kafka_producer_scheduled_records`, `gauge`, `records`, `topic`, `Records on disk that wait for their time`, ``},
			{`kafka_producer_send_duration_seconds`, `histogram`, `seconds`, `topic, result`, "From the buffer to the acknowledgement, `ok` or `failed`", ``},
			{`kafka_producer_spill_bytes`, `gauge`, `bytes`, `topic`, `What they take on disk`, `[spill-fills](../runbooks/spill-fills.md)`},
			{`kafka_producer_spill_oldest_age_seconds`, `gauge`, `seconds`, `topic`, `How long the oldest of them waits`, `[spill-fills](../runbooks/spill-fills.md)`},
			{`kafka_producer_spill_quarantined_bytes`, `gauge`, `bytes`, `topic`, `Bytes on disk that were found damaged and are set aside`, `[spill-damaged](../runbooks/spill-damaged.md)`},
			{`kafka_producer_spill_records`, `gauge`, `records`, `topic`, `Records on disk that wait for the cluster`, ``},
			{`kafka_producer_spill_refused_total`, `counter`, `records`, `topic, reason`, "Records that were not accepted on disk: `full` or `disk`, each an error at its sender", `[spill-refuses](../runbooks/spill-refuses.md)`},
			{`kafka_producer_spill_replayed_total`, `counter`, `records`, `topic`, `Records from disk that the cluster has acknowledged`, ``},
			{`kafka_producer_waiting`, `gauge`, `senders`, `topic`, `Senders that wait for room in the buffer`, ``},
			{`messaging_client_sent_messages_total`, `counter`, `messages`, `messaging_system, messaging_operation_name, messaging_destination_name`, `Records that were acknowledged, named as OpenTelemetry's conventions have it`, ``},
		},
	},
	{
		title: `Outbox, inbox and sagas`,
		metrics: []metric{
			{`slipway_inbox_duplicates_total`, `counter`, `messages`, ``, `Messages that came again and were done already`, ``},
			{`slipway_inbox_forgotten_total`, `counter`, `ids`, ``, `Ids of messages that were deleted after their time`, ``},
			{`slipway_outbox_backlog`, `gauge`, `rows`, ``, `Rows that wait to be published, at most 100,000`, ``},
			{`slipway_outbox_backlog_age_seconds`, `gauge`, `seconds`, ``, `How old the oldest of them is`, `[outbox-behind](../runbooks/outbox-behind.md)`},
			{`slipway_outbox_database_duration_seconds`, `histogram`, `seconds`, ``, `How long a transaction of the relay took`, ``},
			{`slipway_outbox_leases_lost_total`, `counter`, `leases`, ``, `Shards that another instance took over`, ``},
			{`slipway_outbox_marks_refused_total`, `counter`, `rows`, ``, `Published rows that were not there any more to be deleted, or another instance's`, ``},
			{`slipway_outbox_publish_failed_total`, `counter`, `attempts`, ``, `Attempts to publish a row that failed`, ``},
			{`slipway_outbox_publish_latency_seconds`, `histogram`, `seconds`, ``, `From writing a row to the acknowledgement of its record`, ``},
			{`slipway_outbox_published_total`, `counter`, `rows`, ``, `Rows that were published and deleted`, ``},
			{`slipway_outbox_shards`, `gauge`, `shards`, ``, `Shards that this instance relays, of 16`, ``},
			{`slipway_outbox_stuck`, `gauge`, `keys`, ``, `Keys that wait for a row that the cluster refuses`, `[outbox-stuck](../runbooks/outbox-stuck.md)`},
			{`slipway_saga_oldest_age_seconds`, `gauge`, `seconds`, `saga_name, saga_state`, `How long ago the oldest of them last moved`, ``},
			{`slipway_saga_open`, `gauge`, `sagas`, `saga_name, saga_state`, "Sagas that are not over, in the service's database: `running`, `compensating`, `stuck`", `[saga-stuck](../runbooks/saga-stuck.md)`},
			{`slipway_saga_transitions_total`, `counter`, `transitions`, `saga_name, saga_state`, `Sagas that came into a state, by this instance`, ``},
		},
	},
	{
		title: `Telemetry itself, and the process`,
		metrics: []metric{
			{`go_goroutines`, `gauge`, `goroutines`, ``, `Goroutines; one of those that the Go runtime tells, by telemetry/prometheus`, ``},
			{`process_cpu_seconds_total`, `counter`, `seconds`, ``, `CPU time of the process, by telemetry/prometheus`, ``},
			{`process_resident_memory_bytes`, `gauge`, `bytes`, ``, `Memory of the process, by telemetry/prometheus`, ``},
			{`slipway_telemetry_dropped_total`, `counter`, `spans`, `signal, exporter`, `Spans that were not sent: for want of room in the queue, or because the export failed`, ``},
			{`slipway_telemetry_exports_total`, `counter`, `exports`, `signal, exporter, result`, "Exports by how they ended: `ok` or `failed`", ``},
		},
	},
	{
		title:  `Lag, as the brokers see it`,
		before: "What `slipway lag export` tells, whether a service lives or not.",
		metrics: []metric{
			{`slipway_group_committed_offset`, `gauge`, `offsets`, `consumer_group, topic, partition`, `The offset that the group goes on from`, ``},
			{`slipway_group_lag`, `gauge`, `records`, `consumer_group, topic, partition`, `Records that the group has yet to finish in the partition`, `[backlog-unattended](../runbooks/backlog-unattended.md)`},
			{`slipway_group_lag_seconds`, `gauge`, `seconds`, `consumer_group, topic, partition`, `How long ago the oldest of them was appended; 0 if there is none`, ``},
			{`slipway_group_members`, `gauge`, `members`, `consumer_group`, `Members of the group`, ``},
			{`slipway_group_partition_status`, `gauge`, `partitions`, `consumer_group, topic, partition, status`, "1 for the status that the last looks come to: `ok`, `unsure`, `warn`, `rewind`, `stall`, `stop` or `err`", ``},
			{`slipway_group_retry_lag`, `gauge`, `records`, `consumer_group, topic, partition`, `Records before the group in a retry topic, where waiting is meant`, ``},
			{`slipway_group_state`, `gauge`, `states`, `consumer_group, state`, `1 for the state that the group is in, in Kafka's words; Dead if nobody knows it`, ``},
			{`slipway_lag_export_duration_seconds`, `gauge`, `seconds`, ``, `How long the last look took`, ``},
			{`slipway_lag_export_errors_total`, `counter`, `errors`, ``, `Groups, topics and whole looks that could not be seen`, ``},
			{`slipway_lag_export_last_success_timestamp_seconds`, `gauge`, `seconds`, ``, `When everything was last seen that is exported`, `[lag-export-blind](../runbooks/lag-export-blind.md)`},
			{`slipway_lag_export_unknown_groups`, `gauge`, `groups`, ``, `Groups that the last look did not get to see`, ``},
		},
	},
}
