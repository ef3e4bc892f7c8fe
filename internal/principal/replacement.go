package principal

import (
	"regexp"
	"strconv"
	"strings"
)

// A replacement is text and references to groups, in turn.
type replacement []piece

// A piece is literal text, or group of the match if group is not negative.
type piece struct {
	text  string
	group int
}

var references = regexp.MustCompile(`\$([0-9]+)`)

// parseReplacement reads a replacement for a pattern as Kafka and Java do, or
// says why every login would fail.
func parseReplacement(text string, p *pattern) (replacement, error) {
	text, err := literally(text, p.groups)
	if err != nil {
		return nil, err
	}
	var out replacement
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\\' && i+1 == len(text):
			return nil, refused("the replacement ends with a backslash")
		case c == '\\':
			out = append(out, piece{text: text[i+1 : i+2], group: -1})
			i += 2
		case c == '$':
			group, width, err := reference(text[i:], p)
			if err != nil {
				return nil, err
			}
			out = append(out, piece{group: group})
			i += width
		default:
			out = append(out, piece{text: text[i : i+1], group: -1})
			i++
		}
	}
	return out, nil
}

// literally puts a backslash before a reference to a group that there is not, as
// Kafka does where the pattern has any group. It is wrong about the place of a
// second one, which then ends every login.
func literally(text string, groups int) (string, error) {
	if groups == 0 {
		return text, nil
	}
	out := text
	for _, m := range references.FindAllStringSubmatchIndex(text, -1) {
		digits := text[m[2]:m[3]]
		if strings.HasPrefix(digits, "0") {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil {
			return "", refused("the replacement refers to group %s", digits)
		}
		for int(n) > groups && n >= 10 {
			n /= 10
		}
		switch {
		case int(n) <= groups:
		case out != text:
			return "", refused("the replacement refers to groups that the pattern does not have, more than once")
		default:
			out = out[:m[0]] + `\` + out[m[0]:]
		}
	}
	return out, nil
}

// reference reads $1, $12 (as many digits as there are groups for) or ${name}.
func reference(text string, p *pattern) (group, width int, err error) {
	if strings.HasPrefix(text, "${") {
		name, _, closed := strings.Cut(text[2:], "}")
		group = p.whole.SubexpIndex(name)
		if !closed || group < 0 {
			return 0, 0, refused("the replacement refers to a group named %q, which the pattern does not have", name)
		}
		return group, len(name) + 3, nil
	}
	if len(text) < 2 || text[1] < '0' || text[1] > '9' {
		return 0, 0, refused("a $ in the replacement is followed by no group").WithFix("write $1 for the first group, and \\$ for the sign itself")
	}
	group, width = int(text[1]-'0'), 2
	for ; width < len(text) && text[width] >= '0' && text[width] <= '9'; width++ {
		next := group*10 + int(text[width]-'0')
		if next > p.groups {
			break
		}
		group = next
	}
	if group > p.groups {
		return 0, 0, refused("the replacement refers to group %d, and the pattern has %d", group, p.groups).
			WithFix("put the part of the name that is meant into parentheses")
	}
	return group, width, nil
}

// appendTo appends the replacement for a match in text, whose indexes are those
// of the regexp package.
func (r replacement) appendTo(b *strings.Builder, text string, match []int) {
	for _, p := range r {
		switch {
		case p.group < 0:
			b.WriteString(p.text)
		case match[2*p.group] >= 0:
			b.WriteString(text[match[2*p.group]:match[2*p.group+1]])
		}
	}
}
