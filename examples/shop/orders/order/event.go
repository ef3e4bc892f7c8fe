package order

import "time"

// The topics, as the contract names them.
const (
	createdTopic  = "orders.created.v1"
	reservedTopic = "inventory.reserved.v1"
	settledTopic  = "payments.settled.v1"
)

// Created is the event that an order was placed.
type Created struct {
	OrderID       string    `avro:"order_id"`
	SKU           string    `avro:"sku"`
	Quantity      int64     `avro:"quantity"`
	Amount        int64     `avro:"amount"` // minor units
	Currency      string    `avro:"currency"`
	PaymentMethod string    `avro:"payment_method"`
	PlacedAt      time.Time `avro:"placed_at"`
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
	OrderID string `avro:"order_id"`
	Status  string `avro:"status"`
	Reason  string `avro:"reason"`
}
