package order

import "time"

// The topics, as the contract names them.
const (
	createdTopic  = "orders.created.v1"
	paymentTopic  = "orders.payment.v1"
	stockTopic    = "orders.stock.v1"
	closedTopic   = "orders.closed.v1"
	reservedTopic = "inventory.reserved.v1"
	settledTopic  = "payments.settled.v1"
)

// Created is the event that an order was placed, and the command to reserve
// its stock.
type Created struct {
	OrderID       string    `avro:"order_id"`
	SKU           string    `avro:"sku"`
	Quantity      int64     `avro:"quantity"`
	Amount        int64     `avro:"amount"` // minor units
	Currency      string    `avro:"currency"`
	PaymentMethod string    `avro:"payment_method"`
	UserID        string    `avro:"user_id"`
	PlacedAt      time.Time `avro:"placed_at"`
}

// Payment is the command to charge an order, or to void its payment.
type Payment struct {
	OrderID       string `avro:"order_id"`
	Action        string `avro:"action"` // CHARGE, VOID
	Amount        int64  `avro:"amount"` // minor units
	Currency      string `avro:"currency"`
	PaymentMethod string `avro:"payment_method"`
}

// Stock is the command to hand out an order's stock, or to put it back.
type Stock struct {
	OrderID  string `avro:"order_id"`
	Action   string `avro:"action"` // COMMIT, RELEASE
	SKU      string `avro:"sku"`
	Quantity int64  `avro:"quantity"`
}

// Closed is the event that an order reached its final state.
type Closed struct {
	OrderID  string `avro:"order_id"`
	UserID   string `avro:"user_id"`
	State    string `avro:"state"` // CONFIRMED, REJECTED, DECLINED
	Reason   string `avro:"reason"`
	SKU      string `avro:"sku"`
	Quantity int64  `avro:"quantity"`
	Amount   int64  `avro:"amount"` // minor units
	Currency string `avro:"currency"`
}

// StockReserved is what orders reads of inventory's event.
type StockReserved struct {
	OrderID  string `avro:"order_id"`
	Sequence int64  `avro:"sequence"`
	Status   string `avro:"status"`
	Reason   string `avro:"reason"`
}

// PaymentSettled is what orders reads of payments' event.
type PaymentSettled struct {
	OrderID  string `avro:"order_id"`
	Sequence int64  `avro:"sequence"`
	Status   string `avro:"status"`
	Reason   string `avro:"reason"`
}
