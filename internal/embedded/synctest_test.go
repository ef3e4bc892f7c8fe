package embedded_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
)

func TestAClusterInMemoryLivesOnVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, embedded.Config{Network: new(kfake.VirtualNetwork)})
		a := adminOf(t, c)
		a.check("create topic", 0, a.topic("orders", 3))
		cl := client(t, c, c.Admin(), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"))
		for range 3 {
			<-time.After(10 * time.Minute)
			a.check("produce", 0, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr())
			if got := cl.PollFetches(t.Context()); got.NumRecords() != 1 {
				t.Fatalf("consumed %d records, %v", got.NumRecords(), got.Err())
			}
		}
		reg := registryAdmin(t, c, c.Registry().Admin)
		if _, err := reg.Register(t.Context(), "orders-value", schema.Text{Format: "avro", Schema: `"string"`}); err != nil {
			t.Errorf("Register: %v", err)
		}
	})
}

func TestTheServersCertificateIsRenewedWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, embedded.Config{Network: new(kfake.VirtualNetwork)})
		for range 3 {
			<-time.After(20 * 24 * time.Hour)
			if err := c.Ping(t.Context(), c.Admin()); err != nil {
				t.Fatalf("Ping: %v", err)
			}
		}
	})
}
