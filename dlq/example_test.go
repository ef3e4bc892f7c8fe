package dlq_test

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/dlq"
)

// Letters that died of a timeout are sent back, ten a second, to the group that
// gave up on them.
func Example() {
	cluster := clusterWithLetters("connect: timeout", "no such item", "read: timeout")
	defer cluster.Close()

	client, err := dlq.Open(dlq.Config{Options: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	filter, err := dlq.NewFilter(`reason == "exhausted" && error.contains("timeout")`)
	if err != nil {
		panic(err)
	}
	plan, err := client.Prepare(context.Background(), dlq.Redrive{
		Source: dlq.Source{Topic: dead, Retry: retry, Origin: orders, Group: "svc-s-dev", Progress: redrive},
		Query:  dlq.Query{Filter: filter},
		Rate:   10,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(plan.Counts.Sendable(), "of", plan.Counts.Read, "can be sent")

	report, err := client.Run(context.Background(), plan, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Counts.Inject, "sent")
	// Output:
	// 2 of 3 can be sent
	// 2 sent
}

// clusterWithLetters is a broker with a letter for each error.
func clusterWithLetters(errors ...string) *kfake.Cluster {
	cluster := kfake.MustCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, dead, retry))
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for i, text := range errors {
		r := &kgo.Record{Topic: dead, Key: fmt.Append(nil, "o-", i), Value: []byte("{}"), Timestamp: time.Now()}
		for name, value := range map[string]string{
			"__dlq.errors.topic": orders, "__dlq.errors.partition": "0", "__dlq.errors.offset": fmt.Sprint(i), "__dlq.errors.group": "svc-s-dev",
			"__dlq.errors.message": text, "slipway-reason": dlq.Exhausted,
		} {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
		}
		if err := client.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			panic(err)
		}
	}
	return cluster
}
