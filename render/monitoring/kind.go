package monitoring

import "time"

// Kinds returns every kind of alert there is, in the order in which one would look
// at them.
func Kinds() []Kind {
	return []Kind{
		successBurnsFast, successBurnsSlowly, freshnessBurnsFast, freshnessBurnsSlowly,
		lagAboveObjective, backlogUnattended, partitionStuck, handlerOverdue, breakerOpen,
		deadLettersWritten, keysParked, recordsLost, commitsFail, transactionsAbort, rebalanceStorm,
		bufferNearlyFull, recordsDropped, producingFails, clusterAway, spillFills, spillRefuses, spillDamaged, spareReplicasGone,
		outboxBehind, outboxStuck, sagaStuck,
		serviceAbsent, instancesMissing, healthCheckFails, aclDenied,
		certificateEnds, certificateNotRenewed, authorityEnds, certificateReloadFails, revocationListOverdue,
		credentialFormer, credentialRefused, credentialUnreadable,
		configRejected, configPending, lagExportBlind,
	}
}

// The alerts on objectives.
var (
	successBurnsFast     = Kind{"success-budget-burns-fast", Page, 2 * time.Minute, "records of {{ $labels.topic }} fail so often that the error budget is gone within days", "Records end as dead letters or parked, at a rate that breaks the objective slo.success."}
	successBurnsSlowly   = Kind{"success-budget-burns-slowly", Ticket, time.Hour, "records of {{ $labels.topic }} fail more often than the objective allows", "Records end as dead letters or parked, few at a time, but over days more than slo.success allows."}
	freshnessBurnsFast   = Kind{"freshness-budget-burns-fast", Page, 2 * time.Minute, "records of {{ $labels.topic }} are handled so late that the error budget is gone within days", "Records are older than slo.freshness allows when they have been handled, at a rate that breaks the objective."}
	freshnessBurnsSlowly = Kind{"freshness-budget-burns-slowly", Ticket, time.Hour, "records of {{ $labels.topic }} are handled late more often than the objective allows", "Records are older than slo.freshness allows when they have been handled, few at a time, but over days too many."}
)

// The alerts on consumption.
var (
	lagAboveObjective  = Kind{"lag-above-objective", Page, 5 * time.Minute, "{{ $labels.consumer_group }} is further behind in {{ $labels.topic }} than slo.lag allows", "Records come in faster than the service handles them, or it handles none."}
	backlogUnattended  = Kind{"backlog-unattended", Page, 5 * time.Minute, "records of {{ $labels.topic }} wait for {{ $labels.consumer_group }} and no instance tells of them", "The brokers have records for the group, and no instance of the service exports a lag: they are down, or not scraped."}
	partitionStuck     = Kind{"partition-stuck", Page, 5 * time.Minute, "partition {{ $labels.partition }} of {{ $labels.topic }} does not move: {{ $labels.status }}", "Records behind the first one of the partition wait, and the frontier does not move."}
	handlerOverdue     = Kind{"handler-overdue", Ticket, 2 * time.Minute, "a handler of {{ $labels.topic }} does not return", "A handler goes on although its timeout and grace are over. Its key waits; the log has the stack."}
	breakerOpen        = Kind{"breaker-open", Page, 2 * time.Minute, "the breaker of {{ $labels.topic }} is open", "So many attempts have failed in a row that handling waits: what the handler needs is down."}
	deadLettersWritten = Kind{"dead-letters-written", Ticket, 0, "records of {{ $labels.topic }} became dead letters: {{ $labels.reason }}", "Records could not be handled and lie in the dead-letter topic until somebody looks at them."}
	keysParked         = Kind{"keys-parked", Ticket, 5 * time.Minute, "keys of {{ $labels.topic }} are parked and wait for an operator", "All records of a parked key wait, in order, until somebody lets the key go on or skips its first record."}
	recordsLost        = Kind{"records-lost-to-retention", Page, 0, "records of {{ $labels.topic }} were deleted before they were read: {{ $labels.source }}", "The committed offset was no longer in the log, and the contract says to go on behind the gap. What lay in it is gone."}
	commitsFail        = Kind{"commits-fail", Page, 5 * time.Minute, "{{ $labels.consumer_group }} cannot commit offsets", "Records are handled and it is not noted: what has been done since will be done again after a restart."}
	transactionsAbort  = Kind{"transactions-abort", Page, 5 * time.Minute, "transactions of {{ $labels.consumer_group }} abort and none commits", "Nothing that the service does in transactions takes effect."}
	rebalanceStorm     = Kind{"rebalance-storm", Ticket, 0, "instances of {{ $labels.consumer_group }} lose and get partitions again and again", "With every handover partitions stand still for a moment and records may be handled again."}
)

