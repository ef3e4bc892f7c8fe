package order

import "time"

// A State is where an order stands as a whole.
type State string

// The states. All but Pending are final.
const (
	Pending   State = "pending"
	Confirmed State = "confirmed"
	Rejected  State = "rejected" // no stock
	Declined  State = "declined" // not paid, and the stock is back
)

// Money is an amount in the minor units of a currency: 1250 EUR is 12.50 euro.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// An Order is one order as the API has it. How far its saga has come is in the
// saga's own row.
type Order struct {
	ID            string    `json:"order_id"`
	State         State     `json:"state"`
	Reason        string    `json:"reason,omitempty"` // why it was rejected or declined
	SKU           string    `json:"sku"`
	Quantity      int64     `json:"quantity"`
	Total         Money     `json:"total"`
	PaymentMethod string    `json:"payment_method"`
	UserID        string    `json:"user_id,omitempty"` // empty for a guest
	PlacedAt      time.Time `json:"placed_at"`
}
