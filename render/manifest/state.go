package manifest

import (
	"github.com/slipway-go/slipway/contract"
)

// A Database is what a service keeps its rows in.
type Database string

// The databases. What a contract says decides: rows that go with records (an
// outbox, an inbox) need one, and a service that says how to reach one has a server.
const (
	NoDatabase     Database = ""
	FileDatabase   Database = "sqlite"   // a file on the instance's volume, as slipway up gives it
	ServerDatabase Database = "postgres" // a server, at an address that a Secret holds
)

// DatabaseEgress is the name of the egress that leads to the service's database.
const DatabaseEgress = "database"

// DatabaseOf is what a service keeps its rows in: a server where the contract has
// egress to one, or where Debezium relays the outbox, which reads no file; else a
// file where there are rows to keep, or a volume that was asked for.
func DatabaseOf(svc *contract.Service) Database {
	switch w := svc.Workload; {
	case w == nil:
		return NoDatabase
	case w.Egress[DatabaseEgress] != nil || svc.RelaysByDebezium():
		return ServerDatabase
	case w.Volume > 0 || KeepsRows(svc) != "":
		return FileDatabase
	}
	return NoDatabase
}

// KeepsRows is the element of the contract by which the service needs a database:
// an outbox, or an inbox that knows repeated records. It is empty if there is none.
func KeepsRows(svc *contract.Service) string {
	for _, name := range sorted(svc.Produces) {
		if svc.Produces[name].Via == contract.Outbox {
			return "produces/" + name + "/via"
		}
	}
	for _, name := range sorted(svc.Consumes) {
		if svc.Consumes[name].Dedup != nil {
			return "consumes/" + name + "/dedup"
		}
	}
	return ""
}

// Spills are the topics whose records wait on the instance's disk, while the cluster
// is away or until they are due, in order of their names.
func Spills(svc *contract.Service) []*contract.Produce {
	var all []*contract.Produce
	for _, name := range sorted(svc.Produces) {
		if p := svc.Produces[name]; p.Away == contract.Spill || svc.Written("produces", name, "spill") {
			all = append(all, p)
		}
	}
	return all
}

// Static is the entry whose instances keep their partitions over a restart, or nil.
func Static(svc *contract.Service) *contract.Consume {
	for _, name := range sorted(svc.Consumes) {
		if svc.Consumes[name].Static {
			return svc.Consumes[name]
		}
	}
	return nil
}

// DefaultVolume is the size of a volume where the contract has none.
const DefaultVolume = 2 << 30

// Volume is the size of what an instance keeps on disk, or 0 if it keeps nothing.
func Volume(svc *contract.Service) contract.Bytes {
	switch w := svc.Workload; {
	case w == nil:
		return 0
	case w.Volume > 0:
		return w.Volume
	case DatabaseOf(svc) == FileDatabase || len(Spills(svc)) > 0:
		return DefaultVolume
	}
	return 0
}

// Controller is the kind of object that runs a service's pods. An instance whose
// name or disk has to outlive it is one of a StatefulSet: it keeps its partitions
// over a restart, or on disk what is nowhere else.
func Controller(svc *contract.Service) string {
	if Volume(svc) > 0 || Static(svc) != nil {
		return "StatefulSet"
	}
	return "Deployment"
}
