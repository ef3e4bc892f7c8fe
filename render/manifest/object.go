package manifest

import (
	"crypto/sha256"
	"fmt"
	"path"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// Labels of every object, by Kubernetes' recommended names and by Slipway's own for
// the owner, which no recommended name has.
const (
	NameLabel        = "app.kubernetes.io/name"
	InstanceLabel    = "app.kubernetes.io/instance"
	PartOfLabel      = "app.kubernetes.io/part-of"
	ManagedByLabel   = "app.kubernetes.io/managed-by"
	VersionLabel     = "app.kubernetes.io/version"
	OwnerLabel       = "slipway.dev/owner"
	EnvironmentLabel = "slipway.dev/environment"
)

// Labels are those of every object of a service.
func Labels(svc *contract.Service) Map {
	return Map{
		E(NameLabel, svc.Name).From("%s", At(svc, "metadata/name")),
		E(ManagedByLabel, "slipway"),
		E(OwnerLabel, LabelValue(svc.Owner)).From("%s", At(svc, "metadata/owner")),
	}
}

// Selector is what tells a service's pods from others.
func Selector(svc *contract.Service) Map { return Map{E(NameLabel, svc.Name)} }

// Object is the beginning of an object: version, kind, and metadata with name,
// namespace (left out if empty) and labels. Further entries follow.
func Object(apiVersion, kind, name, namespace string, labels Map, more ...Entry) Map {
	var ns any
	if namespace != "" {
		ns = namespace
	}
	meta := Map{E("name", name), E("namespace", ns), E("labels", labels)}
	return append(Map{E("apiVersion", apiVersion), E("kind", kind), E("metadata", meta)}, more...)
}

// At names the place of an element of a contract, with its path: what a comment
// says of where a value came from.
func At(svc *contract.Service, element string) string {
	return place(svc.Written(element), svc.Position(element).Line, path.Base(svc.File()), element)
}

// AtClusters names the place of an element of clusters.yaml.
func AtClusters(c *contract.Clusters, element string) string {
	return place(c.Written(element), c.Position(element).Line, contract.ClustersFile, element)
}

func place(written bool, line int, file, element string) string {
	element = strings.ReplaceAll(element, "/", ".")
	if !written {
		return element + ", by default"
	}
	return fmt.Sprintf("%s:%d %s", file, line, element)
}

// LabelValue is a text as the value of a label may be: what may not stand in one
// becomes '-', and no more than 63 characters are kept. A text of which nothing is
// left becomes a number that no other text has.
func LabelValue(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	value := b.String()
	value = strings.Trim(value[:min(len(value), 63)], "-_.")
	if value == "" && text != "" {
		return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:12]
	}
	return value
}
