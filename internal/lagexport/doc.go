// Package lagexport tells Prometheus of the lag of consumer groups as the brokers
// see it, so that it is known when the pods that would tell it themselves are dead.
package lagexport
