package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// A target is what plan and apply work on: an environment of an estate, and
// one cluster of it.
type target struct {
	dir, env, cluster string
	credential        credential
	timeout           time.Duration
}

// A session is an open connection with what is desired of it.
type session struct {
	want     *plan.Desired
	kafka    *kafka.Cluster
	registry plan.Registry // nil if the cluster has none
	workers  plan.Connect  // nil if the cluster has no Kafka Connect
	estate   *contract.Resolved
}

func (s *session) Close() { s.kafka.Close() }

// connect derives what is desired and logs in.
func (a *app) connect(ctx context.Context, t target) (*session, error) {
	w, resolved, name, err := a.aim(t)
	if err != nil {
		return nil, err
	}
	want, err := plan.Derive(resolved, name)
	if err != nil {
		return nil, err
	}
	e, err := a.operate(ctx, w, resolved.Env, resolved.Cluster(name), &t.credential, "")
	if errors.Is(err, diag.UpNotRunning) {
		e, err = w.endpoint(ctx, resolved.Cluster(name), &t.credential)
	}
	if err != nil {
		return nil, err
	}
	a.warn(t.credential.exposed())
	cfg, err := e.kafka()
	if err != nil {
		return nil, err
	}
	registry, err := e.registryAdmin(len(want.Subjects) > 0)
	if err != nil {
		return nil, err
	}
	workers, err := e.connectAdmin()
	if err != nil {
		return nil, err
	}
	connection, err := kafka.Connect(ctx, cfg)
	if err != nil {
		return nil, refusedLogin(err)
	}
	return &session{want, connection, registry, workers, resolved}, nil
}

// refusedLogin tells the administrator what to look at; the catalogue speaks
// to services.
func refusedLogin(err error) error {
	list := diag.Of(err)
	for i, d := range list {
		if d.Code == diag.KafkaLogin {
			list[i] = d.WithFix("check --sasl-user and the file of --sasl-password-file (or their variables), and that the user exists for --sasl-mechanism")
		}
	}
	if len(list) == 0 {
		return err
	}
	return list
}

// aim opens the estate of a target and finds its environment and its cluster.
func (a *app) aim(t target) (*workspace, *contract.Resolved, string, error) {
	w, err := a.open(t.dir)
	if err != nil {
		return nil, nil, "", err
	}
	resolved, err := a.resolve(w, t.env)
	if err != nil {
		return nil, nil, "", err
	}
	cluster, err := choose(resolved, t.cluster)
	return w, resolved, cluster, err
}

// choose returns the cluster named, or the environment's only one.
func choose(r *contract.Resolved, name string) (string, error) {
	all := plan.Clusters(r)
	switch {
	case name == "" && len(all) == 1:
		return all[0], nil
	case name == "":
		return "", usage("--cluster is missing: environment %s has the clusters %s", r.Env, strings.Join(all, ", ")).
			WithFix("name one of them with -c")
	case !slices.Contains(all, name):
		return "", diag.New(diag.PlanUnknownCluster, "environment %s has no cluster %q", r.Env, name).
			WithFix("use one of %s", strings.Join(all, ", "))
	}
	return name, nil
}