// The alerts on production.
var (
	bufferNearlyFull  = Kind{"buffer-nearly-full", Page, time.Minute, "the buffer of {{ $labels.topic }} is nearly full", "The cluster acknowledges more slowly than the service writes. When the buffer is full the contract's fallback begins: senders wait, records go to disk, or are refused."}
	recordsDropped    = Kind{"records-dropped", Page, 0, "records for {{ $labels.topic }} are refused: {{ $labels.reason }}", "Records did not go into the buffer. Each was an error at its sender."}
	producingFails    = Kind{"producing-fails", Page, 0, "records for {{ $labels.topic }} were not written: {{ $labels.result }}", "Records were taken and the cluster did not take them, or it is not known whether it did. Each was an error at its sender."}
	clusterAway       = Kind{"cluster-away", Page, 2 * time.Minute, "the cluster acknowledges nothing of {{ $labels.topic }}", "No broker takes records of the topic. The contract's fallback has begun."}
	spillFills        = Kind{"spill-fills", Page, time.Minute, "what is kept on disk for {{ $labels.topic }} has used half of its bound", "Records wait on disk for the cluster. Once the bound in bytes or age is reached, further ones are refused."}
	spillRefuses      = Kind{"spill-refuses", Page, 0, "records for {{ $labels.topic }} are not accepted on disk: {{ $labels.reason }}", "The bound of the contract is reached, or the disk fails. Each record was an error at its sender."}
	spillDamaged      = Kind{"spill-damaged", Ticket, 0, "records on disk for {{ $labels.topic }} were found damaged", "Bytes failed their checksum and were set aside. What they held was not written."}
	spareReplicasGone = Kind{"spare-replicas-gone", Ticket, 5 * time.Minute, "{{ $labels.topic }} has no in-sync replica to spare", "The next broker that fails stops writes. There were more within the last day."}
	outboxBehind      = Kind{"outbox-behind", Page, 5 * time.Minute, "rows of the outbox wait for minutes to be published", "What is committed in the database is not on the cluster yet."}
	outboxStuck       = Kind{"outbox-stuck", Page, 5 * time.Minute, "keys of the outbox wait for a row that the cluster refuses", "A row cannot be published as it is. The later rows of its key wait behind it, all others flow."}
	sagaStuck         = Kind{"saga-stuck", Page, 0, "sagas {{ $labels.saga_name }} are stuck", "A step or a compensation has failed for good. What was done is neither finished nor undone until somebody decides."}
)

// The alerts on the process and what it is given.
var (
	serviceAbsent          = Kind{"service-absent", Page, 5 * time.Minute, "no instance answers", "Prometheus reaches no instance of the service. All other alerts on it are blind."}
	instancesMissing       = Kind{"instances-missing", Ticket, 15 * time.Minute, "fewer instances answer than the contract has at least", "Some instances are down or not scraped. The others carry their load."}
	healthCheckFails       = Kind{"health-check-fails", Page, 5 * time.Minute, "the check {{ $labels.check }} fails", "The service takes no new traffic as long as a check fails; the probe /readyz says why."}
	aclDenied              = Kind{"acl-denied", Page, time.Minute, "the cluster denies {{ $labels.operation }} on {{ $labels.resource_type }} {{ $labels.resource }}", "A right that the contract implies is not there. What needs it waits and goes on by itself after the grant."}
	certificateEnds        = Kind{"certificate-ends", Page, 0, "the certificate has less than a twentieth of its lifetime left", "When it has ended, no connection to the cluster can be made, and open ones end."}
	certificateNotRenewed  = Kind{"certificate-not-renewed", Ticket, time.Hour, "the certificate has less than a fifth of its lifetime left and nobody renews it", "It should have been renewed by now."}
	authorityEnds          = Kind{"authority-ends", Ticket, time.Hour, "an authority that is trusted ends within 90 days", "Certificates of brokers that it has signed will not be trusted any more."}
	certificateReloadFails = Kind{"certificate-reload-fails", Ticket, 0, "a change of certificates could not be used", "What was there before is kept, and will end."}
	revocationListOverdue  = Kind{"revocation-list-overdue", Ticket, time.Hour, "a revocation list is overdue", "What was revoked since is still let in."}
	credentialFormer       = Kind{"credential-former", Page, 5 * time.Minute, "the service is logged in with a password that is no longer in any file", "Open connections live; the next login after a restart or a lost connection is refused."}
	credentialRefused      = Kind{"credential-refused", Page, 0, "the cluster refuses the service's login", "Without a login nothing is read or written on new connections."}
	credentialUnreadable   = Kind{"credential-unreadable", Ticket, 5 * time.Minute, "the file with the password cannot be used", "The one read before is kept; after a restart there is none."}
	configRejected         = Kind{"config-rejected", Ticket, time.Minute, "the configuration in the files is refused", "The service goes on with what it had. A restart would fail."}
	configPending          = Kind{"config-pending", Ticket, time.Hour, "settings wait for a restart", "What is configured and what is in force differ in settings that cannot change in a running service."}
	lagExportBlind         = Kind{"lag-export-blind", Ticket, 5 * time.Minute, "the lag exporter does not see the cluster", "Lag as the brokers see it is not known: nobody would be told of records that wait while all instances are down."}
)
