// Package saga runs work that several services do step by step, and undoes it
// when it cannot be finished.
//
// A [Definition] is a list of steps. A step sends a command to a topic and waits
// for the answer that belongs to it; it may have a compensation, which is sent
// when a later step fails. The [Orchestrator] keeps every saga in the service's
// own database: a transition, the command it sends (by the outbox), the timer it
// sets and the inbox row of the event that caused it are one commit. So a saga
// is where its row says it is, whatever crashes.
//
// # States
//
//	running ──► completed
//	   │
//	   ▼ a step is refused, or not answered in time
//	compensating ──► compensated
//	   │
//	   ▼ a compensation does not come through
//	stuck, until an answer comes after all, or an operator helps
//
// Steps are undone in reverse order. One that was refused was not done; one that
// was not answered may have been, so it is undone too: a compensation must bear
// that there is nothing to undo, and then keep a late command from being done.
// Once the pivot is done a saga only goes forward: its steps are asked for
// again, and where that does not help the saga is stuck. A pivot that is not
// answered makes a saga stuck as well, since nobody knows whether it may be
// undone.
//
// A compensated saga that learns only then that a step was done after all is
// undone again. Nothing else leaves a final state.
//
// # Commands
//
// A command carries the saga's id, the step and an idempotency key, which is its
// event id too ([Ref]). The key stays the same for as long as nobody answers, so
// that a participant with an inbox does once what it is asked for twice. After a
// refusal it changes: nothing was done, and the next attempt is a new one.
//
// # Answers
//
// Answers are records of any topic that the service consumes. [Handle] turns one
// into an [Event], by a business key that it carries anyway or by the [Ref] that
// the participant echoes ([Echo]); participants need not know of sagas. An event
// that comes twice, late, for a step that is not there or otherwise than before
// is noted in the saga's history with the reason and changes nothing. One that
// is early is kept: its step is not asked for when its turn comes. One about a
// saga that is not known is skipped.
//
// # Timers and operators
//
// A saga waits for one thing at a time, so its timer is a column of its row. Any
// instance may fire it, one does; it is never early, and at most [DefaultPoll]
// late. One that was due while nothing ran waits once more: the answer may lie
// in its topic. What an operator wants ([Log.Retry], [Log.Compensate], [Log.Settle]) is
// a row too: it waits for an instance that runs, and history tells who ordered
// it. [Log] and the CLI's saga commands read the same tables, running service or
// not.
//
// # Traces
//
// A transition belongs to the trace of the call or the record that caused it, and
// so does the command it sends. A timer and an operator's order begin a trace that
// links to the one that the saga was started in.
//
// # Isolation
//
// A saga has none: others see what it has done before it is over. A state in the
// service's own table that says so ("pending"), which is written in the
// transaction of [Orchestrator.Start] and replaced in [Definition.Ended], is the
// lock: others do not touch a pending row.
//
// Choreography needs none of this: it is consumers and an outbox.
package saga
