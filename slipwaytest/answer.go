package slipwaytest

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// LoseAnswers has the cluster do what the next n requests of a kind ask for,
// and answer that they timed out: acknowledgements that get lost. It is for
// requests whose answer has one error code. The returned function tells how
// many were lost already.
func (k *Kit) LoseAnswers(key kmsg.Key, n int) (lost func() int) {
	var done atomic.Int64
	var inside atomic.Bool
	client := k.producer()
	k.Kafka().ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.Kafka().KeepControl()
		if int(done.Load()) >= n || !inside.CompareAndSwap(false, true) {
			return nil, nil, false
		}
		defer inside.Store(false)
		k.Kafka().SleepControl(func() { _, _ = client.Request(context.Background(), again(req)) })
		done.Add(1)
		resp := req.ResponseKind()
		resp.SetVersion(req.GetVersion())
		reflect.ValueOf(resp).Elem().FieldByName("ErrorCode").SetInt(int64(kerr.RequestTimedOut.Code))
		return resp, nil, true
	})
	return func() int { return int(done.Load()) }
}

// again copies a request, because a client writes into what it sends.
func again(req kmsg.Request) kmsg.Request {
	own := kmsg.RequestForKey(req.Key())
	own.SetVersion(req.GetVersion())
	if err := own.ReadFrom(req.AppendTo(nil)); err != nil {
		panic("slipwaytest: " + err.Error())
	}
	return own
}
