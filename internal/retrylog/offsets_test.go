package retrylog_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestOffsetsKnowPartitionsThatWereAddedJustNow(t *testing.T) {
	withKit(t, []kfake.Opt{kfake.SeedTopics(1, "orders")}, nil, func(k *kit) {
		if _, err := k.log.Offsets(k.t.Context(), "group", "orders"); err != nil {
			k.t.Fatal(err)
		}
		client, err := kgo.NewClient(k.opts...)
		if err != nil {
			k.t.Fatal(err)
		}
		defer client.Close()
		req := kmsg.NewPtrCreatePartitionsRequest()
		topic := kmsg.NewCreatePartitionsRequestTopic()
		topic.Topic, topic.Count = "orders", 2
		req.Topics, req.TimeoutMillis = append(req.Topics, topic), 5000
		if _, err := req.RequestWith(k.t.Context(), client); err != nil {
			k.t.Fatal(err)
		}
		<-time.After(20 * time.Second)
		k.commit("group", "orders", 1, 42, "SW1AAAA")
		got, err := k.log.Offsets(k.t.Context(), "group", "orders")
		if err != nil || got["orders"][1].Offset != 42 {
			k.t.Errorf("Offsets = %v, %v, want partition 1 at 42", got, err)
		}
	})
}
