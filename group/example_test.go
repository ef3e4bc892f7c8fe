package group_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/group"
)

// A group that has no position yet is put behind everything that is there.
func Example() {
	ctx := context.Background()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders.created.v1"))
	if err != nil {
		slog.Error("start a cluster", "error", err)
		return
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		slog.Error("make a client", "error", err)
		return
	}
	defer client.Close()
	admin, err := group.New(ctx, client)
	if err != nil {
		slog.Error("connect", "error", err)
		return
	}
	move, err := admin.Seek(ctx, group.Seek{
		Group: "svc-stock-prod", Topics: []string{"orders.created.v1"}, To: group.Target{Kind: group.Latest},
	})
	if err != nil {
		slog.Error("plan the move", "error", err)
		return
	}
	for _, s := range move.Steps {
		fmt.Printf("%s/%d: %d -> %d\n", s.Topic, s.Partition, s.From, s.To)
	}
	if err := admin.Apply(ctx, move); err != nil {
		slog.Error("move the group", "error", err)
	}
	// Output:
	// orders.created.v1/0: -1 -> 0
	// orders.created.v1/1: -1 -> 0
}
