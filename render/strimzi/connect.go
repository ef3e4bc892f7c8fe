package strimzi

import (
	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/render/manifest"
)

// connect gives rights to who is no service of the estate: the workers of Kafka
// Connect, which relay outboxes. What else they may do is nobody's here, and a
// KafkaUser with a part of it would take the rest away. So it is a patch for the one
// that there is.
func (d *derivation) connect(rights acl.KafkaUser) {
	name := rights.Metadata.Name
	var ops []manifest.Map
	for _, rule := range d.rules("User:"+name, rights) {
		ops = append(ops, manifest.Map{manifest.E("op", "add"), manifest.E("path", "/spec/authorization/acls/-"), manifest.E("value", rule)})
	}
	dir := "components/" + name + "/"
	d.out = append(d.out,
		manifest.File(dir+"kustomization.yaml", "What "+name+" may do beside what it may do already. Name this directory under components\nin the kustomization that has its KafkaUser, which must list acls.", manifest.Map{
			manifest.E("apiVersion", "kustomize.config.k8s.io/v1alpha1"),
			manifest.E("kind", "Component"),
			manifest.E("patches", []manifest.Map{{
				manifest.E("path", "acls.yaml"),
				manifest.E("target", manifest.Map{manifest.E("group", "kafka.strimzi.io"), manifest.E("kind", "KafkaUser"), manifest.E("name", name)}),
			}}),
		}),
		manifest.Sequence(dir+"acls.yaml", "Rights that outboxes call for, which Kafka Connect relays.", ops),
	)
}
