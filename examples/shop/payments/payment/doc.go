// Package payment charges orders, once each, or says why not.
//
// There is one row for each order, whose id is its key: that is what keeps an
// order from being paid twice, however often and by whichever event it is asked
// for. A command to void takes the payment back; one that comes before the
// charge, or without it, leaves a row too, and the charge that comes late finds
// it and is not made.
//
//	CHARGE ──▶ CONFIRMED ──▶ VOIDED     VOID: the money is given back
//	       └─▶ DECLINED                 VOID: there is nothing to give back
//	VOID   ──▶ VOIDED                   CHARGE: not any more
//
// There is no bank behind it, only a rule that anybody can foresee ([Decide]),
// so that a test knows what must come out. A real one would be called before
// the transaction, with the order's id as its idempotency key: what happens
// outside of the database happens at least once.
package payment
