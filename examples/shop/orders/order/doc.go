// Package order takes orders and follows each to its final state.
//
// A customer's request becomes a row of the table orders and the event
// [Created], in one commit. From then on the order only listens: inventory
// says whether there is stock, payments whether it is paid, inventory again
// that the stock is committed or back on the shelf. What they say arrives on
// two topics, so in any order between the two; [Order.Stock] and
// [Order.Payment] therefore only note what was said, and the state follows
// from both ([Order.State]).
//
//	pending ──▶ rejected     no stock
//	        ├─▶ declined     not paid, stock given back
//	        └─▶ confirmed    paid, stock committed
package order
