package acl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxMisses is how many near misses a decision tells at most.
const MaxMisses = 5

// A Difference is the one thing that keeps a binding from allowing a request.
type Difference string

// The differences, the smallest first.
const (
	Overruled        Difference = "overruled" // nothing is wrong with it; a DENY wins
	HostDiffers      Difference = "host"
	PrincipalDiffers Difference = "principal"
	NameDiffers      Difference = "name"
	OperationDiffers Difference = "operation"
)

var differences = []Difference{Overruled, HostDiffers, PrincipalDiffers, NameDiffers, OperationDiffers}

// A Miss is a binding that would allow a request but for one thing.
type Miss struct {
	Binding Binding
	Differs Difference
	Text    string // what keeps it from allowing the request, in words
}

// misses looks for what is meant to allow a request, and does not.
func (r *Rules) misses(q Request) []Miss {
	var near []Miss
	for _, b := range r.all {
		if b.Permission == Deny || b.ResourceType != q.ResourceType {
			continue
		}
		if m, ok := b.miss(q); ok {
			near = append(near, m)
		}
	}
	slices.SortStableFunc(near, func(a, b Miss) int {
		return cmp.Compare(slices.Index(differences, a.Differs), slices.Index(differences, b.Differs))
	})
	return near[:min(len(near), MaxMisses)]
}

// miss reports how the binding misses the request, if it does by one thing
// only. Somebody else's right, and one on another name, count only where the
// two could be mistaken for each other.
func (b Binding) miss(q Request) (Miss, bool) {
	does, on := b.does(q.Operation), b.Matches(q.ResourceType, q.Name)
	who, here := b.HoldsFor(q.Principal), b.holdsAt(q.Host)
	right := 0
	for _, ok := range []bool{does, on, who, here} {
		if ok {
			right++
		}
	}
	switch {
	case right == 4:
		return Miss{b, Overruled, b.phrase() + to(&b) + ", and a DENY wins over it"}, true
	case right < 3:
		return Miss{}, false
	case !here:
		return Miss{b, HostDiffers, b.phrase() + to(&b) + " only; " + whereabouts(q)}, true
	case !does:
		return Miss{b, OperationDiffers, fmt.Sprintf("%s%s, not %s", b.phrase(), to(&b), q.Operation)}, true
	case !who:
		hint, alike := mistakable(b.Principal, q.Principal)
		return Miss{b, PrincipalDiffers, fmt.Sprintf("%s%s; you are `%s`%s", b.phrase(), to(&b), q.Principal, hint)}, alike
	}
	hint := b.nameSlip(q.Name)
	return Miss{b, NameDiffers, fmt.Sprintf("%s%s; %s", b.phrase(), to(&b), hint)}, hint != ""
}

func whereabouts(q Request) string {
	if q.Host == "" {
		return "the question names no host"
	}
	return "you are at " + q.Host
}

// shortest is the length below which names differ in one character by chance.
const shortest = 3

// mistakable reports whether one principal may be meant by another, and what
// there is to say of it.
func mistakable(have, want string) (hint string, alike bool) {
	a, b := bare(have), bare(want)
	switch {
	case a == "" || b == "":
		return "", false
	case a == b && strings.Contains(have, "="):
		return ": the broker takes the whole name of a certificate unless ssl.principal.mapping.rules shorten it", true
	case a == b:
		return ": principals are compared letter by letter", true
	case a+redriveSuffix == b:
		return ", its redrive", true
	case b+redriveSuffix == a:
		return ", not its redrive", true
	case strings.HasPrefix(a, "svc-") && withoutEnv(a) == withoutEnv(b):
		return ", of another environment", true
	}
	return "", len(a) >= shortest && len(b) >= shortest && oneSlip(a, b)
}

const redriveSuffix = "-redrive"

// bare is a principal without what its spelling depends on: its type, the
// fields of a certificate's name around CN, and case.
func bare(principal string) string {
	name := strings.ToLower(principal)
	name = strings.TrimPrefix(name, "user:")
	if _, rest, ok := strings.Cut(name, "cn="); ok {
		name, _, _ = strings.Cut(rest, ",")
	}
	return strings.TrimSpace(name)
}

// withoutEnv drops the environment from svc-<service>-<environment>.
func withoutEnv(identity string) string {
	if i := strings.LastIndexByte(identity, '-'); i > len("svc") {
		return identity[:i]
	}
	return identity
}

// nameSlip says how the binding's name comes to miss one that it may be meant
// for, or nothing if it is just another one.
func (b Binding) nameSlip(name string) string {
	stem, starred := strings.CutSuffix(b.Name, everyName)
	switch {
	case starred && stem != "" && b.Pattern == Literal && strings.HasPrefix(name, stem):
		return fmt.Sprintf("in a LITERAL name `*` is a character like any other: PREFIXED `%s` is meant", stem)
	case starred && stem != "" && b.Pattern == Prefixed && strings.HasPrefix(name, stem):
		return fmt.Sprintf("a PREFIXED name takes no `*`: PREFIXED `%s` is meant", stem)
	case len(b.Name) < shortest:
		return ""
	case b.Pattern == Literal && strings.HasPrefix(name, b.Name) && strings.ContainsRune("._-", rune(b.Name[len(b.Name)-1])):
		return "a LITERAL name is a whole one: PREFIXED is meant"
	case b.Pattern == Literal:
		return slip(b.Name, name)
	}
	for _, n := range []int{len(b.Name), len(b.Name) + 1, len(b.Name) - 1} { // how much of the name the prefix may stand for
		if n > len(name) || n < shortest {
			continue
		}
		if hint := slip(b.Name, name[:n]); hint != "" {
			return hint
		}
	}
	return ""
}

// slip tells how two names may be mistaken for each other.
func slip(have, want string) string {
	switch {
	case have == want:
		return ""
	case strings.EqualFold(have, want):
		return fmt.Sprintf("`%s` differs in upper and lower case", want)
	case oneSlip(have, want):
		return fmt.Sprintf("`%s` differs in one character", want)
	}
	return ""
}

// oneSlip reports whether two strings differ by one byte that is another one,
// too many or missing, or by two neighbours that changed places.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	swapped := i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	return swapped || a[i+1:] == b[i+1:]
}
