//go:build kafka

package plan_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

// sdkEstate is services of every kind that the SDK runs, without schemas.
var sdkEstate = map[string]string{
	"maker": "identity: {auth: mtls}\ntopics: {maker.a.v1: {partitions: 3}, maker.b.v1: {partitions: 3}}\nproduces: {maker.a.v1: {}, maker.b.v1: {}}\n",
	"worker": "identity: {auth: scram-sha-512}\ntopics: {worker.done.v1: {partitions: 3}}\nproduces: {worker.done.v1: {}}\nconsumes:\n" +
		"  maker.a.v1: {retry: {delays: [50ms, 2s], inPlace: 100ms, then: dead-letter}}\n  maker.b.v1: {as: table}\n",
	"copier": "identity: {auth: scram-sha-256}\ntopics: {copier.out.v1: {partitions: 3}}\nproduces: {copier.out.v1: {via: transaction}}\nconsumes: {maker.a.v1: {}}\n",
}

// runsTheSDK starts every service as it starts in production, has it do all
// that its contract lets it, and looks in the authorizers' logs: it was refused
// nothing. Then it proves that it may do nothing else.
func (r *realMatrix) runsTheSDK(t *testing.T) {
	all := r.prove(t, estate(t, "dev", sdkEstate)) // applies it
	all.report(t)
	before := r.audit(t)
	made := slipway.NewProducer[[]byte]
	var first, second, worked, copied *slipway.Producer[[]byte]
	var handled, transacted, read atomic.Int64
	r.run(t, "maker", contract.MTLS, func(app *slipway.App) { first, second = made(app, "maker.a.v1"), made(app, "maker.b.v1") })
	r.run(t, "worker", contract.SCRAMSHA512, func(app *slipway.App) {
		worked = made(app, "worker.done.v1")
		table := slipway.NewReader[[]byte](app, "maker.b.v1")
		slipway.Handle(app, "maker.a.v1", func(ctx context.Context, m *slipway.Message[[]byte]) error {
			switch string(m.Value) {
			case "reject":
				return slipway.Reject(errors.New("not wanted"))
			case "wait":
				if m.Attempt < 3 {
					return errors.New("not yet")
				}
			}
			for range table.Read(ctx, 0, slipway.Oldest(), slipway.UntilEnd()) {
				read.Add(1)
			}
			_, err := worked.Send(ctx, &m.Value)
			handled.Add(1)
			return err
		})
	})
	r.run(t, "copier", contract.SCRAMSHA256, func(app *slipway.App) {
		copied = made(app, "copier.out.v1")
		slipway.Handle(app, "maker.a.v1", func(ctx context.Context, m *slipway.Message[[]byte]) error {
			_, err := copied.Send(ctx, &m.Value)
			transacted.Add(1)
			return err
		})
	})
	for _, value := range []string{"one", "reject", "wait", "two"} {
		text := []byte(value)
		if _, err := second.Send(t.Context(), &text); err != nil {
			t.Fatal(err)
		}
		if _, err := first.Send(t.Context(), &text); err != nil {
			t.Fatal(err)
		}
	}
	limit := time.After(time.Minute)
	for handled.Load() < 3 || transacted.Load() < 4 {
		select {
		case <-limit:
			t.Fatalf("%d handled, %d in transactions", handled.Load(), transacted.Load())
		case <-time.After(50 * time.Millisecond):
		}
	}
	after := r.audit(t)
	if n := after.Denied - before.Denied; n != 0 {
		t.Errorf("%d denials while services did what their contracts say: %+v", n, after.Denials())
	}
	t.Logf("3 services: %d handled, %d in transactions, %d read as a table, 0 denied", handled.Load(), transacted.Load(), read.Load())
}

// run starts a service with nothing but its contract and its environment, and
// waits until it is ready. It ends with the test.
func (r *realMatrix) run(t *testing.T, name string, kind contract.Auth, wire func(*slipway.App)) {
	t.Helper()
	vars := map[string]string{"ENVIRONMENT": "dev"}
	for _, entry := range r.loginAs(t, "svc-"+name+"-dev", kind).Environment() {
		key, value, _ := strings.Cut(entry, "=")
		vars[key] = value
	}
	env, err := slipway.EnvironmentFrom(func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: " + name + ", owner: team}\n" + sdkEstate[name])}}
	app, err := slipway.New(slipway.Config{Files: files, Environment: env, Instance: "0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	wire(app)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	limit := time.After(time.Minute)
	for app.Ready() != nil {
		select {
		case err := <-ended:
			t.Fatalf("%s: %v", name, err)
		case <-limit:
			t.Fatalf("%s is not ready: %v", name, app.Ready())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// audit reads the authorizers' logs of all nodes. Every line must be
// understood.
func (r *realMatrix) audit(t *testing.T) *acl.Audit {
	t.Helper()
	var a acl.Audit
	for _, n := range r.Nodes() {
		file, err := os.Open(filepath.Join(filepath.Dir(n.Log()), "authorizer.log"))
		if err != nil {
			t.Fatal(err)
		}
		err = a.Read(t.Context(), file)
		_ = file.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	if a.Unknown+a.Other+a.Beyond > 0 || a.Allowed > 0 {
		t.Errorf("of %d lines %d were not understood (%s), %d are of others, %d allowed", a.Lines, a.Unknown, a.FirstUnknown, a.Other, a.Allowed)
	}
	return &a
}

// audits reads what the matrix was refused, and is advised to grant none of it
// that the contracts grant already.
func (r *realMatrix) audits(t *testing.T, estate *contract.Resolved) {
	a := r.audit(t)
	verdicts := map[acl.Verdict]int{}
	denials := a.Denials()
	for i, advice := range acl.Advise(estate, contract.Local, denials) {
		verdicts[advice.Verdict]++
		if advice.Verdict == acl.Granted {
			t.Errorf("%s was refused, and the contracts grant it: %s", denials[i], advice.Text)
		}
	}
	if a.Denied == 0 || verdicts[acl.Declare] == 0 || verdicts[acl.Keep] == 0 {
		t.Errorf("%d denied, verdicts %v", a.Denied, verdicts)
	}
	t.Logf("%d lines, %d denied, %d different: %v", a.Lines, a.Denied, len(denials), verdicts)
}
