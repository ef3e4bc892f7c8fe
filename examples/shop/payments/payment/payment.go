package payment

// The topics, as the contract names them.
const (
	settledTopic = "payments.settled.v1"
	commandTopic = "orders.payment.v1"
)

// A Status is how a payment ended.
type Status string

// The statuses.
const (
	Confirmed Status = "CONFIRMED"
	Declined  Status = "DECLINED"
	Voided    Status = "VOIDED"
)

// What is declined: payments above Limit (in minor units, of any currency),
// and whatever is paid with DeclinedMethod.
const (
	Limit          = 100_000
	DeclinedMethod = "card-declined"
)

// Settled is the event that a payment was confirmed, declined or taken back.
type Settled struct {
	OrderID  string `avro:"order_id"`
	Sequence int64  `avro:"sequence"`
	Status   Status `avro:"status"`
	Reason   string `avro:"reason"`
	Amount   int64  `avro:"amount"`
	Currency string `avro:"currency"`
}

// The actions of a [Command].
const (
	ActionCharge = "CHARGE"
	ActionVoid   = "VOID"
)

// A Command asks to charge an order, or to take its payment back.
type Command struct {
	OrderID       string `avro:"order_id"`
	Action        string `avro:"action"`
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
