package asyncapi

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// The versions of what is written.
const (
	version = "3.0.0"
	binding = "0.5.0" // of Kafka's bindings
	slipway = "x-slipway"
)

// writer makes the document of one service.
type writer struct {
	estate *contract.Resolved
	svc    *contract.Service // in the environment
	base   *contract.Service // as written
	tree   *contract.Tree    // likewise
	parts  components
}

func (w *writer) file() render.File {
	head := fmt.Sprintf("The service %s in %s, from %s.\nRendered by slipway render asyncapi: an edit is noticed, and not kept.", w.svc.Name, w.estate.Env, w.svc.File())
	return manifest.File(w.svc.Name+"/asyncapi.yaml", head, w.document())
}

func (w *writer) document() manifest.Map {
	w.parts.collect(w.svc)
	topics := w.topics()
	channels, operations := manifest.Map{}, manifest.Map{}
	for _, t := range topics {
		channels = append(channels, manifest.E(t.id, w.channel(t)).From("%s", t.from))
	}
	for _, name := range slices.Sorted(maps.Keys(w.svc.Produces)) {
		operations = append(operations, manifest.E("send."+name, w.send(w.svc.Produces[name])).From("%s", manifest.At(w.svc, "produces/"+name)))
	}
	for _, name := range slices.Sorted(maps.Keys(w.svc.Consumes)) {
		operations = append(operations, manifest.E("receive."+name, w.receive(w.svc.Consumes[name])).From("%s", manifest.At(w.svc, "consumes/"+name)))
	}
	servers, schemes := w.servers()
	parts := w.parts.schemas
	return manifest.Map{
		manifest.E("asyncapi", version),
		manifest.E("id", "urn:slipway:"+w.svc.Identity()),
		manifest.E("info", w.info()),
		manifest.If(len(servers) > 0, manifest.E("servers", servers)),
		manifest.E("channels", channels),
		manifest.E("operations", operations),
		manifest.If(len(parts)+len(schemes) > 0, manifest.E("components", manifest.Map{
			manifest.If(len(parts) > 0, manifest.E("schemas", parts)),
			manifest.If(len(schemes) > 0, manifest.E("securitySchemes", schemes)),
		})),
		manifest.E(slipway, w.rest()).From("what the contract says and AsyncAPI has no place for"),
	}
}

func (w *writer) info() manifest.Map {
	about := manifest.Map{
		manifest.E("title", text(w.svc.Name)).From("%s", manifest.At(w.svc, "metadata/name")),
		manifest.E("version", w.svc.Hash()[:12]).From("the beginning of the contract's hash"),
	}
	if w.svc.Description != "" {
		about = append(about, manifest.E("description", text(w.svc.Description)).From("%s", manifest.At(w.svc, "metadata/description")))
	}
	return append(about,
		manifest.E("contact", manifest.Map{manifest.E("name", text(w.svc.Owner)).From("%s", manifest.At(w.svc, "metadata/owner"))}),
		manifest.E("tags", []manifest.Map{{manifest.E("name", text(w.estate.Env)), manifest.E("description", "the environment")}}),
	)
}

// servers are the addresses of the clusters that the service uses, and the ways in
// which it proves who it is. A cluster that has none until it runs has no server.
func (w *writer) servers() (servers, schemes manifest.Map) {
	known := make(map[string]bool)
	for _, alias := range slices.Sorted(maps.Keys(w.aliases())) {
		cluster := w.estate.Cluster(w.estate.ClusterName(alias))
		for i, address := range w.addresses(alias) {
			id := serverID(cluster.Name, i)
			if known[id] {
				continue
			}
			known[id] = true
			auth := string(w.svc.AuthOn(cluster.Name))
			if !known["auth "+auth] {
				known["auth "+auth] = true
				schemes = append(schemes, manifest.E(auth, manifest.Map{manifest.E("type", schemeTypes[auth])}).From("%s", manifest.At(w.svc, "identity/auth")))
			}
			server := manifest.Map{
				manifest.E("host", text(address)), manifest.E("protocol", "kafka-secure"),
				manifest.E("security", []manifest.Map{ref("components", "securitySchemes", auth)}),
			}
			if cluster.Registry != nil && cluster.Registry.URL != "" {
				server = append(server, kafka(manifest.E("schemaRegistryUrl", text(cluster.Registry.URL)), manifest.E("schemaRegistryVendor", "confluent")))
			}
			servers = append(servers, manifest.E(id, server).From("%s", manifest.AtClusters(w.estate.Clusters, "clusters/"+cluster.Name)))
		}
	}
	return servers, schemes
}

