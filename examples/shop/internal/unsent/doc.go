// Package unsent ties what a service does in its database to the events it
// receives and sends, so that each happens once.
//
// A [Box] does three things in one transaction ([Box.Do]): it notes the id of
// the event being handled in the inbox, it lets the service change its state,
// and it keeps the events that follow from it in the table unsent. After the
// commit it sends those events and deletes each when the cluster has it.
//
// # What happens on failure
//
//   - Before the commit nothing has happened. The event is handled again.
//   - After the commit everything has happened but the sending. The rows wait
//     in the table: [Box.Resend] sends them before a new life of the service
//     consumes anything, and a loop sends what has been waiting for some
//     seconds, so neither a crash nor a cluster that is away loses an event.
//   - An event that comes again finds its id in the inbox. Its effect is not
//     repeated; only what it left unsent is sent.
//   - A crash between the cluster's answer and the deletion sends an event
//     twice, under the same id. The inbox of whoever reads it knows that id.
//
// So effects happen exactly once, and events are written at least once.
//
// # Order
//
// Events of one key leave in the order in which their transactions committed.
// One that cannot be sent holds back the later ones of its key, and no others.
// That holds within one process: a table shared by several needs a lock in the
// database, which is one reason why this package will make room for Slipway's
// own outbox.
package unsent
