//go:build kafka

package slipway_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
)

const (
	probedIn  = "probed.in.v1"
	probedOut = "probed.out.v1"
)

// probedEstate is the service whose health is looked at.
const probedEstate = `identity: {auth: mtls}
topics:
  probed.in.v1: {key: order_id, partitions: 6, schema: {format: avro, file: order.avsc}}
  probed.out.v1: {key: order_id, partitions: 6, schema: {format: avro, file: order.avsc}}
produces:
  probed.in.v1: {via: direct}
  probed.out.v1: {via: direct}
consumes:
  probed.in.v1: {retry: {delays: [100ms, 200ms], then: dead-letter}}
workload: {image: registry.example.com/probed, probe: write}
`

// What takes a service out of readiness, and what does not, on a real cluster
// and under exactly the rights of its contract.
func TestHealthFollowsARealCluster(t *testing.T) {
	r := onKafka(t)
	var app *slipway.App
	p := r.start(t, "probed", "0", func(a *slipway.App) error {
		app = a
		_, _ = slipway.NewProducer[order](a, probedIn), slipway.NewProducer[order](a, probedOut)
		slipway.Handle(a, probedIn, func(context.Context, *slipway.Message[order]) error { return nil })
		return nil
	})
	admin := client(t, r.Admin())
	stands := func(prefix string, status slipway.CheckStatus, code diag.Code) func() bool {
		return func() bool {
			return slices.ContainsFunc(app.Health().Checks, func(c slipway.Check) bool {
				return strings.HasPrefix(c.Name, prefix) && c.Status == status && c.Code == code
			})
		}
	}
	took := func(what string, came func() bool) {
		t.Helper()
		began := time.Now()
		await(t, time.Minute, what, came)
		t.Logf("%s: %.1f s", what, time.Since(began).Seconds())
	}
	took("the writing probe acknowledged", stands("writing probe", slipway.CheckOK, ""))
	if denied := r.denials(t, "probed"); len(denied) > 0 {
		t.Errorf("it asked for what it has no right to: %v", denied)
	}

	r.healthWithANodeKilled(t, app, took, stands)
	took("all well", func() bool { return app.Health().Status() == "ok" })

	mayWrite(t, admin, probedOut, false)
	took("the right missed", stands("right to WRITE TOPIC "+probedOut, slipway.CheckFail, diag.RuntimeNotAuthorized))
	if app.Ready() == nil {
		t.Error("ready without a right of the contract")
	}
	mayWrite(t, admin, probedOut, true)
	took("ready after the grant", func() bool { return app.Ready() == nil })

	deleteTopic(t, admin, probedOut)
	took("the topic missed", stands("topic "+probedOut, slipway.CheckFail, diag.HealthTopicGone))
	if app.Ready() == nil || app.Live() != nil {
		t.Errorf("Ready() = %v, Live() = %v without a topic of the contract", app.Ready(), app.Live())
	}
	p.stop()
}

// healthWithANodeKilled asks for readiness the whole time that one node of three
// is away.
func (r *realKafka) healthWithANodeKilled(t *testing.T, app *slipway.App, took func(string, func() bool), stands func(string, slipway.CheckStatus, diag.Code) func() bool) {
	t.Helper()
	var asked, unready, dead atomic.Int64
	var slowest atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			began := time.Now()
			if h := app.Health(); !h.Ready {
				if unready.Add(1) == 1 {
					t.Logf("not ready: %+v", h.Checks[0])
				}
			} else if !h.Live {
				dead.Add(1)
			}
			slowest.Store(max(slowest.Load(), int64(time.Since(began))))
			asked.Add(1)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	node := r.Nodes()[1]
	node.Kill()
	took("no replica to spare", stands("topic "+probedIn, slipway.CheckWarn, diag.ProducerReplicas))
	<-time.After(20 * time.Second)
	if err := node.Start(t.Context()); err != nil {
		t.Error(err)
	}
	took("in sync again", stands("topic "+probedIn, slipway.CheckOK, ""))
	stop()
	<-watched
	t.Logf("asked %d times, %d times not ready, %d times not live, slowest answer %v", asked.Load(), unready.Load(), dead.Load(), time.Duration(slowest.Load()))
	if unready.Load()+dead.Load() > 0 {
		t.Errorf("%d times not ready and %d times not live while one node of three was away", unready.Load(), dead.Load())
	}
}

// mayWrite takes the right to write a topic away from the service, or gives it
// back.
func mayWrite(t *testing.T, admin *kgo.Client, topic string, may bool) {
	t.Helper()
	const principal = "User:svc-probed-dev"
	if may {
		req, c := kmsg.NewPtrCreateACLsRequest(), kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceTypeTopic, topic, kmsg.ACLResourcePatternTypeLiteral
		c.Principal, c.Host, c.Operation, c.PermissionType = principal, "*", kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeAllow
		req.Creations = append(req.Creations, c)
		if resp, err := req.RequestWith(t.Context(), admin); err != nil || resp.Results[0].ErrorCode != 0 {
			t.Fatalf("grant: %v %+v", err, resp)
		}
		return
	}
	req, f := kmsg.NewPtrDeleteACLsRequest(), kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourceName, f.ResourcePatternType = kmsg.ACLResourceTypeTopic, &topic, kmsg.ACLResourcePatternTypeLiteral
	f.Principal, f.Operation, f.PermissionType = new(principal), kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeAllow
	req.Filters = append(req.Filters, f)
	if resp, err := req.RequestWith(t.Context(), admin); err != nil || len(resp.Results[0].MatchingACLs) != 1 {
		t.Fatalf("revoke: %v %+v", err, resp)
	}
}

func deleteTopic(t *testing.T, admin *kgo.Client, topic string) {
	t.Helper()
	req, d := kmsg.NewPtrDeleteTopicsRequest(), kmsg.NewDeleteTopicsRequestTopic()
	d.Topic = &topic
	req.Topics, req.TopicNames, req.TimeoutMillis = append(req.Topics, d), []string{topic}, 5000
	if resp, err := req.RequestWith(t.Context(), admin); err != nil || resp.Topics[0].ErrorCode != 0 {
		t.Fatalf("delete %s: %v %+v", topic, err, resp)
	}
}
