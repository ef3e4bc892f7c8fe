package trial

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// A Result is how a trial ended.
type Result string

// The results.
const (
	Pass    Result = "pass"    // to its end, and every promise was kept
	Fail    Result = "fail"    // a promise was broken
	Unknown Result = "unknown" // cut short
)

// A Summary is what a trial found.
type Summary struct {
	Kind    string `json:"kind"`    // "DriveSummary"
	Version string `json:"version"` // "v1"

	Result     Result         `json:"result"`
	Orders     int            `json:"orders"` // asked for
	Placed     int            `json:"placed"` // answered
	States     map[string]int `json:"states"` // final states; pending is what is left
	Lost       int            `json:"lost"`
	Duplicated int            `json:"duplicated"`
	OutOfOrder int            `json:"out_of_order"`
	Wrong      int            `json:"wrong"` // stock, money or states that are not as they must be

	Charged          int64   `json:"charged"` // in minor units; 0 for a trial cut short
	Currency         string  `json:"currency"`
	Records          int     `json:"records"` // events through Kafka
	Seconds          float64 `json:"seconds"` // from the first order placed to the last one final
	RecordsPerSecond float64 `json:"records_per_second"`

	Problems []string `json:"problems"` // the first of what is wrong
	Unknowns []string `json:"unknowns"` // why the trial proves nothing
}

func (t *trial) summary(j *judgement, cut error) Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Summary{
		Kind: "DriveSummary", Version: "v1", Result: Pass, Orders: t.cfg.Orders, Placed: t.placed, States: map[string]int{},
		Lost: j.lost, Duplicated: j.duplicated, OutOfOrder: j.outOfOrder, Wrong: j.wrong,
		Charged: j.charged, Currency: currency, Records: j.records, Problems: []string{}, Unknowns: []string{},
	}
	s.Problems = append(s.Problems, j.problems...)
	final := 0
	for _, state := range []string{"confirmed", "rejected", "declined"} {
		s.States[state] = j.counts[state]
		final += j.counts[state]
	}
	s.States["pending"] = max(0, t.cfg.Orders-final)
	if !t.began.IsZero() {
		end := t.last
		if end.IsZero() || cut != nil {
			end = time.Now()
		}
		s.Seconds = math.Round(end.Sub(t.began).Seconds()*100) / 100
		s.RecordsPerSecond = math.Round(float64(s.Records) / max(s.Seconds, 0.01))
	}
	if cut != nil {
		s.Unknowns = append(s.Unknowns, "the trial was cut short: "+cut.Error())
	} else {
		s.Unknowns = append(s.Unknowns, j.doubts...)
	}
	if len(s.Unknowns) > 0 {
		s.Result = Unknown
	}
	if s.Lost+s.Duplicated+s.OutOfOrder+s.Wrong > 0 {
		s.Result = Fail
	}
	return s
}

// WriteJSON writes the summary for a program.
func (s Summary) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// WriteText writes the summary for a person.
func (s Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "orders %d\n", s.Orders)
	for _, state := range []string{"confirmed", "rejected", "declined", "pending"} {
		fmt.Fprintf(&b, "  %s %d\n", state, s.States[state])
	}
	fmt.Fprintf(&b, "lost %d\nduplicated %d\nout of order %d\n", s.Lost, s.Duplicated, s.OutOfOrder)
	if s.Wrong > 0 {
		fmt.Fprintf(&b, "wrong %d\n", s.Wrong)
	}
	if s.Charged > 0 {
		fmt.Fprintf(&b, "charged %d.%02d %s\n", s.Charged/100, s.Charged%100, s.Currency)
	}
	fmt.Fprintf(&b, "seconds %.2f\nrecords/s %.0f (%d records)\n", s.Seconds, s.RecordsPerSecond, s.Records)
	for _, p := range s.Problems {
		fmt.Fprintf(&b, "problem: %s\n", p)
	}
	for _, u := range s.Unknowns {
		fmt.Fprintf(&b, "unknown: %s\n", u)
	}
	fmt.Fprintf(&b, "%s\n", strings.ToUpper(string(s.Result)))
	_, err := io.WriteString(w, b.String())
	return err
}
