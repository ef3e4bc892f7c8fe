// Package slipwaytest runs services in a test: real handlers, a real client, a
// Kafka cluster in memory, and a clock in the test's hand.
//
//	func TestStockIsReservedOncePerOrder(t *testing.T) {
//		slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
//			k.Send("orders.created.v1", order)
//			k.Send("orders.created.v1", order)
//			k.Advance(10 * time.Minute)
//			k.RequireProduced("inventory.reserved.v1", 1)
//		})
//	}
//
// [Run] makes a cluster with TLS, SCRAM and ACLs, plans and applies the
// service's contract to it, starts the service with its own identity and with
// only the rights its contract gives it, runs the test, and stops the service.
// [RunAll] does the same for several services that talk to each other. Topics
// that no service under test owns are created for them, with the schema their
// reader asks for.
//
// Everything runs in a synctest bubble: time stands still while anything can
// run and then jumps, so ten minutes of retries take no time and nothing
// sleeps. Real sockets do not work in a bubble; SQLite does, and HTTP endpoints
// are called through [Kit.HTTP]. Each call of Run is isolated: tests may be
// parallel.
//
// Time in a bubble also stands still while anybody waits for a mutex. The Kafka
// client holds some over requests, so in rare moments a test can stop for ever;
// run tests with -tags synctests, which has the client use channels instead, and
// with -race also with -cpu 1, for Go 1.26's detector keeps state for one thread
// of a bubble's timers only.
package slipwaytest
