package plan

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// An Inventory is everything that a cluster has of the kinds that can be
// orphans, whoever's it is. ACLs are in [Actual] already.
type Inventory struct {
	Topics map[string]int                // partitions, by name
	Users  map[string][]kafka.Credential // by name
	Quotas map[string]map[string]float64 // limits, by user
	Groups map[string]string             // state, by id

	Connectors map[string]bool // by name

	// Applier are the principals that whoever looks may be.
	Applier []string
}

// Survey adds the inventory of the cluster, so that [Diff] can tell what is
// there and nobody declares. What may not be seen is no orphan, so it takes no
// right that is not there.
func (a *Actual) Survey(ctx context.Context, cluster *kafka.Cluster, options ...Option) error {
	all := &Inventory{Applier: cluster.Principals()}
	errs := make([]error, 5)
	var wg sync.WaitGroup
	wg.Go(func() { all.Topics, errs[0] = cluster.AllTopics(ctx) })
	wg.Go(func() { all.Users, errs[1] = cluster.AllUsers(ctx) })
	wg.Go(func() { all.Quotas, errs[2] = cluster.Quotas(ctx) })
	wg.Go(func() { all.Groups, errs[3] = cluster.AllGroups(ctx) })
	wg.Go(func() { errs[4] = all.connectors(ctx, surrounding(options).connect) })
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, diag.KafkaDenied) && !unseen(err) {
			return err
		}
	}
	a.Inventory = all
	return nil
}

// surveyTimeout is how long a survey waits for Kafka Connect.
const surveyTimeout = 10 * time.Second

// unseen reports whether Kafka Connect was not there to be asked. Where a contract
// has a connector, [Read] has failed already.
func unseen(err error) bool {
	list := diag.Of(err)
	return len(list) > 0 && list[0].Code.Area() == diag.ConnectUnreachable.Area()
}

func (i *Inventory) connectors(ctx context.Context, workers Connect) error {
	if workers == nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, surveyTimeout, diag.New(diag.ConnectUnreachable, "list connectors: no answer after %s", surveyTimeout))
	defer cancel()
	found, err := workers.Connectors(ctx)
	i.Connectors = make(map[string]bool, len(found))
	for name := range found {
		i.Connectors[name] = true
	}
	return err
}
