// Package hook tells other people's servers how orders ended.
//
// A subscription is an address, a secret and the events that are wanted. An
// order's end becomes one delivery for each endpoint that wants it, and the
// deliveries go through a topic of the service's own, keyed by endpoint. That
// gives each endpoint a queue without a line of code for it: its deliveries stay
// in order, a receiver that is down is tried again after the contract's delays,
// then parked, and all other endpoints go on meanwhile.
//
// # What is posted
//
// Requests follow the Standard Webhooks convention:
//
//	webhook-id: msg_…                 the same in every attempt
//	webhook-timestamp: 1767225600     when this attempt was made
//	webhook-signature: v1,BASE64      HMAC-SHA256 of "id.timestamp.body" under the secret
//
// Any 2xx answer finishes a delivery. 410 Gone ends the subscription. Everything
// else, redirects too, is a failure and tried again. A request is outside of any
// transaction, so a receiver may be told twice; the id tells it.
//
// # Secrets
//
// The secret lies in the service's database and nowhere else: not in a topic,
// not in an answer of the API, not in a log.
package hook
