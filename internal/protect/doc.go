// Package protect stands between a fetched record and its handler: what it
// lets through is handled now, what it does not stays where it is and loses
// nothing by it.
//
// A [Gate] guards one consumed entry with three bounds that the contract may
// set: a [Breaker] (nothing is handled while what the handler needs is down), a
// [Bulkhead] (at most so many handlers at a time) and a [Rate] (at most so many
// records a second). None of them blocks. A refusal arranges for one call of
// the wake function when asking again may help, so that what waits holds no
// goroutine, and so that a thousand waiting lanes cost one timer and not a
// thousand. All bounds change while the gate is in use.
//
// A [Watchdog] knows which handlers run and since when, and tells once of each
// that does not return although its context has ended.
//
// Everything is state in memory of one process: a crash forgets it, and the
// worst that follows is that a breaker finds out anew what is down.
package protect
