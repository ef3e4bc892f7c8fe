package payment

// The topics, as the contract names them.
const (
	settledTopic  = "payments.settled.v1"
	reservedTopic = "inventory.reserved.v1"
)

// A Status is how a payment ended.
type Status string

// The statuses.
const (
	Confirmed Status = "CONFIRMED"
	Declined  Status = "DECLINED"
)

// What is declined: payments above Limit (in minor units, of any currency),
// and whatever is paid with DeclinedMethod.
const (
	Limit          = 100_000
	DeclinedMethod = "card-declined"
)

// Settled is the event that a payment was confirmed or declined.
type Settled struct {
	OrderID  string `avro:"order_id"`
	Status   Status `avro:"status"`
	Reason   string `avro:"reason"`
	Amount   int64  `avro:"amount"`
	Currency string `avro:"currency"`
}

// StockReserved is what payments reads of a reservation.
type StockReserved struct {
	OrderID       string `avro:"order_id"`
	Sequence      int64  `avro:"sequence"`
	Status        string `avro:"status"`
	Amount        int64  `avro:"amount"`
	Currency      string `avro:"currency"`
	PaymentMethod string `avro:"payment_method"`
}

// Decide says whether a payment is confirmed, and why not.
func Decide(amount int64, method string) (Status, string) {
	switch {
	case method == DeclinedMethod:
		return Declined, "card_declined"
	case amount > Limit:
		return Declined, "amount_above_limit"
	}
	return Confirmed, ""
}
