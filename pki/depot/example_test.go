package depot_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

// A cluster's PKI, a service's certificate, and another authority in the place
// of the first.
func Example() {
	base, err := os.MkdirTemp("", "depot")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(base)
	apart := depot.RootKey{Dir: filepath.Join(base, "medium")}
	d, err := depot.Init(filepath.Join(base, "kafka-prod"), depot.Config{Cluster: "kafka-prod", RootKey: apart})
	if err != nil {
		panic(err)
	}
	ctx, name := context.Background(), "svc-orders-prod"
	want := depot.Want{ID: depot.ID{Kind: depot.Client, Name: name}, Request: pki.Request{CommonName: name, Usage: pki.Client}}
	for range 2 {
		changes, err := d.Issue(ctx, []depot.Want{want})
		fmt.Println(changes[0].Action, changes[0].ID, err)
	}
	steps := []func() (depot.Progress, error){
		func() (depot.Progress, error) { return d.Begin(ctx, depot.Replacement{RootKey: apart}) },
		func() (depot.Progress, error) { return d.Next(ctx, depot.Step{}) },
		func() (depot.Progress, error) { return d.Next(ctx, depot.Step{}) },
	}
	for _, step := range steps {
		progress, err := step()
		fmt.Println(progress.From, "→", progress.To, progress.Changes[0].Action, progress.Changes[0].ID, err)
	}
	// Output:
	// issued client/svc-orders-prod <nil>
	// kept client/svc-orders-prod <nil>
	// steady → trust updated client/svc-orders-prod <nil>
	// trust → reissue reissued client/svc-orders-prod <nil>
	// reissue → steady updated client/svc-orders-prod <nil>
}
