// Package order takes orders and sees each through to its final state.
//
// A customer's request becomes a row of the table orders, a saga, and the
// saga's first command, in one commit. The saga then asks one service after the
// other and waits for each one's answer:
//
//	step      asked for by           answered by                  taken back by
//	stock     orders.created.v1      RESERVED   or REJECTED       orders.stock.v1 RELEASE
//	payment   orders.payment.v1      CONFIRMED  or DECLINED       orders.payment.v1 VOID
//	handout   orders.stock.v1        COMMITTED                    (there is no way back)
//
//	pending ──▶ rejected     no stock
//	        ├─▶ declined     not paid, or no answer about it in time; stock given back
//	        └─▶ confirmed    paid, stock handed out
//
// The handout is the pivot: an order that is paid is going to be handed out, and
// it is asked for again until it is, or until somebody has to look. A payment that
// nobody answered for may have been made, so it is voided before the stock is put
// back: both bear that there is nothing to take back, and both then refuse a
// command that comes late.
//
// Where an order is can be seen with slipway saga show.
package order
