package contract

import (
	"fmt"
	"regexp"

	"github.com/slipway-go/slipway/diag"
)

// A nameRule is what the keys of a mapping by name look like.
type nameRule struct {
	noun    string
	pattern string
	most    int
	fix     string
	re      *regexp.Regexp
}

func rule(noun, pattern string, most int, fix string) *nameRule {
	return &nameRule{noun, pattern, most, fix, regexp.MustCompile(pattern)}
}

// The names of a contract. Topic names are what Kafka takes; the estate's
// naming rule, which is narrower, is judged by [Estate.Validate].
var (
	serviceNames = rule("service", `^[a-z]([a-z0-9-]*[a-z0-9])?$`, 40,
		"use a DNS label: lower-case letters, digits and -, beginning with a letter, at most 40 characters")
	environmentNames = rule("environment", `^[a-z][a-z0-9]*$`, 12,
		"use lower-case letters and digits, beginning with a letter, without -, at most 12 characters")
	topicNames = rule("topic", `^(\.{0,2}[a-zA-Z0-9_-]|\.{3})[a-zA-Z0-9._-]*$`, maxName,
		"use letters, digits, '.', '_' and '-', at most 249 characters, and neither . nor .. alone")
	aliasNames = rule("alias", `^[a-z]([a-z0-9-]*[a-z0-9])?$`, 40,
		"use lower-case letters, digits and -, beginning with a letter")
)

// maxName is the longest name that Kafka takes for a topic.
const maxName = 249

func (r *nameRule) check(name string) error {
	if len(name) > r.most {
		return fmt.Errorf("%.60s… is longer than the %d characters of a %s name", name, r.most, r.noun)
	}
	if !r.re.MatchString(name) {
		return fmt.Errorf("%q is not a valid %s name", name, r.noun)
	}
	return nil
}

// typ is a value that is such a name.
func (r *nameRule) typ() typ[string] {
	t := matching(r.noun+" name", r.pattern, r.most, r.fix)
	return scalarOf(t.shape, func(s string) (string, error) {
		if err := r.check(s); err != nil {
			return "", &valueError{cause: "is not a valid " + r.noun + " name", fix: r.fix, code: diag.ContractName}
		}
		return s, nil
	}, textScalar)
}
