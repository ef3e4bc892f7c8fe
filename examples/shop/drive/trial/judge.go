package trial

import (
	"fmt"
	"time"

	"github.com/slipway-go/slipway/slipwaytest/history"

	"example.com/shop/internal/ledger"
)

const (
	placeRequest = "POST /orders"

	createdTopic  = "orders.created.v1"
	paymentTopic  = "orders.payment.v1"
	stockTopic    = "orders.stock.v1"
	reservedTopic = "inventory.reserved.v1"
	settledTopic  = "payments.settled.v1"
)

// listeners are the services that apply what is on a topic.
var listeners = []history.Final{
	{Topic: placeRequest, Group: orders},
	{Topic: createdTopic, Group: inventory},
	{Topic: reservedTopic, Group: orders},
	{Topic: paymentTopic, Group: payments},
	{Topic: settledTopic, Group: orders},
	{Topic: stockTopic, Group: inventory},
}

// maxProblems is how many problems are told; all are counted.
const maxProblems = 20

// A judgement is what the evidence comes to.
type judgement struct {
	lost, duplicated, outOfOrder int
	wrong                        int // broken promises of any other kind
	records                      int // events that services decided on
	counts                       map[string]int
	charged                      int64
	problems                     []string
	doubts                       []string
}

func judge(e evidence) *judgement {
	j := &judgement{counts: make(map[string]int)}
	verdict := history.Check(j.history(e))
	j.take(verdict)
	states := j.countStates(e)
	if !e.ended {
		return j
	}
	j.lost = max(j.lost, j.unfinished(e, states))
	j.checkStates(e, states)
	j.checkStock(e)
	j.checkMoney(e, states)
	return j
}

// history tells the ledgers as events. An event is known by its order and its
// number among those of its topic and order, not by its id: an event that was
// decided on twice is a duplicate though its ids differ.
func (j *judgement) history(e evidence) []history.Event {
	var events []history.Event
	placed := make(map[string]int64) // orders so far, by SKU
	sent := make(map[[2]string]bool)
	send := func(s history.Send) {
		key := [2]string{s.Topic, s.ID}
		if sent[key] {
			j.duplicated++
			j.tell("%s %s was decided on twice", s.Topic, s.ID)
		}
		sent[key] = true
		events = append(events, s)
	}
	for i := range e.basket.wishes {
		if w := &e.basket.wishes[i]; w.orderID != "" {
			send(history.Send{ID: w.key, Topic: placeRequest, Key: w.key, Outcome: history.OK})
		} else if w.tried {
			send(history.Send{ID: w.key, Topic: placeRequest, Key: w.key})
		}
	}
	for _, service := range []string{orders, inventory, payments} {
		for _, entry := range e.ledgers[service] {
			if entry.Flow == ledger.Out && e.own[entry.OrderID] {
				j.records++
				key, seq := entry.OrderID, entry.Sequence
				if entry.Topic == createdTopic { // first come, first served
					placed[entry.SKU]++
					key, seq = entry.SKU, placed[entry.SKU]
				}
				send(history.Send{ID: name(entry), Topic: entry.Topic, Key: key, Seq: seq, Outcome: history.OK})
			}
		}
	}
	for _, entry := range e.ledgers[orders] {
		if topic := followsFrom(entry); topic != "" && e.own[entry.OrderID] {
			j.records++
			send(history.Send{ID: fmt.Sprintf("%s#1", entry.OrderID), Topic: topic, Key: entry.OrderID, Seq: 1, Outcome: history.OK})
		}
	}
	for service, entries := range e.ledgers {
		for _, entry := range entries {
			// Where the ledgers were not read to their end, the cause of an
			// effect may be what is missing.
			if entry.Flow != ledger.In || !e.own[entry.OrderID] || !e.ended && !sent[[2]string{entry.Topic, name(entry)}] {
				continue
			}
			at := time.Unix(0, entry.Position)
			events = append(events, history.Effect{ID: name(entry), Topic: entry.Topic, Group: service, Outcome: history.OK, Start: at, End: at})
		}
	}
	if e.ended {
		for _, f := range listeners {
			events = append(events, f)
		}
	}
	return events
}

// followsFrom is the topic of the command that the saga of an order sends when
// it has heard what the entry says; "" for none. The saga sends it in the same
// commit, and does not write into the ledger.
func followsFrom(e ledger.Entry) string {
	switch {
	case e.Flow != ledger.In:
	case e.Topic == reservedTopic && e.Kind == "reserved":
		return paymentTopic
	case e.Topic == settledTopic && (e.Kind == "confirmed" || e.Kind == "declined"):
		return stockTopic
	}
	return ""
}

// name is what an event is known by.
func name(e ledger.Entry) string {
	if e.Topic == placeRequest {
		return e.EventID // the idempotency key
	}
	return fmt.Sprintf("%s#%d", e.OrderID, e.Sequence)
}

// take counts what the history's checker found.
func (j *judgement) take(v history.Verdict) {
	for _, f := range v.Findings {
		switch f.Kind {
		case history.Lost:
			j.lost += f.Count
		case history.DuplicateEffect, history.DuplicateRecord:
			j.duplicated += f.Count
		case history.OutOfOrder, history.KeyOverlap:
			j.outOfOrder += f.Count
		default:
			j.wrong += f.Count
		}
		for _, w := range f.Witnesses {
			j.tell("%s: %s", f.Kind, w)
		}
	}
	j.doubts = append(j.doubts, v.Unknowns...)
}

// countStates reads the final states from the ledger of orders.
func (j *judgement) countStates(e evidence) map[string]string {
	states := make(map[string]string)
	for _, entry := range e.ledgers[orders] {
		if entry.Flow != ledger.State || !e.own[entry.OrderID] {
			continue
		}
		if before, twice := states[entry.OrderID]; twice {
			j.duplicated++
			j.tell("order %s became %s and again %s", entry.OrderID, before, entry.Kind)
			continue
		}
		states[entry.OrderID] = entry.Kind
		j.counts[entry.Kind]++
	}
	return states
}

// wrongly notes a broken promise.
func (j *judgement) wrongly(format string, args ...any) {
	j.wrong++
	j.tell(format, args...)
}

func (j *judgement) tell(format string, args ...any) {
	if len(j.problems) < maxProblems {
		j.problems = append(j.problems, fmt.Sprintf(format, args...))
	}
}

// unfinished counts the orders that are not final everywhere.
func (j *judgement) unfinished(e evidence, states map[string]string) int {
	reached := make(map[string]place)
	for service, entries := range e.ledgers {
		for _, entry := range entries {
			reached[entry.OrderID] |= reaches(service, entry)
		}
	}
	n := 0
	for id := range e.own {
		if reached[id] != finalEverywhere {
			n++
			j.tell("order %s never became final everywhere; in orders it is %q", id, states[id])
		}
	}
	return n
}
