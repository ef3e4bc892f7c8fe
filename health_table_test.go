package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A scene is a service whose health is looked at: it ships orders, its handler
// does as it is told, and it writes the probe's topic.
type scene struct {
	*testing.T
	k    *slipwaytest.Kit
	app  *slipway.App
	out  *slipway.Producer[order]
	err  atomic.Pointer[error] // what the handler returns
	own  atomic.Pointer[error] // what the service's own check returns
	hang atomic.Bool
}

func (s *scene) wire(app *slipway.App) error {
	s.app, s.out = app, slipway.NewProducer[order](app, shipments)
	app.Check("ledger", func() error { return deref(s.own.Load()) })
	slipway.Handle(app, orders, func(ctx context.Context, m *slipway.Message[order]) error {
		for s.hang.Load() {
			<-time.After(time.Second)
		}
		return deref(s.err.Load())
	})
	return nil
}

func deref(err *error) error {
	if err == nil {
		return nil
	}
	return *err
}

// outage cuts the service off from all brokers.
func (s *scene) outage() (mend func()) {
	var mends []func()
	for id := range 3 {
		mends = append(mends, s.k.CutBroker(id))
	}
	return func() {
		for _, mend := range mends {
			mend()
		}
	}
}

func (s *scene) send(n int) {
	for i := range n {
		s.k.Send(orders, order{fmt.Sprint("o-", i), 5})
	}
}

// produce sends without waiting for the outcome.
func (s *scene) produce(n int) {
	for i := range n {
		s.out.SendAsync(s.Context(), &order{fmt.Sprint("o-", i), 5}, func(slipway.Receipt, error) {})
	}
}

func (s *scene) deleteTopic(topic string) {
	s.Helper()
	req := kmsg.NewPtrDeleteTopicsRequest()
	t := kmsg.NewDeleteTopicsRequestTopic()
	t.Topic = &topic
	req.Topics, req.TopicNames, req.TimeoutMillis = append(req.Topics, t), []string{topic}, 5000
	resp, err := req.RequestWith(s.Context(), s.k.Client())
	if err != nil || len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != 0 {
		s.Fatalf("delete topic %s: %v %+v", topic, err, resp)
	}
}

const probed = "workload: {image: registry.example.com/shipper, probe: write}\n"

// sceneFiles is the shipper's contract with how it consumes and produces.
func sceneFiles(consumes, produces string) fstest.MapFS {
	f := files("dead-letter")
	text := string(f["slipway.yaml"].Data) + probed
	text = strings.Replace(text, "    order: key\n", "    order: key\n    breaker: {failures: 3, open: 60s}\n"+consumes, 1)
	text = strings.Replace(text, "{via: direct}", "{via: direct"+produces+"}", 1)
	f["slipway.yaml"].Data = []byte(text)
	return f
}

