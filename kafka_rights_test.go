//go:build kafka

package slipway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/record"
)

// The amounts of orders that the handler of the dead-lettering services does
// not take.
const (
	unwanted = -1 // rejected
	hopeless = -2 // fails at every attempt
	mad      = -3 // panics
)

func TestDeadLettersAreWrittenUnderExactlyTheDerivedRights(t *testing.T) {
	r := onKafka(t)
	for _, name := range []string{"bymtls", "byscram512", "byscram256"} {
		t.Run(name, func(t *testing.T) { r.checkDeadLetters(t, name) })
	}
}

func (r *realKafka) checkDeadLetters(t *testing.T, name string) {
	topic, identity := name+".in.v1", "svc-"+name+"-dev"
	dlq := identity + "." + topic + ".dlq"
	var handled calls
	var out *slipway.Producer[order]
	p := r.start(t, name, "0", func(app *slipway.App) error {
		out = slipway.NewProducer[order](app, topic)
		slipway.Handle(app, topic, func(_ context.Context, m *slipway.Message[order]) error {
			handled.add(m)
			switch m.Value.Amount {
			case unwanted:
				return slipway.Reject(errors.New("not wanted"))
			case hopeless:
				return errors.New("hopeless")
			case mad:
				panic("mad")
			}
			return nil
		})
		return nil
	})
	plain := client(t, r.login(t, name))
	for _, amount := range []int64{1, unwanted, hopeless, mad} {
		if _, err := out.Send(t.Context(), &order{"o-1", amount}, slipway.WithHeader("origin", "web")); err != nil {
			t.Fatal(err)
		}
	}
	if err := plain.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("o-1"), Value: []byte("no frame")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Send(t.Context(), &order{"o-1", 2}); err != nil {
		t.Fatal(err)
	}
	await(t, 30*time.Second, "the last record to be handled", func() bool {
		all := handled.all()
		return len(all) > 0 && all[len(all)-1].amount == 2
	})
	p.stop()

	var amounts []int64
	for _, c := range handled.all() {
		amounts = append(amounts, c.amount)
	}
	if want := []int64{1, unwanted, hopeless, hopeless, hopeless, mad, mad, mad, 2}; !slices.Equal(amounts, want) {
		t.Errorf("handled %v, want %v", amounts, want)
	}
	sent, dead := r.readAll(t, topic), r.readAll(t, dlq)
	var reasons []string
	for i, d := range dead {
		reason, _ := record.Get(d.Headers, record.Reason)
		reasons = append(reasons, reason)
		if s := sent[i+1]; string(d.Value) != string(s.Value) || string(d.Key) != string(s.Key) {
			t.Errorf("dead letter %d is not the record as it was", i)
		}
	}
	if want := []string{"rejected", "exhausted", "exhausted", "undecodable"}; !slices.Equal(reasons, want) {
		t.Errorf("reasons = %v, want %v", reasons, want)
	}
	groups, err := r.administer(t).Groups(t.Context(), identity)
	if err != nil || groups[0].Lag() != 0 || groups[0].Topics[0].Committed != 6 {
		t.Errorf("group = %+v, %v, want all 6 records committed", groups, err)
	}
	r.requireDerivedRights(t, name, dlq)
}

// requireDerivedRights fails unless the service has the rights that follow from
// its contract, was never refused anything while it worked, and is refused
// what it has no right to.
func (r *realKafka) requireDerivedRights(t *testing.T, name, dlq string) {
	t.Helper()
	if denied := r.denials(t, name); len(denied) > 0 {
		t.Errorf("%s asked for what it has no right to: %v", name, denied)
	}
	principal, topic := "User:svc-"+name+"-dev", name+".in.v1"
	bindings, err := r.administer(t).ACLs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range bindings {
		if b.Principal == principal {
			got = append(got, b.String())
		}
	}
	slices.Sort(got)
	want := []string{
		principal + " READ GROUP svc-" + name + "-dev", principal + " READ TOPIC " + topic,
		principal + " WRITE TOPIC " + topic, principal + " WRITE TOPIC " + dlq,
	}
	retry := strings.TrimSuffix(dlq, "dlq") + "retry"
	for _, right := range []string{"DELETE", "READ", "WRITE"} {
		want = append(want, principal+" "+right+" TOPIC "+retry)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
	reader := client(t, r.login(t, name), kgo.ConsumeTopics(dlq), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := reader.PollFetches(ctx).Err(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("read %s: %v, want TOPIC_AUTHORIZATION_FAILED", dlq, err)
	}
	if len(r.denials(t, name)) == 0 {
		t.Error("the authorizers do not tell of the refusal, so they would not have told of others")
	}
}
