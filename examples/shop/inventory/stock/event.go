package stock

// The topics, as the contract names them.
const (
	reservedTopic = "inventory.reserved.v1"
	createdTopic  = "orders.created.v1"
	commandTopic  = "orders.stock.v1"
)

// A Status is what became of the stock for an order.
type Status string

// The statuses.
const (
	StatusReserved  Status = "RESERVED"
	StatusRejected  Status = "REJECTED"
	StatusCommitted Status = "COMMITTED"
	StatusReleased  Status = "RELEASED"
)

// Reserved is the event that the stock for an order changed its status.
type Reserved struct {
	OrderID       string `avro:"order_id"`
	Sequence      int64  `avro:"sequence"`
	Status        Status `avro:"status"`
	Reason        string `avro:"reason"`
	SKU           string `avro:"sku"`
	Quantity      int64  `avro:"quantity"`
	Amount        int64  `avro:"amount"`
	Currency      string `avro:"currency"`
	PaymentMethod string `avro:"payment_method"`
}

// OrderCreated is what inventory reads of an order: reserve its stock.
type OrderCreated struct {
	OrderID       string `avro:"order_id"`
	SKU           string `avro:"sku"`
	Quantity      int64  `avro:"quantity"`
	Amount        int64  `avro:"amount"`
	Currency      string `avro:"currency"`
	PaymentMethod string `avro:"payment_method"`
}

// The actions of a [Command].
const (
	ActionCommit  = "COMMIT"
	ActionRelease = "RELEASE"
)

// A Command asks to hand out the stock of an order, or to put it back.
type Command struct {
	OrderID  string `avro:"order_id"`
	Action   string `avro:"action"`
	SKU      string `avro:"sku"`
	Quantity int64  `avro:"quantity"`
}
