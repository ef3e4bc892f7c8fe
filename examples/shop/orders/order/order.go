package order

import (
	"fmt"
	"time"
)

// A State is where an order stands as a whole.
type State string

// The states. All but Pending are final.
const (
	Pending   State = "pending"
	Confirmed State = "confirmed"
	Rejected  State = "rejected"
	Declined  State = "declined"
)

// Final reports whether nothing more will happen.
func (s State) Final() bool { return s != Pending }

// Money is an amount in the minor units of a currency: 1250 EUR is 12.50 euro.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// An Order is one order with what has been heard of it.
type Order struct {
	ID            string    `json:"order_id"`
	State         State     `json:"state"`
	Reason        string    `json:"reason,omitempty"` // why it was rejected or declined
	SKU           string    `json:"sku"`
	Quantity      int64     `json:"quantity"`
	Total         Money     `json:"total"`
	PaymentMethod string    `json:"payment_method"`
	PlacedAt      time.Time `json:"placed_at"`

	stock, payment string // the last word of inventory and of payments
	sequence       int64  // of inventory's last word
}

// Stock notes what inventory says.
func (o *Order) Stock(e StockReserved) error {
	if e.Sequence <= o.sequence {
		return fmt.Errorf("order %s: inventory's event %d came after %d", o.ID, e.Sequence, o.sequence)
	}
	o.stock, o.sequence = e.Status, e.Sequence
	if e.Status == "REJECTED" {
		o.Reason = e.Reason
	}
	return o.settle()
}

// Payment notes what payments says.
func (o *Order) Payment(e PaymentSettled) error {
	if o.payment != "" {
		return fmt.Errorf("order %s: payment is %s already, now %s", o.ID, o.payment, e.Status)
	}
	o.payment = e.Status
	if e.Status == "DECLINED" {
		o.Reason = e.Reason
	}
	return o.settle()
}

// settle derives the state from what has been heard so far.
func (o *Order) settle() error {
	switch {
	case o.stock == "REJECTED" && o.payment == "":
		o.State = Rejected
	case o.stock == "RELEASED" && o.payment == "DECLINED":
		o.State = Declined
	case o.stock == "COMMITTED" && o.payment == "CONFIRMED":
		o.State = Confirmed
	case o.stock == "REJECTED",
		o.stock == "RELEASED" && o.payment == "CONFIRMED",
		o.stock == "COMMITTED" && o.payment == "DECLINED":
		return fmt.Errorf("order %s: stock is %s and payment %s, which cannot be", o.ID, o.stock, o.payment)
	}
	return nil
}