// schemeTypes are AsyncAPI's words for the ways to authenticate.
var schemeTypes = map[string]string{
	string(contract.MTLS): "X509", string(contract.SCRAMSHA512): "scramSha512",
	string(contract.SCRAMSHA256): "scramSha256", string(contract.Plain): "plain",
}

// aliases are the logical clusters that the service's topics are on.
func (w *writer) aliases() map[string]bool {
	all := make(map[string]bool)
	for _, t := range w.svc.Topics {
		all[t.Cluster] = true
	}
	for _, p := range w.svc.Produces {
		all[p.Cluster] = true
	}
	for _, c := range w.svc.Consumes {
		all[c.Cluster] = true
	}
	return all
}

// addresses are where the service reaches a cluster.
func (w *writer) addresses(alias string) []string {
	cluster := w.estate.Cluster(w.estate.ClusterName(alias))
	if cluster == nil {
		return nil
	}
	address := cluster.Bootstrap.SCRAM
	switch w.svc.AuthOn(cluster.Name) {
	case contract.MTLS:
		address = cluster.Bootstrap.MTLS
	case contract.Plain:
		address = cluster.Bootstrap.Plain
	}
	return strings.FieldsFunc(address, func(r rune) bool { return r == ',' || r == ' ' })
}

func serverID(cluster string, i int) string {
	if i == 0 {
		return cluster
	}
	return cluster + "-" + strconv.Itoa(i+1)
}

// ref is a reference to an element of the document.
func ref(path ...string) manifest.Map {
	return manifest.Map{manifest.E("$ref", text(pointer(path...)))}
}

// pointer is the address of an element of the document.
func pointer(path ...string) string {
	var b strings.Builder
	b.WriteString("#")
	for _, step := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	return b.String()
}

// kafka is an entry of Kafka's bindings.
func kafka(entries ...manifest.Entry) manifest.Entry {
	return manifest.E("bindings", manifest.Map{manifest.E("kafka", append(manifest.Map(entries), manifest.E("bindingVersion", binding)))})
}

// rest is what concerns no topic: the keys of the contract as they are written,
// and the files that are not schemas of messages.
func (w *writer) rest() manifest.Map {
	rest := manifest.Map{manifest.E("contract", contract.APIVersion)}
	for _, c := range children(w.tree) {
		switch c.Key {
		case "apiVersion", "kind", "metadata", "topics", "produces", "consumes":
		default:
			rest = append(rest, manifest.E(c.Key, written(c)).From("%s", manifest.At(w.base, c.Key)))
		}
	}
	files := manifest.Map{}
	for name, content := range w.svc.Files() {
		if w.parts.ids[name] == "" {
			files = append(files, manifest.E(name, kept(content)))
		}
	}
	return append(rest, manifest.If(len(files) > 0, manifest.E("files", files)))
}

// kept is the content of a file: as text, or in base64 where it has what a document
// may not have, such as other line ends.
func kept(content string) any {
	if _, problems := contract.ParseTree("", manifest.YAML("", manifest.Map{manifest.E("file", text(content))})); problems.Failed() {
		return manifest.Map{manifest.E("base64", base64.StdEncoding.EncodeToString([]byte(content)))}
	}
	return text(content)
}
