package contract

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Quotas bound what a service takes of every broker of a cluster. They belong
// to its principal, so all of its instances share them, and a broker that is
// asked for more answers later and not with an error. A zero field is no bound.
//
// Kafka counts them broker by broker: three brokers that lead a third of the
// partitions each give three times as much in all.
type Quotas struct {
	Produce  ByteRate // what it writes
	Consume  ByteRate // what it reads
	Requests Percent  // the time of one thread of the broker
}

// Any reports whether there is a bound at all. It may be called on nil.
func (q *Quotas) Any() bool { return q != nil && *q != Quotas{} }

// String tells the bounds as a contract writes them.
func (q *Quotas) String() string {
	if q == nil {
		return ""
	}
	var all []string
	if q.Produce > 0 {
		all = append(all, "produce "+q.Produce.String())
	}
	if q.Consume > 0 {
		all = append(all, "consume "+q.Consume.String())
	}
	if q.Requests > 0 {
		all = append(all, "requests "+q.Requests.String())
	}
	return strings.Join(all, ", ")
}

// A ByteRate is a number of bytes per second. Contracts write it as 10MiB/s.
type ByteRate int64

// ParseByteRate reads a number of bytes per second: 512KiB/s, 10MiB/s.
func ParseByteRate(s string) (ByteRate, error) {
	size, found := strings.CutSuffix(s, "/s")
	if !found {
		return 0, fmt.Errorf("parse byte rate %q: %w", s, &unitError{"a byte rate is per second", "write it like 10MiB/s or 512KiB/s"})
	}
	n, err := ParseBytes(size)
	if u, ok := errors.AsType[*unitError](err); ok {
		return 0, fmt.Errorf("parse byte rate %q: %w", s, &unitError{u.cause, "write it like 10MiB/s or 512KiB/s, with factors of 1024"})
	}
	return ByteRate(n), err
}

// String writes the rate with the largest suffix that divides it.
func (r ByteRate) String() string { return Bytes(r).String() + "/s" }

// A Percent is a whole number of hundredths that may exceed a hundred: a
// broker with eight threads has 800% to give.
type Percent int

// ParseWholePercent reads whole hundredths such as 50% or 250%.
func ParseWholePercent(s string) (Percent, error) {
	digits, found := strings.CutSuffix(s, "%")
	n, err := parseWhole(digits, 1)
	if !found || err != nil || n > 1_000_000 {
		return 0, fmt.Errorf("parse percent %q: %w", s, &unitError{"it is not a whole number of hundredths", "write it like 50% or 250%"})
	}
	return Percent(n), nil
}

// String writes the number with its sign.
func (p Percent) String() string { return strconv.Itoa(int(p)) + "%" }

// The table of quotas in slipway.yaml.
var quotasType = object(
	at("produce", byteRate(1<<10, 1<<40), func(q *Quotas) *ByteRate { return &q.Produce }, "How much the service writes to each broker. Absent means unbounded."),
	at("consume", byteRate(1<<10, 1<<40), func(q *Quotas) *ByteRate { return &q.Consume }, "How much the service reads from each broker. Absent means unbounded."),
	at("requests", wholePercent(1, 100_000), func(q *Quotas) *Percent { return &q.Requests }, "The time its requests take of each broker, in hundredths of one thread: a broker with 8 I/O and 3 network threads has 1100%. Absent means unbounded."),
)

func byteRate(least, most ByteRate) typ[ByteRate] {
	t := unitOf("byte rate", "10MiB/s", ParseByteRate, []string{"string"}, `^(0|[1-9][0-9]*)(KiB|MiB|GiB|TiB)?/s$`)
	return between(t, least, most, ByteRate.String)
}

func wholePercent(least, most Percent) typ[Percent] {
	t := unitOf("whole percent", "50%", ParseWholePercent, []string{"string"}, `^(0|[1-9][0-9]*)%$`)
	return between(t, least, most, Percent.String)
}
