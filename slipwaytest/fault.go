package slipwaytest

import (
	"net/http"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CutRegistry cuts the services off from the schema registry, or connects them
// again.
func (k *Kit) CutRegistry(cut bool) {
	if addr := hostOf(k.cluster.Registry().URL); cut {
		k.network.block(addr)
	} else {
		k.network.unblock(addr)
	}
}

// FailRegistry has answer reply to requests to the schema registry in its
// place; it reports whether it did. Nil lets the registry answer again. A
// service asks for what it does not know yet, and never twice for what it does.
func (k *Kit) FailRegistry(answer func(http.ResponseWriter, *http.Request) bool) {
	k.cluster.InterceptRegistry(answer)
}

// CutBroker cuts the services off from one broker, until the returned function
// is called. Brokers are numbered from 0; Kafka().LeaderFor and CoordinatorFor
// tell who does what. Nobody takes over what it leads.
func (k *Kit) CutBroker(id int) (mend func()) {
	k.t.Helper()
	addrs := k.cluster.Bootstrap()
	if id < 0 || id >= len(addrs) {
		k.t.Fatalf("cut broker %d: there are %d, from 0", id, len(addrs))
	}
	k.network.block(addrs[id])
	return func() { k.network.unblock(addrs[id]) }
}

// FailRequests has brokers refuse requests of a kind: the next times of them,
// or every one if times is negative. Where topics are named, only requests that
// concern them are. The request is not carried out, unless the error is
// kerr.RequestTimedOut (or, for a produce request, NotEnoughReplicasAfterAppend):
// then it is, and only its answer is lost.
//
// The handle's Hits tells how many were refused, so that a test can require
// that the fault did happen, and its Remove ends it. The kit's own requests are
// refused too.
func (k *Kit) FailRequests(key kmsg.Key, err *kerr.Error, times int, topics ...string) *kfake.FaultHandle {
	k.t.Helper()
	var faults []kfake.Fault
	if times == 0 {
		k.t.Fatal("fail requests: 0 times is none; want 1 or more, or -1 for all")
	}
	for _, topic := range topics {
		faults = append(faults, kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: times, Topic: topic})
	}
	if len(topics) == 0 {
		faults = []kfake.Fault{{Keys: []kmsg.Key{key}, Err: err, Count: times}}
	}
	return k.Kafka().Fault(faults...)
}

// Kill takes the newest instance of a service away as the loss of its machine
// would: its connections are cut at once, nothing is drained, and it says good-bye
// to nobody, so the group keeps its place until its session is over. No handler
// begins any more. One that runs may run on for a while, as the code of a test
// cannot be stopped, but what it does reaches no broker.
func (k *Kit) Kill(service string) {
	k.t.Helper()
	i := k.newest(service)
	i.killed = true
	k.network.kill(i)
	k.Signal(service)
}

// Isolate lets nothing through between the newest instance of a service and
// brokers and registry until heal is called. Its connections stay open and say
// nothing, so it goes on with what it has: beyond its session it is a zombie,
// whose partitions others own. What was on its way arrives when it is healed.
func (k *Kit) Isolate(service string) (heal func()) {
	k.t.Helper()
	i := k.newest(service)
	k.network.isolate(i)
	return func() { k.network.heal(i) }
}

// HideFile takes away a file that services are mounted with (ca.crt,
// registry.auth, <service>.password) until the returned function is called.
func (k *Kit) HideFile(name string) (restore func()) {
	k.t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.Rename(path, path+".hidden"); err != nil {
		k.t.Fatal(err)
	}
	return func() {
		k.t.Helper()
		if err := os.Rename(path+".hidden", path); err != nil {
			k.t.Fatal(err)
		}
	}
}

// newest is the instance that was started last.
func (k *Kit) newest(service string) *instance {
	k.t.Helper()
	s := k.service(service)
	if len(s.instances) == 0 {
		k.t.Fatalf("service %s: no instance runs", service)
	}
	return s.instances[len(s.instances)-1]
}