// TestWhatMakesAServiceUnready is the table of docs/probes.md.
func TestWhatMakesAServiceUnready(t *testing.T) {
	t.Parallel()
	fails := func(s *scene, err error) { s.err.Store(&err) }
	for name, tt := range map[string]struct {
		consumes, produces string
		happens            func(s *scene)
		ready              bool
		dead               bool // not live
		check              string
		status             slipway.CheckStatus
		code               diag.Code
		mend               func(s *scene) // afterwards it is ready and well again
	}{
		"nothing": {happens: func(*scene) {}, ready: true, check: "group svc-shipper-dev", status: slipway.CheckOK},
		"the whole cluster away": {happens: func(s *scene) { s.outage(); s.k.Advance(5 * time.Minute) },
			ready: true, check: "cluster", status: slipway.CheckWarn, code: diag.HealthClusterAway},
		"the whole cluster away, sending": {happens: func(s *scene) { s.outage(); s.produce(10); s.k.Advance(30 * time.Second) },
			ready: true, check: "produce " + shipments, status: slipway.CheckWarn, code: diag.HealthNoDelivery},
		"the whole cluster away, away: fail": {produces: ", away: fail", happens: func(s *scene) { s.outage(); s.produce(10); s.k.Advance(30 * time.Second) },
			ready: true, check: "produce " + shipments, status: slipway.CheckWarn, code: diag.HealthNoDelivery},
		"the whole cluster away, the buffer full": {produces: ", buffer: {records: 10}, timeout: 5m", happens: func(s *scene) {
			s.outage()
			s.produce(10)
			s.k.Advance(30 * time.Second)
		}, ready: true, check: "produce " + shipments, status: slipway.CheckWarn, code: diag.HealthNoDelivery},
		"nothing acknowledged though the cluster is well": {produces: ", away: fail", happens: func(s *scene) {
			s.k.FailRequests(kmsg.Produce, kerr.NotLeaderForPartition, -1, shipments)
			s.produce(10)
			s.k.Advance(25 * time.Second)
		}, check: "produce " + shipments, status: slipway.CheckFail, code: diag.HealthNoDelivery},
		"a produced topic deleted": {happens: func(s *scene) { s.deleteTopic(shipments); s.k.Advance(20 * time.Second) },
			check: "topic " + shipments, status: slipway.CheckFail, code: diag.HealthTopicGone},
		"a consumed topic deleted": {happens: func(s *scene) { s.deleteTopic(orders); s.k.Advance(20 * time.Second) },
			check: "topic " + orders, status: slipway.CheckFail, code: diag.HealthTopicGone},
		"the retry topic deleted": {happens: func(s *scene) { s.deleteTopic("svc-shipper-dev." + orders + ".retry"); s.k.Advance(20 * time.Second) },
			check: "topic svc-shipper-dev." + orders + ".retry", status: slipway.CheckFail, code: diag.HealthTopicGone},
		"a right revoked that nothing uses": {
			happens: func(s *scene) {
				s.mayShip(false)
				s.k.Advance(20 * time.Second)
			},
			check: "right to WRITE TOPIC " + shipments, status: slipway.CheckFail, code: diag.RuntimeNotAuthorized,
			mend: func(s *scene) {
				s.mayShip(true)
				s.k.Advance(10 * time.Second)
			}},
		"the breaker open": {happens: func(s *scene) { fails(s, errors.New("down")); s.send(5); s.k.Advance(20 * time.Second) },
			ready: true, check: "entry " + orders, status: slipway.CheckWarn, code: diag.HealthBreakerOpen},
		"a pause by an operator": {happens: func(s *scene) {
			if _, err := s.app.Tune(orders, slipway.Tuning{Paused: new(true)}); err != nil {
				s.Fatal(err)
			}
			s.send(3)
			s.k.Advance(15 * time.Minute)
		}, ready: true, check: "entry " + orders, status: slipway.CheckOK},
		"a handler that hangs": {happens: func(s *scene) { s.hang.Store(true); s.send(1); s.k.Advance(20 * time.Second) },
			check: "handler of " + orders, status: slipway.CheckFail, mend: func(s *scene) { s.hang.Store(false); s.k.Advance(2 * time.Second) }},
		"a handler that hangs for ten timeouts": {happens: func(s *scene) { s.hang.Store(true); s.send(1); s.k.Advance(2 * time.Minute) },
			dead: true, check: "handler of " + orders, status: slipway.CheckFail, mend: func(s *scene) { s.hang.Store(false); s.k.Advance(2 * time.Second) }},
		"a partition stuck": {consumes: "    stuck: 1m\n", happens: func(s *scene) {
			fails(s, slipway.RetryAfter(10*time.Minute, errors.New("later")))
			s.hang.Store(true)
			s.send(1)
			s.k.Advance(90 * time.Second)
		},
			check: "progress of partition " + orders, status: slipway.CheckFail, mend: func(s *scene) { s.hang.Store(false); s.k.Advance(10 * time.Second) }},
		"a check of the service's own": {happens: func(s *scene) { err := errors.New("not balanced"); s.own.Store(&err); s.k.Advance(2 * time.Second) },
			check: "ledger", status: slipway.CheckFail, code: diag.HealthCheckFailed,
			mend: func(s *scene) { s.own.Store(nil); s.k.Advance(2 * time.Second) }},
		"the probe not acknowledged": {happens: func(s *scene) {
			s.k.FailRequests(kmsg.Produce, kerr.NotLeaderForPartition, -1, "svc-shipper-dev.probe")
			s.k.Advance(40 * time.Second)
		}, check: "writing probe", status: slipway.CheckFail, code: diag.HealthProbeFailed},
		"the probe not acknowledged for a moment": {happens: func(s *scene) {
			s.k.FailRequests(kmsg.Produce, kerr.NotLeaderForPartition, -1, "svc-shipper-dev.probe")
			s.k.Advance(15 * time.Second)
		}, ready: true, check: "writing probe", status: slipway.CheckWarn, code: diag.HealthProbeFailed},
		"out of the group for a moment": {happens: func(s *scene) {
			s.k.FailRequests(kmsg.JoinGroup, kerr.CoordinatorNotAvailable, -1)
			s.k.Start("shipper")
			s.k.Advance(20 * time.Second)
		},
			ready: true, check: "group svc-shipper-dev"},
		"told of something": {happens: func(s *scene) { s.app.Tell("outbox", "the relay does not get on") },
			check: "outbox", status: slipway.CheckFail, mend: func(s *scene) { s.app.Tell("outbox", "") }},
		"shutting down": {happens: func(s *scene) {
			s.hang.Store(true)
			s.send(1)
			s.k.Advance(time.Second)
			s.k.Signal("shipper")
			s.k.Advance(time.Second)
		}, check: "shutdown", status: slipway.CheckFail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &scene{T: t}
			service := slipwaytest.Service{Files: sceneFiles(tt.consumes, tt.produces), Wire: s.wire}
			slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
				s.T, s.k = t, k
				defer s.hang.Store(false)
				app := s.app
				k.Advance(15 * time.Second)
				if h := app.Health(); h.Status() != "ok" || !h.Ready || !h.Live || !h.Started {
					t.Fatalf("health before anything happens: %+v", h)
				}
				tt.happens(s)
				h := app.Health()
				i := slices.IndexFunc(h.Checks, func(c slipway.Check) bool { return strings.HasPrefix(c.Name, tt.check) })
				if i < 0 {
					t.Fatalf("no check %s in %+v", tt.check, h)
				}
				c := h.Checks[i]
				if h.Ready != tt.ready || h.Live == tt.dead || tt.status != "" && c.Status != tt.status || c.Code != tt.code && tt.status != "" || c.Since.IsZero() {
					t.Errorf("ready %v, live %v, check %+v;\nwant ready %v, live %v, %s %s\n%+v", h.Ready, h.Live, c, tt.ready, !tt.dead, tt.status, tt.code, h)
				}
				if (app.Ready() == nil) != h.Ready || (app.Live() == nil) != h.Live {
					t.Errorf("Ready() = %v, Live() = %v, and health says %+v", app.Ready(), app.Live(), h)
				}
				if c.Code != "" && c.Fix == "" {
					t.Errorf("%s has no fix", c.Code)
				}
				if tt.mend != nil {
					tt.mend(s)
					if h := app.Health(); h.Status() != "ok" {
						t.Errorf("health afterwards: %+v", h)
					}
				}
			})
		})
	}
}

