// Package plan makes a cluster what an estate's contracts call for.
//
// [Derive] is the desired state of one cluster in one environment: topics,
// SCRAM users, quotas, ACLs, settings of groups, schema subjects, connectors of
// Kafka Connect. It is a pure function of the resolved estate, and every item knows the contract entries it follows
// from. [Read] is the actual state, of the same names only. [Diff] compares the
// two and yields a [Plan]: changes in a fixed order, each with a class and its
// reasons. [Apply] makes the changes.
//
// The contracts are authoritative, with one limit: nothing is deleted that was
// not named. What exists and no contract mentions is left alone, settings of a
// topic that the contract is silent about included. Of a surveyed cluster
// ([Actual.Survey]) a plan lists beside its changes what is the estate's by its
// name and no contract declares: the [Orphan]s. [Plan.Deleting] makes deletions
// of those that are named, one by one, and what contracts call for or protect,
// what others own and what belongs to whoever applies can never be named.
//
// A change is
//
//   - safe, if nothing that runs can notice it;
//   - disruptive, if running services can, such as more partitions under a
//     keyed topic;
//   - destructive, if it deletes records, such as a shorter retention;
//   - impossible, if Kafka cannot do it, such as fewer partitions.
//
// [Guard] refuses a plan that holds disruptive or destructive changes which
// were not allowed by name, or impossible ones: the whole of it, so that a
// refused plan has changed nothing. A plan against another cluster than the
// pinned one is refused already by Diff.
//
// A consumed stream brings topics of the service with it: a dead-letter topic,
// and a retry topic, where its records wait for another attempt or for an
// operator, and where an operator sends dead letters back to. One that stops at
// its first failure has neither. The retry topic has the partitions of its source, whoever owns that,
// and grows before it does; no plan lets a broker delete from it, and one that
// does is set back. Derived topics take at least what their source takes.
//
// Apply goes through topics, users, quotas, ACLs, settings of groups,
// compatibility levels, schemas and connectors in this order, so that whatever a change builds on is
// there. It goes on past failures and reports each: an estate is not held up
// by its worst contract.
// Making a change twice is making it once, so after a failure, or a crash, the
// remedy is to plan and apply again. There is no state file; the cluster is
// the state.
//
// A plan can be kept in a file ([Save]) and applied later. The file is believed
// in nothing: whoever applies it derives and looks again, and [Check] refuses
// it unless contracts, cluster and changes are what they were. [Lock] keeps two
// applies to one environment from working at once.
//
// [Explain] answers why a name exists.
package plan
