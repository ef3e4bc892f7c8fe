package contract

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// A Connector is one that Kafka Connect runs for the service. It acts with the
// rights of the Connect worker and not with those of the service.
type Connector struct {
	Name    string            // within the contract; see [Service.ConnectorName]
	Cluster string            // alias of the cluster whose Kafka Connect runs it
	File    string            // JSON with its settings; empty if there is none
	Config  map[string]string // settings laid over those of the file; nil if there are none
	Derived bool              // not written: it relays the outbox
}

// The settings that every connector has, in Kafka Connect's words.
const (
	ConnectorClass    = "connector.class"
	connectorNameKey  = "name"
	connectorConfigIn = "config" // what a file that was meant for POST /connectors has around them
)

// ConnectorName is what a connector is called on the worker: the service's
// identity, then its name in the contract.
func (s *Service) ConnectorName(c *Connector) string { return join(s.Identity(), c.Name) }

// ConnectorConfig is everything that the worker is told of a connector: the
// settings of its file, those of the contract over them, and its name.
func (s *Service) ConnectorConfig(c *Connector) (map[string]string, error) {
	all, list, complete := s.connectorSettings(c)
	if !complete {
		return nil, fmt.Errorf("read connector %s: %s: %w", c.Name, c.File, fs.ErrNotExist)
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	config := make(map[string]string, len(all)+1)
	for key, s := range all {
		config[key] = s.value
	}
	config[connectorNameKey] = s.ConnectorName(c)
	return config, nil
}

// A setting is one of a connector's, with the place where it is written.
type setting struct {
	value string
	at    diag.Position
}

// connectorSettings are a connector's settings and what is wrong with its
// file. They are not complete if the file could not be read.
func (s *Service) connectorSettings(c *Connector) (all map[string]setting, list diag.List, complete bool) {
	all, complete = map[string]setting{}, true
	if c.File != "" {
		text, read := s.source.schemas[c.File]
		complete = read
		if read {
			all, list = parseConnectorFile(path.Join(s.Dir(), c.File), []byte(text))
		}
	}
	for key, value := range c.Config {
		all[key] = setting{value, s.Position("connectors", c.Name, "config", key)}
	}
	return all, list, complete
}

// connector judges what is written of one connector, in any environment.
func (f *faults) connector(c *Connector) {
	element := "connectors/" + c.Name
	if c.File == "" && c.Config == nil {
		f.add(diag.ContractConnector, element, "write file: connectors/"+c.Name+".json, or config: with the settings", "the connector has neither a file nor a config")
		return
	}
	all, list, complete := f.service.connectorSettings(c)
	f.list = append(f.list, list...)
	if !complete || list.Failed() {
		return // told, and what is missing may be in there
	}
	if all[ConnectorClass].value == "" {
		f.add(diag.ContractConnector, element, "add "+ConnectorClass+": the plugin's full class name", "the connector has no %s", ConnectorClass)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if PlainSecret(key, all[key].value) {
			f.list.Add(diag.New(diag.ContractConnectorSecret, "%s: %s holds a secret in plain text", element, key).At(all[key].at))
		}
	}
	if name, written := all[connectorNameKey]; written && !f.service.ownConnectorName(c, name.value) {
		f.list.Add(diag.New(diag.ContractConnector, "%s: its settings call it %s", element, quoteEmpty(name.value)).At(name.at).
			WithFix("remove name from the settings: on the worker the connector is called svc-%s-<environment>.%s", f.service.Name, c.Name))
	}
}

// ownConnectorName reports whether a name that settings give is the
// connector's: the contract's, or the worker's, in the environment at hand, or
// in any before there is one.
func (s *Service) ownConnectorName(c *Connector, name string) bool {
	if name == c.Name || s.Env != "" {
		return name == c.Name || name == s.ConnectorName(c)
	}
	env, behind := strings.CutSuffix(name, "."+c.Name)
	env, before := strings.CutPrefix(env, "svc-"+s.Name+"-")
	return before && behind && environmentNames.check(env) == nil
}

// connectorNamesIn judges names that are right in one environment only.
func (f *faults) connectorNamesIn() {
	for _, local := range slices.Sorted(maps.Keys(f.service.Connectors)) {
		c := f.service.Connectors[local]
		all, list, _ := f.service.connectorSettings(c)
		name, written := all[connectorNameKey]
		if written && !list.Failed() && !f.service.ownConnectorName(c, name.value) {
			f.list.Add(diag.New(diag.ContractConnector, "connectors/%s: its settings call it %s, and in environment %s it is %s",
				local, quoteEmpty(name.value), f.service.Env, f.service.ConnectorName(c)).At(name.at).
				WithFix("remove name from the settings"))
		}
	}
}

// connectors judges that the aliases of connectors are bound, and to clusters
// that have somebody to run them.
func (f *faults) connectors(r *Resolved) {
	for _, name := range slices.Sorted(maps.Keys(f.service.Connectors)) {
		alias, element := f.service.Connectors[name].Cluster, "connectors/"+name
		cluster := r.ClusterName(alias)
		switch entry := r.Clusters.Clusters[cluster]; {
		case cluster == "":
			f.alias(r, use{element, alias, ""})
		case entry != nil && entry.Connect == nil:
			f.warn(diag.ConnectMissing, element, "", "in environment %s cluster %s has no Kafka Connect to run it, so the environment cannot be planned", r.Env, cluster)
		}
	}
}

// The table of connectors in slipway.yaml.
var connectorType = object(
	at("cluster", aliasNames.typ(), func(c *Connector) *string { return &c.Cluster }, "The logical cluster whose Kafka Connect runs it. The embedded and the local cluster have none, and are left without it.", def(DefaultAlias), fixed),
	at("file", text(255), func(c *Connector) *string { return &c.File }, "A JSON file with the connector's settings, relative to the contract and not outside of its directory: an object of settings, or what is sent to POST /connectors. A binary that embeds the contract embeds it too.", fixed),
	at("config", settingsType, func(c *Connector) *map[string]string { return &c.Config }, "The connector's settings in Kafka Connect's words, taken as written; where there is a file, laid over its settings key by key. A secret is a reference such as ${file:/etc/secrets/db:password}, which the worker resolves."),
)

var connectorNames = rule("connector", `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`, 60,
	"use lower-case letters, digits and -, at most 60 characters")

var settingNames = rule("setting", `^[!-~]+$`, 255, "write the setting as Kafka Connect knows it, without spaces")

// maxSetting is the longest value of a setting, in characters.
const maxSetting = 32 << 10

// settingsType is a mapping of free text by free names. Environments may add
// and remove entries.
var settingsType = typ[map[string]string]{&kind{
	shape: &shape{
		name: "mapping by setting", names: settingNames, free: true,
		item: &shape{name: "text | number | boolean", schema: map[string]any{"type": []string{"string", "number", "boolean"}, "maxLength": maxSetting}},
	},
	read: readSettings,
}}

// readSettings repeats no value in what it reports: it may be a secret.
func readSettings(d *decoder, n *node, into any) {
	if n.kind != mappingNode {
		d.wrongType(n, "a mapping by setting", "write each setting as a key with its value behind it")
		return
	}
	all := make(map[string]string, len(n.entries))
	*into.(*map[string]string) = all
	for _, e := range n.entries {
		removed := d.overlay != nil && e.value.scalar() == nullScalar
		if err := settingNames.check(e.key); err != nil {
			d.fault(e.at, diag.ContractName, settingNames.fix, "%v", err)
			continue
		}
		d.within(e.key, func() {
			switch {
			case removed:
			case e.value.kind != scalarNode || e.value.scalar() == nullScalar:
				d.wrongType(e.value, "text", "write one value; several go into one text, with commas")
			case len([]rune(e.value.text)) > maxSetting:
				d.fault(e.value.at, diag.ContractValue, "shorten it", "the value is longer than %d characters", maxSetting)
			default:
				all[e.key] = e.value.text
			}
		})
	}
}

// errNoObject is a file that is JSON and no object.
var errNoObject = errors.New("it is not a JSON object of settings")
