// Package saga runs work that several services do step by step, and undoes it
// when it cannot be finished.
//
// A [Definition] is a list of steps. A step sends a command to a topic and waits
// for the reply that belongs to it; a step may have a compensation, which is
// sent when a later step fails. The [Orchestrator] keeps the state of every
// saga in the service's own database: a transition, the commands it sends (by
// the outbox) and the inbox row of the event that caused it are one commit.
// So a saga is where its row says it is, whatever crashes.
//
// # States
//
//	running ──► completed
//	   │
//	   ▼ a step fails or times out
//	compensating ──► compensated
//	   │
//	   ▼ a compensation does not come through
//	stuck, until an operator retries it or declares it done
//
// Steps before the pivot are compensated in reverse order; from the pivot on a
// saga only goes forward and its steps are retried. A step that timed out may
// have been done, so it is compensated too: a compensation must bear that there
// is nothing to undo.
//
// # Events
//
// Every command carries the saga's id, the step's name and an idempotency key
// that stays the same across retries. A reply that comes twice, late (the step
// is over), early (the step has not begun) or for a saga that is not known is
// noted in the saga's history with the reason and changes nothing, except that
// an early one is kept for its step.
//
// Timeouts are rows with a due time, so they survive restarts; any instance may
// fire one. Nothing here is hidden: [Log] lists sagas with their timeline, and
// the CLI's saga commands read and steer the same tables.
//
// Choreography needs none of this: it is consumers and an outbox.
package saga
