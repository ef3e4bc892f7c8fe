package trail

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// A Step is one thing that happened to an order.
type Step struct {
	At   string `json:"at"`
	By   string `json:"by"`   // the service that said it
	What string `json:"what"` // placed, CHARGE, CONFIRMED …
}

// A History is an order as it follows from what was said of it.
type History struct {
	OrderID string `json:"order_id"`
	State   string `json:"state"` // pending, confirmed, rejected, declined
	Stock   string `json:"stock,omitempty"`
	Payment string `json:"payment,omitempty"`
	Charged int64  `json:"charged"` // in minor units; 0 once it was given back
	Steps   []Step `json:"steps"`   // by the time at which they happened
}

// said is what the events of an order have in common.
type said struct {
	Status   string `json:"status"`
	State    string `json:"state"`
	Action   string `json:"action"`
	Event    string `json:"event"`
	Sequence int64  `json:"sequence"`
	Amount   int64  `json:"amount"`
}

// Replay makes an order's history from its rows. The order's state follows from
// what inventory and payments said, each in its own sequence, and not from what
// orders made of it: where the two differ, one of them is wrong. What was said
// twice under the same id happened once.
func Replay(orderID string, rows []Row) (History, error) {
	h := History{OrderID: orderID, Steps: []Step{}}
	type event struct{ topic, id string }
	seen := make(map[event]bool)
	last := make(map[string]int64) // sequence, by topic
	for _, r := range rows {
		if r.Subject != orderID || seen[event{r.Topic, r.EventID}] {
			continue
		}
		seen[event{r.Topic, r.EventID}] = true
		var e said
		if err := json.Unmarshal(r.Value, &e); err != nil {
			return History{}, fmt.Errorf("replay row %d: %w", r.Position, err)
		}
		newest := e.Sequence > last[r.Topic]
		last[r.Topic] = max(last[r.Topic], e.Sequence)
		switch {
		case r.Topic == createdTopic:
			e.Status = "placed"
		case r.Topic == reservedTopic && newest:
			h.Stock = e.Status
		case r.Topic == settledTopic && newest:
			h.Payment, h.Charged = e.Status, 0
			if e.Status == "CONFIRMED" {
				h.Charged = e.Amount
			}
		}
		h.Steps = append(h.Steps, Step{At: r.At, By: r.Source, What: cmp.Or(e.Status, e.State, e.Action, e.Event)})
	}
	slices.SortStableFunc(h.Steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	h.State = h.state()
	return h, nil
}

func (h History) state() string {
	switch {
	case h.Stock == "REJECTED":
		return "rejected"
	case h.Stock == "RELEASED":
		return "declined"
	case h.Stock == "COMMITTED" && h.Payment == "CONFIRMED":
		return "confirmed"
	}
	return "pending"
}
