package compat

import (
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Victim is who could not read what.
type Victim string

// The victims.
const (
	NewReader Victim = "new reader" // a program with the new schema, of values that were written with the old one
	OldReader Victim = "old reader" // a program with the old schema, of values that are written with the new one
	OwnReader Victim = "consumer"   // a service that reads with a schema of its own
)

// A Break is a fault with who breaks by it.
type Break struct {
	Fault
	Victim  Victim
	Version int // the subject's version that is compared with; 0 if none is
}

// Story says what happens to whom, on one line.
func (b Break) Story() string {
	switch b.Victim {
	case NewReader:
		return fmt.Sprintf("programs with the new schema cannot read what was written with version %d: %s", b.Version, b.Fault)
	case OldReader:
		return fmt.Sprintf("programs with version %d cannot read what is written with the new schema: %s", b.Version, b.Fault)
	}
	return b.String()
}

// A Version is a schema that its subject holds.
type Version struct {
	Number int
	Schema
}

// Check returns what keeps a schema from following the versions of its subject
// under a level: all of them if the level is transitive, else the newest. The
// versions are in ascending order. The error names the version that cannot be
// parsed, or says that the new schema cannot.
func Check(level contract.Compatibility, next Schema, history []Version) ([]Break, error) {
	if !strings.HasSuffix(string(level), "_transitive") && len(history) > 1 {
		history = history[len(history)-1:]
	}
	base := contract.Compatibility(strings.TrimSuffix(string(level), "_transitive"))
	var breaks []Break
	for _, old := range history {
		if base == contract.Backward || base == contract.Full {
			faults, err := Unreadable(old.Schema, next)
			if err != nil {
				return nil, fmt.Errorf("version %d: %w", old.Number, err)
			}
			breaks = append(breaks, told(faults, NewReader, old.Number)...)
		}
		if base == contract.Forward || base == contract.Full {
			faults, err := Unreadable(next, old.Schema)
			if err != nil {
				return nil, fmt.Errorf("version %d: %w", old.Number, err)
			}
			breaks = append(breaks, told(faults, OldReader, old.Number)...)
		}
	}
	return breaks, nil
}

// Reads returns what of an owner's schema a consumer with a schema of its own
// cannot read.
func Reads(owner, consumer Schema) ([]Break, error) {
	faults, err := Unreadable(owner, consumer)
	return told(faults, OwnReader, 0), err
}

func told(faults []Fault, victim Victim, version int) []Break {
	breaks := make([]Break, len(faults))
	for i, f := range faults {
		breaks[i] = Break{f, victim, version}
	}
	return breaks
}

// Fix is what to do about a break.
func (b Break) Fix() string {
	field := strings.TrimPrefix(b.Where(), "field ")
	if fix := fixes[b.Kind][b.Victim]; fix != "" {
		return strings.NewReplacer("{field}", field, "{written}", b.Written, "{read}", b.Read).Replace(fix)
	}
	return "make the change one that all can read, or give it a topic of its own with the next version in its name"
}

// fixes are what helps whom.
var fixes = map[Kind]map[Victim]string{
	Missing: {
		NewReader: "give {field} a default: what was written before does not have it",
		OldReader: "keep {field}: programs with the old schema need it; one that has a default in every version in use can be removed",
		OwnReader: "keep {field}, or first give it a default in the schema that the consumer reads with, and deploy the consumer",
	},
	Type: {
		NewReader: "keep {field} as {written}, and add a field of the new type with a default beside it",
		OldReader: "keep {field} as {read}, and add a field of the new type with a default beside it",
		OwnReader: "write {field} as {read}, or first make the consumer read {written}",
	},
	Symbol: {
		NewReader: "keep the symbol, or give the enum a default: it stands among what was written before",
		OldReader: "first give the enum a default in a version of its own and let all readers have it; then add the symbol",
		OwnReader: "first add the symbol, or a default for the enum, to the schema that the consumer reads with, and deploy the consumer",
	},
	Null: {
		NewReader: "let {field} stay a union with null: null stands among what was written before",
		OldReader: "do not let {field} be null while programs with the old schema read; a new optional field beside it does no harm",
		OwnReader: "first let the consumer's {field} be a union with null, and deploy the consumer",
	},
	Name: {
		NewReader: "keep the name {written}, or list it in the aliases of {read}",
		OldReader: "keep the name {read}: aliases help only those who have the new schema",
		OwnReader: "name it {written} in the schema that the consumer reads with, or list that in its aliases",
	},
	Size: {
		NewReader: "keep {written}, and add a field of the new size with a default beside it",
		OldReader: "keep {read}, and add a field of the new size with a default beside it",
		OwnReader: "read {written} in the schema of the consumer",
	},
	Twice: {
		NewReader: "take the alias away from {field}, or rename one of the two",
		OldReader: "take the alias away from {field}, or rename one of the two",
		OwnReader: "take the alias away from {field} in the schema that the consumer reads with",
	},
	Number: {
		NewReader: "give the field a number that was never used, and reserve the old one",
		OldReader: "give the field a number that was never used, and reserve the old one",
		OwnReader: "give the field in the consumer's schema the number and type it is written with",
	},
	Format: {
		NewReader: "give the new format a topic of its own, with the next version in its name",
		OldReader: "give the new format a topic of its own, with the next version in its name",
		OwnReader: "read the topic in the format that its owner writes",
	},
	Accepted: {
		NewReader: "let {field} accept what it accepted: such values were written before",
		OldReader: "write in {field} only what the old schema accepts",
		OwnReader: "let the consumer's {field} accept it, and deploy the consumer first",
	},
}
