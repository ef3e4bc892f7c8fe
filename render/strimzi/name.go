package strimzi

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// objectName is what Kubernetes takes as the name of most objects, as far as Kafka's
// names can be ones.
var objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// objectNames gives each topic the name of an object. A topic whose name Kubernetes
// takes has that; every other one has what can be kept of it, and the beginning of
// its hash, so that orders_created and orders.created are two objects. Names stay
// what they are when topics come and go, but for the case that nobody will see, in
// which a topic is called like another one with its hash.
func objectNames(topics []string) map[string]string {
	names, taken := make(map[string]string), make(map[string]bool)
	for _, t := range topics {
		if objectName.MatchString(t) {
			names[t], taken[t] = t, true
		}
	}
	rest := slices.DeleteFunc(slices.Clone(topics), func(t string) bool { return names[t] != "" })
	slices.Sort(rest)
	for _, t := range slices.Compact(rest) {
		sum := sha256.Sum256([]byte(t))
		hash := hex.EncodeToString(sum[:])
		for n := 8; ; n++ {
			if name := kept(t) + hash[:n]; !taken[name] {
				names[t], taken[name] = name, true
				break
			}
		}
	}
	return names
}

// kept is what a name of Kubernetes' keeps of a topic's: letters in lower case, and
// other characters as hyphens, with one at the end.
func kept(topic string) string {
	var labels []string
	for label := range strings.SplitSeq(strings.ToLower(strings.ReplaceAll(topic, "_", "-")), ".") {
		if label = strings.Trim(label, "-"); label != "" {
			labels = append(labels, label)
		}
	}
	text := strings.Join(labels, ".")
	if text = strings.Trim(text[:min(len(text), 230)], ".-"); text == "" {
		return ""
	}
	return text + "-"
}
