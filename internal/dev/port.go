package dev

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/slipway-go/slipway/diag"
)

// nodeCount is how many nodes a cluster has: the fewest with which one may be
// lost and every write still be on two.
const nodeCount = 3

// Ports are where an instance listens, on the loopback address.
type Ports struct {
	MTLS       [nodeCount]int `json:"mtls"`
	SCRAM      [nodeCount]int `json:"scram"`
	Controller [nodeCount]int `json:"controller"`
	Registry   int            `json:"registry"`
}

// consecutive returns the ports that begin with first.
func consecutive(first int) Ports {
	var p Ports
	for i, port := range p.each() {
		*port = first + i
	}
	return p
}

// each returns the places of all ports, in the order of FirstPort.
func (p *Ports) each() []*int {
	all := make([]*int, 0, portCount)
	for _, group := range []*[nodeCount]int{&p.MTLS, &p.SCRAM, &p.Controller} {
		for i := range group {
			all = append(all, &group[i])
		}
	}
	return append(all, &p.Registry)
}

// choose settles the ports: the fixed ones or an error, else the last run's
// where they are free, else free ones, with what keeps them so.
func choose(first int, last Ports) (Ports, io.Closer, error) {
	if first > 0 {
		p := consecutive(first)
		return p, nil, check(p)
	}
	if last.Registry > 0 && check(last) == nil {
		return last, nil, nil
	}
	return free()
}

// check reports every port that is taken.
func check(p Ports) error {
	var faults diag.List
	for _, port := range p.each() {
		if err := try(*port); err != nil {
			faults.Add(diag.New(diag.DevPortTaken, "port %d is taken", *port).WithEvidence("%v", err))
		}
	}
	return faults.Err()
}

func try(port int) error {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return err
	}
	return l.Close()
}

// free finds free ports below those that the system gives to outgoing
// connections. One from up there may be gone when a node is restarted, and a
// client that keeps dialling it while the node is down can end up connected to
// itself. The port behind them is held for as long as the instance runs: another
// process that starts an instance keeps its hands off ports of nodes that do not
// listen yet, or are down.
func free() (Ports, io.Closer, error) {
	const lowest, highest, attempts = 20000, 32000, 1000
	for range attempts {
		first := lowest + rand.IntN((highest-lowest)/(portCount+1))*(portCount+1) //nolint:gosec // a port is no secret
		held, err := net.Listen("tcp", address(first+portCount))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return Ports{}, nil, diag.New(diag.DevPortTaken, "listen on %s: %v", address(first+portCount), err)
		}
		if p := consecutive(first); check(p) == nil {
			return p, held, nil
		}
		_ = held.Close()
	}
	return Ports{}, nil, diag.New(diag.DevPortTaken, "no %d free ports in a row between %d and %d", portCount+1, lowest, highest)
}

func address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// bootstrap is the list of addresses that a client starts from.
func bootstrap(ports [nodeCount]int) string {
	var all []string
	for _, port := range ports {
		all = append(all, address(port))
	}
	return strings.Join(all, ",")
}

// voters is the controllers' quorum as server.properties takes it.
func (p Ports) voters() string {
	var all []string
	for i, port := range p.Controller {
		all = append(all, fmt.Sprintf("%d@%s", i+1, address(port)))
	}
	return strings.Join(all, ",")
}
