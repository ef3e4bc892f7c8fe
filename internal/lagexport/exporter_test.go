package lagexport_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/lagexport"
)

const (
	state   = `slipway_group_state{consumer_group="svc-stock-prod",state="`
	members = `slipway_group_members{consumer_group="svc-stock-prod"}`
	errs    = "slipway_lag_export_errors_total"
	success = "slipway_lag_export_last_success_timestamp_seconds"
	unknown = "slipway_lag_export_unknown_groups"
)

func TestLagOutlivesADeadConsumer(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 10)
		k.produce(orders, 1, 10)
		leave := k.consume(stock)
		k.mustLook(2)
		k.require(map[string]string{
			of("slipway_group_lag", 0): "0", of("slipway_group_lag_seconds", 0): "0", of("slipway_group_committed_offset", 0): "10",
			status(0, "ok"): "1", state + `Stable"}`: "1", members: "1", errs: "0", unknown: "0",
		})
		leave()
		k.produce(orders, 0, 7)
		k.mustLook(1)
		k.require(map[string]string{
			of("slipway_group_lag", 0): "7", status(0, "ok"): "1", state + `Empty"}`: "1", members: "0",
			of("slipway_group_lag", 1): "0", status(1, "ok"): "1",
		})
		k.mustLook(10)
		k.produce(orders, 0, 1)
		k.mustLook(1)
		k.require(map[string]string{
			of("slipway_group_lag", 0): "8", status(0, "stop"): "1", status(0, "ok"): "",
			of("slipway_group_committed_offset", 0): "10", of("slipway_group_lag", 1): "0",
		})
		if got := k.seconds(0); got < 330 || got > 361 {
			t.Errorf("%v seconds of lag, want 330 and up to a look more", got)
		}
	})
}

func TestAnExporterThatStartsLateKnowsHowOldTheLagIs(t *testing.T) {
	withKit(t, func(k *kit) {
		for range 60 {
			k.produce(orders, 0, 1)
			<-time.After(time.Minute)
		}
		k.commit(stock, orders, 0, 10)
		k.commit(stock, orders, 1, 0)
		k.commit("svc-billing-prod", orders, 0, 30)
		began := time.Now()
		k.mustLook(1)
		other := strings.Replace(of("slipway_group_lag_seconds", 0), stock, "svc-billing-prod", 1)
		if got, err := strconv.ParseFloat(k.scrape()[other], 64); err != nil || got < 29*60 || got > 31*60 {
			t.Errorf("%v, %v seconds of lag of the other group, want half an hour", err, got)
		}
		if got, want := k.seconds(0), 50*60+time.Since(began).Seconds(); got > want || got < want*0.98 {
			t.Errorf("%v seconds of lag, want %v or a little less", got, want)
		}
		if got := k.seconds(1); got != 0 {
			t.Errorf("%v seconds of lag, and there is none", got)
		}
		k.commit(stock, orders, 0, 40)
		k.mustLook(1)
		if got, want := k.seconds(0), 20*60+time.Since(began).Seconds(); got > want+60 || got < want-60 {
			t.Errorf("%v seconds of lag, want %v or so", got, want)
		}
	}, lagexport.Group{ID: stock}, lagexport.Group{ID: "svc-billing-prod"})
}

func TestAMemberThatDoesNotMoveIsStalled(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 3)
		k.commit(stock, orders, 0, 3)
		leave := k.consume(stock, kgo.DisableAutoCommit())
		defer leave()
		k.mustLook(1)
		k.produce(orders, 0, 5)
		k.mustLook(11)
		k.require(map[string]string{of("slipway_group_lag", 0): "5", status(0, "stall"): "1", members: "1"})
	})
}

func TestWhatIsNotKnownIsNotExported(t *testing.T) {
	later := lagexport.Group{ID: stock, Topics: map[string]lagexport.Topic{orders: {}, "no.such.v1": {FromStart: true}}}
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 4)
		k.mustLook(1)
		k.require(map[string]string{state + `Dead"}`: "1", members: "0", errs: "0", unknown: "0"})
		k.requireNone("slipway_group_lag", "slipway_group_committed", "slipway_group_partition", "slipway_group_retry")
		leave := k.consume(stock, kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
		defer leave()
		k.mustLook(3) // it holds both partitions, and has no position
		k.require(map[string]string{state + `Stable"}`: "1", members: "1"})
		k.requireNone("slipway_group_lag", "slipway_group_committed", "slipway_group_partition")
	}, later)
}

