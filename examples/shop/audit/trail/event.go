package trail

import "time"

// An event is what a topic holds: it says what it is about.
type event interface{ subject() string }

// OrderCreated is an event of orders.created.v1.
type OrderCreated struct {
	OrderID       string    `avro:"order_id" json:"order_id"`
	SKU           string    `avro:"sku" json:"sku"`
	Quantity      int64     `avro:"quantity" json:"quantity"`
	Amount        int64     `avro:"amount" json:"amount"`
	Currency      string    `avro:"currency" json:"currency"`
	PaymentMethod string    `avro:"payment_method" json:"payment_method"`
	UserID        string    `avro:"user_id" json:"user_id,omitempty"`
	PlacedAt      time.Time `avro:"placed_at" json:"placed_at"`
}

// OrderClosed is an event of orders.closed.v1.
type OrderClosed struct {
	OrderID  string `avro:"order_id" json:"order_id"`
	UserID   string `avro:"user_id" json:"user_id,omitempty"`
	State    string `avro:"state" json:"state"`
	Reason   string `avro:"reason" json:"reason,omitempty"`
	SKU      string `avro:"sku" json:"sku"`
	Quantity int64  `avro:"quantity" json:"quantity"`
	Amount   int64  `avro:"amount" json:"amount"`
	Currency string `avro:"currency" json:"currency"`
}

// PaymentCommand is an event of orders.payment.v1.
type PaymentCommand struct {
	OrderID       string `avro:"order_id" json:"order_id"`
	Action        string `avro:"action" json:"action"`
	Amount        int64  `avro:"amount" json:"amount"`
	Currency      string `avro:"currency" json:"currency"`
	PaymentMethod string `avro:"payment_method" json:"payment_method"`
}

// StockCommand is an event of orders.stock.v1.
type StockCommand struct {
	OrderID  string `avro:"order_id" json:"order_id"`
	Action   string `avro:"action" json:"action"`
	SKU      string `avro:"sku" json:"sku"`
	Quantity int64  `avro:"quantity" json:"quantity"`
}

// StockReserved is an event of inventory.reserved.v1.
type StockReserved struct {
	OrderID       string `avro:"order_id" json:"order_id"`
	Sequence      int64  `avro:"sequence" json:"sequence"`
	Status        string `avro:"status" json:"status"`
	Reason        string `avro:"reason" json:"reason,omitempty"`
	SKU           string `avro:"sku" json:"sku"`
	Quantity      int64  `avro:"quantity" json:"quantity"`
	Amount        int64  `avro:"amount" json:"amount"`
	Currency      string `avro:"currency" json:"currency"`
	PaymentMethod string `avro:"payment_method" json:"payment_method"`
}

// PaymentSettled is an event of payments.settled.v1.
type PaymentSettled struct {
	OrderID  string `avro:"order_id" json:"order_id"`
	Sequence int64  `avro:"sequence" json:"sequence"`
	Status   string `avro:"status" json:"status"`
	Reason   string `avro:"reason" json:"reason,omitempty"`
	Amount   int64  `avro:"amount" json:"amount"`
	Currency string `avro:"currency" json:"currency"`
}

// UserCreated is an event of users.created.v1.
type UserCreated struct {
	UserID    string    `avro:"user_id" json:"user_id"`
	Email     string    `avro:"email" json:"email"`
	Name      string    `avro:"name" json:"name"`
	CreatedAt time.Time `avro:"created_at" json:"created_at"`
}

// WebhookDelivery is an event of webhooks.deliveries.v1.
type WebhookDelivery struct {
	WebhookID string `avro:"webhook_id" json:"webhook_id"`
	EventID   string `avro:"event_id" json:"event_id"`
	Event     string `avro:"event" json:"event"`
	OrderID   string `avro:"order_id" json:"order_id"`
	Body      string `avro:"body" json:"body"`
}

func (e OrderCreated) subject() string    { return e.OrderID }
func (e PaymentCommand) subject() string  { return e.OrderID }
func (e StockCommand) subject() string    { return e.OrderID }
func (e OrderClosed) subject() string     { return e.OrderID }
func (e StockReserved) subject() string   { return e.OrderID }
func (e PaymentSettled) subject() string  { return e.OrderID }
func (e UserCreated) subject() string     { return e.UserID }
func (e WebhookDelivery) subject() string { return e.OrderID }
