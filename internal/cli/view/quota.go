package view

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Quota is what one user may take of each broker.
type Quota struct {
	User    string             `json:"user"`
	Service string             `json:"service,omitempty"` // whose principal it is, if it is one of the estate's
	Limits  map[string]float64 `json:"limits"`            // in Kafka's words
}

type quotasDocument struct {
	Header
	Quotas []Quota `json:"quotas"`
}

// Quotas writes what users may take.
func (v *View) Quotas(quotas []Quota) error {
	var names []string
	for _, q := range quotas {
		names = append(names, "quota/"+q.User)
	}
	return v.answer(quotasDocument{header("Quotas"), quotas}, func(w io.Writer) {
		if len(quotas) == 0 {
			fmt.Fprintln(w, "No user has a quota of its own.")
			return
		}
		t := newTable(w, "USER", "PRODUCE", "CONSUME", "REQUESTS", "OTHERS", "SERVICE")
		for _, q := range quotas {
			others := maps.Clone(q.Limits)
			t.row(q.User, rateOf(others, "producer_byte_rate"), rateOf(others, "consumer_byte_rate"), percentOf(others, "request_percentage"),
				rest(others), cmp.Or(q.Service, "-"))
		}
		t.flush()
	}, names)
}

// rateOf takes a rate out of limits, and tells it as a contract would.
func rateOf(limits map[string]float64, key string) string {
	limit, bound := limits[key]
	delete(limits, key)
	switch {
	case !bound:
		return "-"
	case limit == float64(int64(limit)):
		return contract.ByteRate(limit).String()
	}
	return number(limit) + "/s"
}

func percentOf(limits map[string]float64, key string) string {
	limit, bound := limits[key]
	delete(limits, key)
	if !bound {
		return "-"
	}
	return number(limit) + "%"
}

func rest(limits map[string]float64) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		all = append(all, key+"="+number(limits[key]))
	}
	return cmp.Or(strings.Join(all, ","), "-")
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
