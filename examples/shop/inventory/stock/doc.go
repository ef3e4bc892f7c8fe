// Package stock reserves stock for orders, and never more than there is.
//
// A piece is available, reserved for an order, or committed (sold). An order's
// event moves pieces from available to reserved in one conditional UPDATE, so
// two orders cannot take the same piece however many are handled at a time; a
// CHECK constraint stands behind it. The payment's event then moves them on to
// committed, or back to available.
//
//	orders.created    ──▶ RESERVED ──▶ COMMITTED    payments.settled: CONFIRMED
//	                  │            └─▶ RELEASED     payments.settled: DECLINED
//	                  └─▶ REJECTED                  too little, or an unknown SKU
//
// Orders are keyed by SKU, so those of one SKU are reserved in the order they
// were placed: who came first gets the last piece. A shelf that is jammed parks
// its SKU, and its orders queue up while all others flow.
package stock