func TestAGroupThatReadsFromTheStartHasTheWholeLogBeforeIt(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 4)
		defer k.consume(stock, kgo.DisableAutoCommit())()
		k.mustLook(3)
		k.require(map[string]string{of("slipway_group_lag", 0): "4", of("slipway_group_committed_offset", 0): "", status(0, "stall"): "1", status(1, "ok"): "1"})
	})
}

func TestWaitingInARetryTopicIsNoLag(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(retry, 0, 3)
		k.commit(stock, retry, 0, 3)
		k.produce(retry, 0, 2)
		k.mustLook(4)
		name := strings.Replace(of("slipway_group_retry_lag", 0), orders, retry, 1)
		k.require(map[string]string{name: "2"})
		k.requireNone(strings.Replace(of("slipway_group_lag", 0), orders, retry, 1))
		for series := range k.scrape() {
			if strings.HasPrefix(series, "slipway_group_partition_status") && strings.Contains(series, retry) {
				t.Errorf("waiting is judged: %s", series)
			}
		}
	})
}

func TestATopicMadeAnewIsJudgedAnew(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 20)
		k.commit(stock, orders, 0, 10)
		k.mustLook(4)
		k.require(map[string]string{status(0, "stop"): "1", of("slipway_group_lag", 0): "10"})
		k.delete(orders)
		k.mustLook(1)
		k.requireNone("slipway_group_lag", "slipway_group_partition", "slipway_group_committed")
		k.create(orders)
		k.produce(orders, 0, 2)
		k.mustLook(1)
		if got := k.seconds(0); got > 60 {
			t.Errorf("%v seconds of lag, and the topic is a minute old", got)
		}
		for series := range k.scrape() {
			if strings.Contains(series, `"rewind"`) {
				t.Errorf("another topic's offsets are taken for this one's: %s", series)
			}
		}
	})
}

func TestAPositionBeyondTheEndHasAStatusAndNoLag(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 3)
		k.commit(stock, orders, 0, 9)
		k.mustLook(1)
		k.require(map[string]string{status(0, "err"): "1", of("slipway_group_committed_offset", 0): "9"})
		k.requireNone(of("slipway_group_lag", 0), of("slipway_group_lag_seconds", 0))
	})
}

func TestABrokerThatIsAwayTakesItsSeriesWithIt(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 3)
		k.produce(orders, 1, 3)
		k.commit(stock, orders, 0, 1)
		k.commit(stock, orders, 1, 1)
		k.mustLook(2)
		first := k.scrape()[success]
		k.fake.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.fake.KeepControl()
			resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
			handled := false
			for _, t := range req.(*kmsg.ListOffsetsRequest).Topics {
				rt := kmsg.NewListOffsetsResponseTopic()
				rt.Topic = t.Topic
				for _, p := range t.Partitions {
					rp := kmsg.NewListOffsetsResponseTopicPartition()
					rp.Partition, rp.Offset = p.Partition, 3
					if t.Topic == orders && p.Partition == 1 {
						rp.ErrorCode, rp.Offset = kerr.UnknownServerError.Code, -1
					}
					if p.Timestamp == -2 {
						rp.Offset = 0
					}
					rt.Partitions = append(rt.Partitions, rp)
				}
				resp.Topics = append(resp.Topics, rt)
				handled = true
			}
			return resp, nil, handled
		})
		if err := k.look(); err == nil {
			t.Error("a look that missed a partition tells no error")
		}
		k.require(map[string]string{of("slipway_group_lag", 0): "2", errs: "1", unknown: "0", success: first})
		k.requireNone(of("slipway_group_lag", 1), of("slipway_group_lag_seconds", 1))
		if len(k.troubles) != 1 || k.troubles[0].Code != diag.LagUnseen || !strings.Contains(k.troubles[0].Message, orders) {
			t.Errorf("told %v, want %s of %s", k.troubles, diag.LagUnseen, orders)
		}
	})
}

