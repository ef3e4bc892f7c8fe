package depot

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// memory is how long the register remembers a certificate after its end, if
// nothing is left of it.
const memory = 400 * 24 * time.Hour

// An entry is a line of a generation's register: a certificate that it signed.
// It is written before the certificate is given out, so that whatever is in
// use can be revoked.
type entry struct {
	serial   string // lower-case hex
	subject  string // KIND/NAME
	issued   time.Time
	ends     time.Time
	lifetime time.Duration // as it was asked for; the issuer's end may have cut it short
}

// due reports whether two thirds of the life are over, or less than within is
// left of it.
func (e entry) due(now time.Time, within time.Duration) bool {
	return !now.Before(e.issued.Add(e.ends.Sub(e.issued)/3*2)) || e.ends.Sub(now) <= within
}

const registerHead = "# serial, whose, issued, ends, lifetime asked for\n"

func encodeRegister(all []entry) []byte {
	var b bytes.Buffer
	b.WriteString(registerHead)
	for _, e := range all {
		fmt.Fprintf(&b, "%s %s %s %s %s\n", e.serial, e.subject, stamp(e.issued), stamp(e.ends), e.lifetime)
	}
	return b.Bytes()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

var (
	serialText  = regexp.MustCompile(`^([0-9a-f]{2}){1,20}$`)
	subjectText = regexp.MustCompile(`^[a-z]+/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// parseRegister reads what encodeRegister wrote.
func parseRegister(file string, data []byte) ([]entry, error) {
	var all []entry
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		if strings.HasPrefix(text, "#") {
			continue
		}
		e, err := parseEntry(text)
		if err != nil {
			return nil, diag.New(diag.DepotDamaged, "%v", err).At(diag.Position{File: file, Line: line})
		}
		all = append(all, e)
	}
	return all, nil
}

func parseEntry(line string) (entry, error) {
	text, whole := strings.CutSuffix(line, "\n")
	fields := strings.Split(text, " ")
	if !whole || len(fields) != 5 {
		return entry{}, fmt.Errorf("%.100q is not a line of the register", line)
	}
	e := entry{serial: fields[0], subject: fields[1]}
	if !serialText.MatchString(e.serial) {
		return entry{}, fmt.Errorf("%.50q is not a serial number", e.serial)
	}
	if !subjectText.MatchString(e.subject) {
		return entry{}, fmt.Errorf("%.100q is not KIND/NAME", e.subject)
	}
	for i, to := range []*time.Time{&e.issued, &e.ends} {
		var err error
		if *to, err = time.Parse(time.RFC3339, fields[2+i]); err != nil {
			return entry{}, fmt.Errorf("%.50q is not a time", fields[2+i])
		}
	}
	var err error
	if e.lifetime, err = time.ParseDuration(fields[4]); err != nil || e.lifetime <= 0 || !e.ends.After(e.issued) {
		return entry{}, fmt.Errorf("%.100q does not say how long it lives", text)
	}
	return e, nil
}