// mayShip takes the right to write shipments away from the service, or gives it
// back.
func (s *scene) mayShip(may bool) {
	s.Helper()
	const principal = "User:svc-shipper-dev"
	if may {
		req, c := kmsg.NewPtrCreateACLsRequest(), kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceTypeTopic, shipments, kmsg.ACLResourcePatternTypeLiteral
		c.Principal, c.Host, c.Operation, c.PermissionType = principal, "*", kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeAllow
		req.Creations = append(req.Creations, c)
		if resp, err := req.RequestWith(s.Context(), s.k.Client()); err != nil || resp.Results[0].ErrorCode != 0 {
			s.Fatalf("grant: %v %+v", err, resp)
		}
		return
	}
	req, f := kmsg.NewPtrDeleteACLsRequest(), kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourceName, f.ResourcePatternType = kmsg.ACLResourceTypeTopic, new(shipments), kmsg.ACLResourcePatternTypeLiteral
	f.Principal, f.Operation, f.PermissionType = new(principal), kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeAllow
	req.Filters = append(req.Filters, f)
	if resp, err := req.RequestWith(s.Context(), s.k.Client()); err != nil || len(resp.Results[0].MatchingACLs) != 1 {
		s.Fatalf("revoke: %v %+v", err, resp)
	}
}
