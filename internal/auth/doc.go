// Package auth is how a client proves to Kafka who it is, and what it means
// when the proof is refused. The SDK and the engines share it.
//
// [Mechanism] builds the SASL mechanism that a contract's auth asks for.
// Passwords come through a function, so that a rotated one is used at the next
// connection. A [Keyring] is where a service's come from: the mounted file and
// the one of the next password beside it, of which it finds out which one the
// cluster accepts before a client has to know, and it lets nobody hammer an
// account whose password is refused. SCRAM is wrapped ([Capped]): the server chooses how many rounds
// of hashing the client does, and a hostile one that asks for two thousand
// million keeps a core busy for minutes; anything outside [MinIterations] to
// [MaxIterations] ends the login instead.
//
// [Diagnose] turns what a failed connection left behind — often a bare EOF —
// into a diagnostic with cause and fix. [RequireTLS] refuses to send anything
// to another machine in the clear.
package auth
