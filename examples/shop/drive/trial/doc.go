// Package trial puts the shop to the test: it places orders over HTTP, waits
// until each has reached its final state in every service, and then judges
// from the services' own ledgers whether the shop kept its promises.
//
//   - Nothing lost: every event that a service decided on was applied by every
//     service that listens.
//   - Nothing duplicated: each was applied once, and each was decided on once.
//   - Nothing out of order: the events of one order were applied in sequence,
//     and the orders of one SKU in the order in which they were placed.
//   - Stock balances: what is left is what there was minus what was sold, what
//     was released is back, and at no time was there less than nothing.
//   - Money balances: what was charged is the total of the confirmed orders.
//   - The states are those foreseen: so many orders were placed to be declined,
//     and so many more than there is stock for.
//
// A trial ends in one of three ways. It passes if it ran to its end and every
// promise was kept; it fails if one was broken; and it is unknown in all other
// cases: interrupted, out of time, a service that does not answer. An order
// that never becomes final counts as lost only when nothing at all has moved
// for Config.Stall while every service said that it was ready.
package trial
