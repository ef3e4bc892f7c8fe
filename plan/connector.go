package plan

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/connect"
	"github.com/slipway-go/slipway/internal/kafka"
)

// A Connect is what planning and applying need of Kafka Connect.
// [connect.Client] is one.
type Connect interface {
	// Connectors returns every connector with its settings, by name.
	Connectors(ctx context.Context) (map[string]connect.Connector, error)

	// Validate returns what the plugin has against settings; nothing if it
	// would take them.
	Validate(ctx context.Context, config map[string]string) ([]connect.Fault, error)

	// Put creates a connector, or gives it these settings and no others.
	Put(ctx context.Context, name string, config map[string]string) error

	// Delete ends a connector; one that is not there is done.
	Delete(ctx context.Context, name string) error
}

var _ Connect = (*connect.Client)(nil)

// A Connector that shall run on the cluster's Kafka Connect.
type Connector struct {
	Name    string
	Service string
	Config  map[string]string // all of its settings, its name included
	Reasons []Reason
}

// ConnectorState is what Kafka Connect has of a desired connector.
type ConnectorState struct {
	Config map[string]string // nil if there is none of its name
	Faults []connect.Fault   // what the plugin has against the desired settings, if they differ
}

// connectors are those that the service has on this cluster. The clusters that
// Slipway runs itself have no Kafka Connect: there a service does without.
func (d *derivation) connectors(svc *contract.Service) {
	if d.cluster.Name == contract.Embedded || d.cluster.Name == contract.Local {
		return
	}
	for _, local := range slices.Sorted(maps.Keys(svc.Connectors)) {
		c := svc.Connectors[local]
		if !d.here(c.Cluster) {
			continue
		}
		pos, why := svc.Position("connectors", local), "has connector "+local
		if c.Derived {
			pos, why = svc.Position("outbox", "relay"), "has its outbox relayed by Debezium"
		}
		config, err := svc.ConnectorConfig(c)
		if err != nil {
			d.faults.Add(diag.New(diag.ContractConnector, "the settings of connector %s of %s are not there: %v", local, svc.Name, err).At(pos))
			continue
		}
		d.out.Connectors = append(d.out.Connectors, Connector{
			Name: svc.ConnectorName(c), Service: svc.Name, Config: config,
			Reasons: []Reason{{Service: svc.Name, Text: why, Position: pos}},
		})
	}
}

// heartbeats is the topic where the connector that relays the outbox notes that
// it is alive. Nobody reads it.
func (d *derivation) heartbeats(svc *contract.Service) {
	if !svc.RelaysByDebezium() {
		return
	}
	for _, p := range svc.Produces {
		if p.Via != contract.Outbox || !d.here(p.Cluster) {
			continue
		}
		d.out.Topics = append(d.out.Topics, Topic{
			Name: svc.OutboxHeartbeatTopic(), Service: svc.Name, Role: Heartbeats,
			Partitions: 1, Replicas: d.cluster.Defaults.Replicas,
			Configs: map[string]string{kafka.CleanupPolicy: "delete", kafka.RetentionMillis: retention(time.Hour)},
			Reasons: []Reason{{Service: svc.Name, Text: "has its outbox relayed by Debezium", Position: svc.Position("outbox", "relay")}},
		})
		return // one for all
	}
}

// checkConnect refuses connectors that nobody would run.
func checkConnect(want *Desired, workers Connect) error {
	if workers != nil || len(want.Connectors) == 0 {
		return nil
	}
	return noConnect(want.Cluster, want.Connectors)
}

func noConnect(cluster string, connectors []Connector) error {
	d := diag.New(diag.ConnectMissing, "%s to cluster %s, which has no Kafka Connect", count(len(connectors), "connector belongs", "connectors belong"), cluster)
	for _, c := range connectors {
		for _, r := range c.Reasons {
			if d.Position.IsZero() {
				d = d.At(r.Position)
			}
			d = d.WithEvidence("%s", r)
		}
	}
	return d
}

// readConnectors lets a plugin judge only what would be sent to it: validating
// may reach out to what the connector connects to.
func (a *Actual) readConnectors(ctx context.Context, want *Desired, workers Connect) error {
	if len(want.Connectors) == 0 {
		return nil
	}
	all, err := workers.Connectors(ctx)
	if err != nil {
		return err
	}
	a.Connectors = make(map[string]ConnectorState, len(want.Connectors))
	var errs []error
	for _, c := range want.Connectors {
		state := ConnectorState{Config: all[c.Name].Config}
		if _, runs := all[c.Name]; runs && state.Config == nil {
			state.Config = map[string]string{}
		}
		if !maps.Equal(state.Config, c.Config) {
			state.Faults, err = workers.Validate(ctx, c.Config)
			errs = append(errs, err)
		}
		a.Connectors[c.Name] = state
	}
	return errors.Join(errs...)
}

// diffConnector makes an update of each setting that differs. All of them are
// sent at once, so one permission covers them.
func diffConnector(want Connector, is ConnectorState) []Change {
	change := func(action Action, fields ...Field) Change {
		c := Change{
			Action: action, Kind: KindConnector, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
			Fields: fields, item: item{connector: want},
		}
		switch {
		case len(is.Faults) > 0:
			c.Class, c.Note = Impossible, "its plugin refuses the settings: "+faultsText(is.Faults)
		case action == Update:
			c.Class, c.Allow = Disruptive, "restart:"+want.Name
			c.Note = "its tasks begin anew with all settings of the contract; what they had in hand since their last commit they do again"
		}
		return c
	}
	if is.Config == nil {
		var fields []Field
		for _, key := range slices.Sorted(maps.Keys(want.Config)) {
			if key != "name" {
				fields = append(fields, Field{Name: key, After: shown(key, want.Config[key])})
			}
		}
		return []Change{change(Create, fields...)}
	}
	var changes []Change
	keys := maps.Clone(want.Config)
	maps.Copy(keys, is.Config)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		before, was := is.Config[key]
		after, shall := want.Config[key]
		if was != shall || before != after {
			changes = append(changes, change(Update, Field{key, shown(key, before), cmp.Or(shown(key, after), nothing)}))
		}
	}
	return changes
}

// nothing stands for a setting that is taken away.
const nothing = "(none)"

func faultsText(faults []connect.Fault) string {
	told := make([]string, len(faults))
	for i, f := range faults {
		told[i] = f.String()
	}
	return strings.Join(told, "; ")
}

// shown is a setting's value as a plan may tell it: somebody may have written a
// secret into the worker, and plans are kept.
func shown(key, value string) string {
	if contract.PlainSecret(key, value) {
		return "***"
	}
	return value
}

// connectors sends the settings of each connector once, however many of them
// differ: its changes are neighbours, and share the outcome.
func (a *application) connectors(ctx context.Context, batch []Change) []error {
	return together(func(ctx context.Context, all []Connector) []error {
		errs := make([]error, len(all))
		for i, c := range all {
			switch {
			case a.target.Connect == nil:
				errs[i] = noConnect(a.plan.Cluster, []Connector{c})
			case ctx.Err() != nil:
				errs[i] = context.Cause(ctx)
			default:
				errs[i] = a.target.Connect.Put(ctx, c.Name, c.Config)
			}
		}
		return errs
	}, func(all *Connector, c Change) { *all = c.item.connector })(ctx, batch)
}
