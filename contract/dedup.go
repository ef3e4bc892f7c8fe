package contract

import (
	"strings"
	"time"
)

// DedupTTL is how long the id of a handled message is remembered where the
// contract does not say.
const DedupTTL = 24 * time.Hour

// Header is the header that identifies a record, "" where a field does.
func (d *Dedup) Header() string {
	name, is := strings.CutPrefix(d.By, "header:")
	if !is {
		return ""
	}
	return name
}

// Field is the field of the value that identifies a record, "" where a header
// does.
func (d *Dedup) Field() string {
	name, is := strings.CutPrefix(d.By, "field:")
	if !is {
		return ""
	}
	return name
}