func TestAClusterThatIsAwayLeavesTheExportersOwnHealth(t *testing.T) {
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 3)
		k.commit(stock, orders, 0, 1)
		k.mustLook(1)
		before := k.scrape()[success]
		k.cut()
		for range 2 {
			if err := k.look(); err == nil {
				t.Error("a look at nothing tells no error")
			}
		}
		k.requireNone("slipway_group")
		got := k.scrape()
		if got[errs] == "0" || got[unknown] != "1" || got[success] != before {
			t.Errorf("errors %s, unknown groups %s, last success %s, want some, 1 and %s", got[errs], got[unknown], got[success], before)
		}
		if k.connects < 2 {
			t.Errorf("logged in %d times, want anew after a look that failed", k.connects)
		}
	})
}

func TestOneRefusedGroupDoesNotHideTheOthers(t *testing.T) {
	other := lagexport.Group{ID: "svc-billing-prod"}
	withKit(t, func(k *kit) {
		k.produce(orders, 0, 3)
		k.commit(stock, orders, 0, 1)
		k.fake.ControlKey(int16(kmsg.DescribeGroups), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.fake.KeepControl()
			groups := req.(*kmsg.DescribeGroupsRequest).Groups
			resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
			for _, id := range groups {
				g := kmsg.NewDescribeGroupsResponseGroup()
				g.Group, g.State = id, "Empty"
				if id == other.ID {
					g.ErrorCode, g.State = kerr.GroupAuthorizationFailed.Code, ""
				}
				resp.Groups = append(resp.Groups, g)
			}
			return resp, nil, true
		})
		for range 3 {
			if err := k.look(); err == nil {
				t.Error("a look that was refused a group tells no error")
			}
		}
		k.require(map[string]string{of("slipway_group_lag", 0): "2", unknown: "1", errs: "3", success: ""})
		if len(k.troubles) != 1 || k.troubles[0].Code != diag.LagDenied || !strings.Contains(k.troubles[0].Message, other.ID) {
			t.Errorf("told %v, want %s of %s, once", k.troubles, diag.LagDenied, other.ID)
		}
		if k.connects != 1 {
			t.Errorf("logged in %d times, want once", k.connects)
		}
	}, lagexport.Group{ID: stock}, other)
}

func TestEveryKindOfGroupIsSeen(t *testing.T) {
	for name, kind := range map[string][]kgo.Opt{
		"classic": nil,
		"KIP-848": {kgo.ServerSideBalancer()},
	} {
		t.Run(name, func(t *testing.T) {
			withKit(t, func(k *kit) {
				k.produce(orders, 0, 5)
				leave := k.consume(stock, kind...)
				k.mustLook(2)
				k.require(map[string]string{of("slipway_group_lag", 0): "0", members: "1", state + `Stable"}`: "1", of("slipway_group_committed_offset", 0): "5"})
				leave()
				k.produce(orders, 0, 5)
				k.mustLook(12)
				k.require(map[string]string{of("slipway_group_lag", 0): "5", members: "0", status(0, "stop"): "1"})
			})
		})
	}
}

func TestAShareGroupIsSeen(t *testing.T) {
	withKit(t, func(k *kit) {
		reader := k.connect(kgo.ShareGroup(stock), kgo.ConsumeTopics(orders))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !reader.PollFetches(k.Context()).IsClientClosed() {
			}
		}()
		<-time.After(time.Minute)
		k.produce(orders, 0, 5)
		k.mustLook(2)
		k.require(map[string]string{of("slipway_group_lag", 0): "0", members: "1", state + `Stable"}`: "1", status(0, "ok"): "1"})
		reader.Close()
		<-done
		k.produce(orders, 0, 5)
		k.mustLook(12)
		k.require(map[string]string{of("slipway_group_lag", 0): "5", members: "0", status(0, "stop"): "1"})
	})
}

// TestAnExporterRunsUntilItIsStopped looks by itself.
func TestAnExporterRunsUntilItIsStopped(t *testing.T) {
	withKit(t, func(k *kit) {
		k.commit(stock, orders, 0, 0)
		requests := 0
		k.fake.ControlKey(int16(kmsg.DescribeGroups), func(kmsg.Request) (kmsg.Response, error, bool) {
			k.fake.KeepControl()
			requests++
			return nil, nil, false
		})
		ctx, cancel := context.WithTimeout(k.Context(), 5*time.Minute-time.Second)
		defer cancel()
		if err := k.exporter.Run(ctx); err == nil {
			t.Error("running ended without a cause")
		}
		if requests < 10 || requests > 11 {
			t.Errorf("looked %d times in five minutes, want 10 or 11", requests)
		}
	})
}
