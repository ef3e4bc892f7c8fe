// Package payment confirms or declines the payment of orders whose stock is
// reserved.
//
// There is no bank behind it, only a rule that anybody can foresee ([Decide]),
// so that a test knows what must come out. A real one would be called before
// the transaction, with the order's id as its idempotency key: what happens
// outside of the database happens at least once.
package payment
