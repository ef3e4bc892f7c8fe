package acl

import (
	"slices"
	"strings"
	"unicode"

	"github.com/slipway-go/slipway/diag"
)

// kafkaACLs begins every line of [KafkaACLs]. Where to and as whom is the
// shell's to know, so that the lines hold for every cluster and no secret is
// near them.
const kafkaACLs = `kafka-acls.sh --bootstrap-server "$BOOTSTRAP_SERVERS" --command-config "$ADMIN_CONFIG" --add`

// resourceFlags are what kafka-acls.sh calls the types of resources. A cluster
// has no name there.
var resourceFlags = map[ResourceType]string{
	Topic: "--topic", Group: "--group", TransactionalID: "--transactional-id",
	Cluster: "--cluster", DelegationToken: "--delegation-token", User: "--user-principal",
}

// KafkaACLs returns the bindings as commands for kafka-acls.sh, one for each
// principal and resource. Every name is quoted for sh, so the lines are safe to
// paste; a name that would act on the terminal itself is refused, all of them
// at once.
func KafkaACLs(bindings []Binding) ([]string, error) {
	var faults diag.List
	for _, b := range bindings {
		for _, name := range []string{b.Principal, b.Name, b.Host} {
			if strings.ContainsFunc(name, unprintable) {
				faults.Add(diag.New(diag.ACLUnprintable, "%s cannot be pasted: it holds %+q", b, name))
				break
			}
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	var lines []string
	for _, same := range stacked(bindings) {
		lines = append(lines, kafkaACLsLine(same))
	}
	return lines, nil
}

// unprintable takes what a terminal acts on or does not show.
func unprintable(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// stacked puts together the bindings that differ in nothing but the operation.
func stacked(bindings []Binding) [][]Binding {
	sorted := slices.SortedFunc(slices.Values(bindings), Binding.Compare)
	where := map[Binding]int{}
	var groups [][]Binding
	for _, b := range slices.Compact(sorted) {
		of := b
		of.Operation = ""
		i, known := where[of]
		if !known {
			i = len(groups)
			where[of] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], b)
	}
	return groups
}

func kafkaACLsLine(same []Binding) string {
	b := same[0]
	words := []string{kafkaACLs, "--allow-principal", quoted(b.Principal)}
	host := "--allow-host"
	if b.Permission == Deny {
		words[1], host = "--deny-principal", "--deny-host"
	}
	if b.Host != AnyHost {
		words = append(words, host, quoted(b.Host))
	}
	for _, each := range same {
		words = append(words, "--operation", pascal(each.Operation))
	}
	switch {
	case b.ResourceType == Cluster:
		words = append(words, resourceFlags[Cluster])
	case strings.HasPrefix(b.Name, "-"): // else it would look like a flag
		words = append(words, resourceFlags[b.ResourceType]+"="+quoted(b.Name))
	default:
		words = append(words, resourceFlags[b.ResourceType], quoted(b.Name))
	}
	if b.Pattern == Prefixed {
		words = append(words, "--resource-pattern-type", "prefixed")
	}
	return strings.Join(words, " ")
}

// quoted is a word that sh takes as it is.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// pascal is an operation as Kafka's tools and Strimzi write it: AlterConfigs
// for ALTER_CONFIGS.
func pascal(op Operation) string {
	var b strings.Builder
	for word := range strings.SplitSeq(string(op), "_") {
		if word != "" {
			b.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}
