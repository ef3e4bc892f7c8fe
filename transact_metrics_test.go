package slipway_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestTransactionsAreCountedByHowTheyEnded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key               kmsg.Key
		aborted, renewals float64
	}{
		"no fault":                 {},
		"offsets of no known fate": {kmsg.TxnOffsetCommit, 1, 1},
		"a commit that was lost":   {kmsg.EndTxn, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, reader := measured(forward)
			s.Files = exactFiles("")
			slipwaytest.RunAll(t, []slipwaytest.Service{s}, func(t *testing.T, k *slipwaytest.Kit) {
				orderMany(k, 0, 20)
				settle(k)
				before := read(t, reader)
				if tt.key != 0 {
					lost := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{tt.key}, Err: kerr.UnknownServerError, Count: 1})
					defer func() {
						if lost.Hits() != 1 {
							t.Errorf("%d requests failed, want 1", lost.Hits())
						}
					}()
				}
				orderMany(k, 20, 20)
				settle(k)
				got := read(t, reader)
				if n := got["kafka.consumer.transactions committed"] - before["kafka.consumer.transactions committed"]; n < 1 {
					t.Errorf("%v transactions were committed, want one at least", n)
				}
				if n := got["kafka.consumer.transactions aborted"]; n != tt.aborted {
					t.Errorf("%v transactions were aborted, want %v", n, tt.aborted)
				}
				if n := got["kafka.consumer.transactional.id.renewals"]; n < tt.renewals || tt.renewals == 0 && n > 0 {
					t.Errorf("transactional ids were taken anew %v times, want %v", n, tt.renewals)
				}
				requireExactly(t, k, 40)
			})
		})
	}
}

func TestTransactionsThatNothingBeginsAreRefused(t *testing.T) {
	t.Parallel()
	files := exactFiles("")
	contract := string(files["slipway.yaml"].Data)
	for name, text := range map[string]string{
		"nothing consumed": contract[:strings.Index(contract, "consumes:")],
		"a table":          contract[:strings.Index(contract, "consumes:")] + "consumes:\n  orders.created.v1: {as: table, schema: {format: avro, file: order.avsc}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := exactFiles("")
			files["slipway.yaml"].Data = []byte(text)
			app, err := slipway.New(slipway.Config{Files: files, Environment: slipway.Environment{Name: "dev"}, Codecs: []schema.Codec{avro.Codec()}})
			if err != nil {
				t.Fatal(err)
			}
			slipway.NewProducer[order](app, shipments)
			if err := app.Run(t.Context()); !errors.Is(err, diag.TransactionUntriggered) || !strings.Contains(told(err), shipments) {
				t.Errorf("Run() = %s, want %s naming %s", told(err), diag.TransactionUntriggered, shipments)
			}
		})
	}
}
