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

	reserved string // a name of the right form that is taken
}

func rule(noun, pattern string, most int, fix string) *nameRule {
	return &nameRule{noun: noun, pattern: pattern, most: most, fix: fix, re: regexp.MustCompile(pattern)}
}

// The names of a contract. Topic names are what Kafka takes; the estate's
// naming rule, which is narrower, is judged by [Estate.Validate].
var (
	serviceNames = rule("service", `^[a-z]([a-z0-9-]*[a-z0-9])?$`, 40,
		"use a DNS label: lower-case letters, digits and -, beginning with a letter, at most 40 characters")
	environmentNames = rule("environment", `^[a-z][a-z0-9]*$`, 12,
		"use lower-case letters and digits, beginning with a letter, without -, at most 12 characters").except(redrive)
	topicNames = rule("topic", `^(\.{0,2}[a-zA-Z0-9_-]|\.{3})[a-zA-Z0-9._-]*$`, maxName,
		"use letters, digits, '.', '_' and '-', at most 249 characters, and neither . nor .. alone")
	aliasNames = rule("alias", `^[a-z]([a-z0-9-]*[a-z0-9])?$`, 40,
		"use lower-case letters, digits and -, beginning with a letter")
	referenceNames = rule("reference", `^[^\s"\\]+$`, 255,
		"use the name as the schema spells it, without spaces and quotes, at most 255 characters")
	nodeNames = rule("node", `^[a-z]([a-z0-9-]*[a-z0-9])?$`, 63,
		"use a DNS label: lower-case letters, digits and -, beginning with a letter, at most 63 characters; host names go under hosts")
)

// except takes a name out of those that are allowed.
func (r *nameRule) except(name string) *nameRule {
	r.reserved = name
	return r
}

// maxName is the longest name that Kafka takes for a topic.
const maxName = 249

// remedy says what to do about a name that is refused.
func (r *nameRule) remedy(name string) string {
	if r.taken(name) {
		return "choose another name"
	}
	return r.fix
}

func (r *nameRule) taken(name string) bool { return r.reserved != "" && name == r.reserved }

func (r *nameRule) check(name string) error {
	if len(name) > r.most {
		return fmt.Errorf("%.60s… is longer than the %d characters of a %s name", name, r.most, r.noun)
	}
	if r.taken(name) {
		return fmt.Errorf("%q is reserved: the names of another service there would be those of a redrive user", name)
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
			return "", &valueError{cause: "is not a valid " + r.noun + " name", fix: r.remedy(s), code: diag.ContractName}
		}
		return s, nil
	}, textScalar)
}
