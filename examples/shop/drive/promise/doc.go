// Package promise holds the shop to what its services promise to whoever calls
// them, over HTTP and nothing else: one order for an idempotency key, stock that
// never falls below zero however many ask for it at once, an order that is paid
// once, webhooks that are tried again and signed, a user of whom three services
// hear, and an audit that knows all of it.
//
// The same suite runs against services in one process on a virtual clock, and
// against a shop that is up ("drive -contract"). It keeps to names of its own, so
// it can run beside other traffic, and as often as one likes.
package promise
