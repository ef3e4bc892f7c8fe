package view

import (
	"cmp"
	"io"
	"strconv"
	"strings"
)

// A PKIReload is what became of a broker's keystores and truststores.
type PKIReload struct {
	Broker    int      `json:"broker"`
	Listeners []string `json:"listeners"`
	Result    string   `json:"result"`
}

type pkiReloadedDocument struct {
	Header
	Brokers []PKIReload `json:"brokers"`
}

// PKIReloaded writes what became of each broker.
func (v *View) PKIReloaded(brokers []PKIReload) error {
	names := make([]string, len(brokers))
	for i, b := range brokers {
		brokers[i].Listeners = some(b.Listeners)
		names[i] = "broker/" + strconv.Itoa(b.Broker)
	}
	return v.answer(pkiReloadedDocument{header("PKIReloaded"), some(brokers)}, func(w io.Writer) {
		t := newTable(w, "BROKER", "LISTENERS", "RESULT")
		for _, b := range brokers {
			t.row(strconv.Itoa(b.Broker), cmp.Or(strings.Join(b.Listeners, " "), "-"), b.Result)
		}
		t.flush()
	}, names)
}
