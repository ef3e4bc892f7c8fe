package telemetry

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// Variables reads the variables of OpenTelemetry and gathers what is wrong with
// them, so that all of it is told at once. As its specification has it, an empty
// variable is one that is not set. It is not safe for concurrent use.
type Variables struct {
	lookup func(string) (string, bool)
	faults diag.List
}

// Text returns a variable, "" if it is not set.
func (v *Variables) Text(name string) string {
	text, _ := v.lookup(name)
	return strings.TrimSpace(text)
}

// First returns the first of the variables that is set, with its name; "" and
// the last name if none is.
func (v *Variables) First(names ...string) (name, text string) {
	for _, name = range names {
		if text = v.Text(name); text != "" {
			break
		}
	}
	return name, text
}

// OneOf returns a variable that has one of a few values, the first of which is
// its default.
func (v *Variables) OneOf(name string, values ...string) string {
	text := strings.ToLower(v.Text(name))
	if text == "" {
		return values[0]
	}
	if !slices.Contains(values, text) {
		v.Refuse(name, "use one of "+strings.Join(values, ", "))
		return values[0]
	}
	return text
}

// Bool returns a variable that is true or false.
func (v *Variables) Bool(name string) bool { return v.OneOf(name, "false", "true") == "true" }

// Int returns a whole number between least and most.
func (v *Variables) Int(name string, fallback, least, most int) int {
	text := v.Text(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		v.Refuse(name, "use a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
		return fallback
	}
	return n
}

// Duration returns a time that is written in milliseconds, as all of these
// variables are; at most an hour.
func (v *Variables) Duration(name string, fallback time.Duration) time.Duration {
	const most = int(time.Hour / time.Millisecond)
	return time.Duration(v.Int(name, int(fallback/time.Millisecond), 1, most)) * time.Millisecond
}

// Pairs returns a list of the form key=value,key=value whose values are
// percent-encoded. What is wrong with it is told without its values, which may
// be secret.
func (v *Variables) Pairs(name string) map[string]string {
	pairs := make(map[string]string)
	for i, item := range strings.Split(v.Text(name), ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		key, value, found := strings.Cut(item, "=")
		key = strings.TrimSpace(key)
		text, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || key == "" || err != nil {
			v.Fault(diag.New(diag.TelemetryVariable, "item %d of %s is not key=value with a percent-encoded value", i+1, name).
				WithFix("write %s as key=value,key=value; a comma in a value is %%2C, a percent sign %%25", name))
			continue
		}
		pairs[key] = text
	}
	return pairs
}

// Refuse says that a variable's value cannot be used, and what can be done.
func (v *Variables) Refuse(name, fix string) {
	v.Fault(diag.New(diag.TelemetryVariable, "%s is %q", name, v.Text(name)).WithFix("%s", fix))
}

// Fault adds what is wrong, once: two signals may read one variable.
func (v *Variables) Fault(d diag.Diagnostic) {
	if !slices.ContainsFunc(v.faults, func(f diag.Diagnostic) bool { return f.Message == d.Message }) {
		v.faults.Add(d)
	}
}

// list returns the names in a variable.
func (v *Variables) list(name string) []string {
	var all []string
	for item := range strings.SplitSeq(v.Text(name), ",") {
		if item = strings.ToLower(strings.TrimSpace(item)); item != "" && !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}
