package saga

import (
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/record"
)

// The headers of a command, which an answer may carry too.
const (
	HeaderName  = "slipway-saga"       // the saga's name
	HeaderID    = "slipway-saga-id"    // the saga's id
	HeaderStep  = "slipway-saga-step"  // the step's name
	HeaderPart  = "slipway-saga-part"  // do or undo
	HeaderRound = "slipway-saga-round" // how many refusals came before, a number
)

// A Ref says which saga and step a record is about. It is evidence for those
// who want it: an answer that carries a business key needs none.
type Ref struct {
	Name, ID string
	Step     string
	Undo     bool // it is about the step's Undo
	Round    int  // how many refusals came before
}

// RefOf reads the reference that a command carries, or an answer by [Echo].
func RefOf(headers []kgo.RecordHeader) (Ref, bool) {
	var r Ref
	var part, round string
	for name, to := range map[string]*string{HeaderName: &r.Name, HeaderID: &r.ID, HeaderStep: &r.Step, HeaderPart: &part, HeaderRound: &round} {
		text, ok := record.Get(headers, name)
		if !ok || text == "" {
			return Ref{}, false
		}
		*to = text
	}
	n, err := strconv.Atoi(round)
	if err != nil || n < 0 || (part != "do" && part != "undo") {
		return Ref{}, false
	}
	r.Undo, r.Round = part == "undo", n
	return r, true
}

// Key is the idempotency key: whoever carries out a command does so once for
// each. It is the command's event id too.
func (r Ref) Key() string {
	return fmt.Sprintf("%s/%s/%s/%s/%d", r.Name, r.ID, r.Step, r.part(), r.Round)
}

func (r Ref) part() string {
	if r.Undo {
		return "undo"
	}
	return "do"
}

// options are the headers.
func (r Ref) options() []slipway.SendOption {
	return []slipway.SendOption{
		slipway.WithHeader(HeaderName, r.Name), slipway.WithHeader(HeaderID, r.ID), slipway.WithHeader(HeaderStep, r.Step),
		slipway.WithHeader(HeaderPart, r.part()), slipway.WithHeader(HeaderRound, strconv.Itoa(r.Round)),
	}
}

// command are the options of a command's record.
func (r Ref) command() []slipway.SendOption {
	return append(r.options(), slipway.WithID(r.Key()))
}

// Echo is for those who carry commands out: the options that make an answer
// carry the reference of its command. There are none for a record that is not
// a command of a saga.
//
//	outbox.Send(ctx, tx, reserved, &Reserved{…}, saga.Echo(m.Record)...)
func Echo(command *kgo.Record) []slipway.SendOption {
	r, ok := RefOf(command.Headers)
	if !ok {
		return nil
	}
	return r.options()
}
