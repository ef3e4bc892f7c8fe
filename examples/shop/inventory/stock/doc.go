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
package stock
