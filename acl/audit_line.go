package acl

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An Attempt is one thing that a principal tried, as the authorizer of a broker
// logged it.
type Attempt struct {
	Principal    string
	Denied       bool
	Operation    Operation
	ResourceType ResourceType
	Name         string
	Host         string
	Request      string    // Kafka's word, such as Fetch
	Rule         string    // what decided: DefaultDeny, or an ACL; empty from AclAuthorizer
	Time         time.Time // zero if the line has none
}

const (
	attemptMark = "Principal = "
	loggerName  = "kafka.authorizer.logger"

	// nestedLogs is how many collectors may have wrapped a line in JSON of
	// their own.
	nestedLogs = 3
)

// ParseAttempt reads one line of an authorizer's log: what the logger
// kafka.authorizer.logger of Kafka's StandardAuthorizer or AclAuthorizer
// writes, in whatever pattern, or as JSON in any of log4j's layouts, with what
// a container's runtime puts around it. A time without a zone is taken as UTC.
//
// A line that is no such decision is not understood, and neither is a part of
// one. What a client may choose, the names of groups and transactional ids, is
// taken as a name whatever words are in it; a line break in one can still look
// like a line of its own, as it does to whoever reads the log.
func ParseAttempt(line []byte) (Attempt, bool) {
	if !bytes.Contains(line, []byte(attemptMark[:9])) { // some write = as \u003d
		return Attempt{}, false
	}
	text, at := unwrap(string(bytes.ToValidUTF8(line, []byte("\uFFFD"))), nestedLogs)
	prefix, text, found := strings.Cut(text, attemptMark)
	if !found {
		return Attempt{}, false
	}
	a, ok := parseDecision(text)
	if !ok {
		return Attempt{}, false
	}
	a.Time = at
	if at.IsZero() {
		a.Time = findTime(prefix)
	}
	return a, true
}

// parseDecision reads what follows the mark. The principal is what somebody
// authenticated as, so it is told from its end by the first words after it; a
// resource's name may be anything, so it is told by the last ones.
func parseDecision(text string) (Attempt, bool) {
	var a Attempt
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "("+loggerName+")"))
	denied, allowed := strings.Index(text, " is Denied "), strings.Index(text, " is Allowed ")
	a.Denied = denied >= 0 && (allowed < 0 || denied < allowed)
	word := " is Allowed "
	if a.Denied {
		word = " is Denied "
	}
	var found bool
	if a.Principal, text, found = strings.Cut(text, word); !found {
		return a, false
	}
	const operation = "operation = "
	if len(text) < len(operation) || !strings.EqualFold(text[:len(operation)], operation) {
		return a, false
	}
	op, text, found := strings.Cut(text[len(operation):], " from host = ")
	if !found {
		return a, false
	}
	if a.Host, text, found = strings.Cut(text, " on resource = "); !found {
		return a, false
	}
	i := strings.LastIndex(text, " for request = ")
	if i < 0 {
		return a, false
	}
	a.Request, a.Rule, found = parseRequest(text[i+len(" for request = "):])
	text = text[:i]
	a.Operation = knownOperation(op)
	a.ResourceType, a.Name = parseResource(text)
	return a, found && strings.Contains(a.Principal, ":") && a.Operation != "" && a.ResourceType != "" && a.Name != ""
}

func parseRequest(text string) (request, rule string, found bool) {
	request, text, found = strings.Cut(text, " with resourceRefCount = ")
	_, rule, _ = strings.Cut(text, " based on rule ")
	return strings.TrimSpace(request), strings.TrimSpace(rule), found && text != ""
}

// parseResource reads Topic:LITERAL:orders.created.v1.
func parseResource(text string) (ResourceType, string) {
	kind, text, _ := strings.Cut(text, ":")
	pattern, name, found := strings.Cut(text, ":")
	if !found || pattern != string(Literal) && pattern != string(Prefixed) {
		return "", ""
	}
	for known := range operations {
		if strings.EqualFold(kind, strings.ReplaceAll(string(known), "_", "")) {
			return known, name
		}
	}
	return "", ""
}

// knownOperation is Kafka's operation for DESCRIBE_CONFIGS as well as for
// DescribeConfigs; empty for none of Kafka's.
func knownOperation(text string) Operation {
	text = strings.ReplaceAll(strings.TrimSpace(text), "_", "")
	if strings.EqualFold(text, string(All)) {
		return All
	}
	for _, some := range operations {
		for _, op := range some {
			if strings.EqualFold(text, strings.ReplaceAll(string(op), "_", "")) {
				return op
			}
		}
	}
	return ""
}

// unwrap takes the message out of a line that is JSON, or ends in it, with the
// time that is beside it. Another line is its own message.
func unwrap(line string, depth int) (text string, at time.Time) {
	brace := strings.IndexByte(line, '{')
	if depth == 0 || brace < 0 || strings.Index(line, attemptMark[:9]) < brace {
		return line, time.Time{}
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(line[brace:]), &fields) != nil {
		return line, time.Time{}
	}
	for _, key := range []string{"message", "msg", "log", "short_message", "full_message", "MESSAGE", "text"} {
		var inner string
		if json.Unmarshal(fields[key], &inner) != nil || !strings.Contains(inner, attemptMark) && !strings.Contains(inner, "{") {
			continue
		}
		text, at = unwrap(inner, depth-1)
		if at.IsZero() {
			at = findTime(text[:max(0, strings.Index(text, attemptMark))])
		}
		if at.IsZero() {
			at = fieldTime(fields)
		}
		return text, at
	}
	return line, time.Time{}
}

// fieldTime is the time of a JSON line: as text, in seconds or milliseconds
// since 1970, or as log4j's pair of both.
func fieldTime(fields map[string]json.RawMessage) time.Time {
	for _, key := range []string{"@timestamp", "timestamp", "time", "timeMillis", "instant", "ts"} {
		raw, there := fields[key]
		if !there {
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) == nil {
			if at := findTime(text); !at.IsZero() {
				return at
			}
		}
		var instant struct{ EpochSecond, NanoOfSecond int64 }
		if json.Unmarshal(raw, &instant) == nil && instant.EpochSecond > 0 {
			return plausible(time.Unix(instant.EpochSecond, instant.NanoOfSecond))
		}
		if n, err := strconv.ParseFloat(string(raw), 64); err == nil && n > 0 && n < 1e14 {
			if n < 1e11 { // seconds
				n *= 1000
			}
			return plausible(time.UnixMilli(int64(n)))
		}
	}
	return time.Time{}
}

var timeForm = regexp.MustCompile(`(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?`)

// findTime is the first time in a text, zero if there is none.
func findTime(text string) time.Time {
	m := timeForm.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}
	}
	zone := strings.Replace(m[4], ":", "", 1)
	if zone == "" || zone == "Z" {
		zone = "+0000"
	}
	at, err := time.Parse("2006-01-02T15:04:05.999999999-0700", m[1]+"T"+m[2]+"."+(m[3] + "0")[:max(1, len(m[3]))]+zone)
	if err != nil {
		return time.Time{}
	}
	return plausible(at)
}

// plausible is a time in UTC; none if no log can be of it, and no document
// could hold it.
func plausible(at time.Time) time.Time {
	if at = at.UTC(); at.Year() < 1970 || at.Year() > 9000 {
		return time.Time{}
	}
	return at
}
