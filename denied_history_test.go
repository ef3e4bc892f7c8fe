package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

const (
	jobsOut = "out.v1"

	deniedFor = time.Minute
	toTell    = 5 * time.Second  // from the revocation to the typed error
	toResume  = 10 * time.Second // from the grant to the first progress
	perSecond = 2                // requests for what is denied
)

// relaying is a service that passes on jobs, with how it produces and consumes.
func relaying(via, says string) fstest.MapFS {
	files := consuming("concurrency: 16, session: 6s, heartbeat: 1s, " + says)
	files["slipway.yaml"].Data = append(files["slipway.yaml"].Data, fmt.Sprintf("topics:\n  %s: {partitions: 3}\nproduces:\n  %s: {via: %s}\n", jobsOut, jobsOut, via)...)
	return files
}

// relay does jobs by their key: bad ones are rejected, late ones fail once, and
// all others are passed on.
func (s *study) relay(app *slipway.App) error {
	out := slipway.NewProducer[[]byte](app, jobsOut)
	return s.wire(func(ctx context.Context, j job) error {
		switch {
		case strings.HasPrefix(j.key, "bad"):
			return slipway.Reject(errors.New("refused"))
		case strings.HasPrefix(j.key, "late") && j.attempt == 1:
			return errors.New("not yet")
		}
		value := []byte(j.id)
		_, err := out.Send(ctx, &value)
		return err
	})(app)
}

// A grant is a right of the service under test, as the cluster has it.
type grant struct {
	kind    kmsg.ACLResourceType
	name    string
	pattern kmsg.ACLResourcePatternType
	op      kmsg.ACLOperation
}

func topicGrant(topic string, op kmsg.ACLOperation) grant {
	return grant{kmsg.ACLResourceTypeTopic, topic, kmsg.ACLResourcePatternTypeLiteral, op}
}

func (g grant) revoke(t *testing.T, k *slipwaytest.Kit) {
	t.Helper()
	req := kmsg.NewPtrDeleteACLsRequest()
	f := kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourceName, f.ResourcePatternType = g.kind, &g.name, g.pattern
	f.Principal, f.Operation, f.PermissionType = new("User:"+jobsGroup), g.op, kmsg.ACLPermissionTypeAllow
	req.Filters = append(req.Filters, f)
	resp, err := req.RequestWith(t.Context(), k.Client())
	if err != nil || len(resp.Results) != 1 || len(resp.Results[0].MatchingACLs) != 1 {
		t.Fatalf("revoke %+v: %v, %+v", g, err, resp)
	}
}

func (g grant) give(t *testing.T, k *slipwaytest.Kit) {
	t.Helper()
	req := kmsg.NewPtrCreateACLsRequest()
	c := kmsg.NewCreateACLsRequestCreation()
	c.ResourceType, c.ResourceName, c.ResourcePatternType = g.kind, g.name, g.pattern
	c.Principal, c.Host, c.Operation, c.PermissionType = "User:"+jobsGroup, "*", g.op, kmsg.ACLPermissionTypeAllow
	req.Creations = append(req.Creations, c)
	resp, err := req.RequestWith(t.Context(), k.Client())
	if err != nil || len(resp.Results) != 1 || resp.Results[0].ErrorCode != 0 {
		t.Fatalf("grant %+v: %v, %+v", g, err, resp)
	}
}

// asked are the requests that name something, but for those of one kind which
// are no use of the right.
type asked struct {
	of  string // a topic, group or transactional id
	but kmsg.Key
}

const none = kmsg.Key(-1)

// requests is a count of requests, until it is over.
type requests struct {
	atomic.Int64
	over atomic.Bool
}

// tally counts requests as the brokers see them.
func tally(k *slipwaytest.Kit, of asked) *requests {
	n := new(requests)
	var id [16]byte
	if info := k.Kafka().TopicInfo(of.of); info != nil {
		id = info.TopicID
	}
	k.Kafka().Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		if n.over.Load() {
			return nil, nil, false
		}
		k.Kafka().KeepControl()
		if kind := kmsg.Key(req.Key()); kind != of.but && names(reflect.ValueOf(req), of.of, id) {
			n.Add(1)
		}
		return nil, nil, false
	})
	return n
}

// names reports whether a request names a thing anywhere.
func names(v reflect.Value, name string, id [16]byte) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && names(v.Elem(), name, id)
	case reflect.String:
		return v.String() == name || strings.HasPrefix(v.String(), name+"/")
	case reflect.Array:
		got, ok := reflect.TypeAssert[[16]byte](v)
		return ok && got == id && id != [16]byte{}
	case reflect.Slice:
		for i := range v.Len() {
			if v.Type().Elem().Kind() != reflect.Uint8 && names(v.Index(i), name, id) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && names(v.Field(i), name, id) {
				return true
			}
		}
	}
	return false
}

const retrying = "retry: {delays: [7s], inPlace: 1s}"

// denialCases are the rights of a service, each taken away on its own.
var denialCases = map[string]struct {
	via, says string
	grants    []grant
	asked     asked
	error     slipway.NotAuthorizedError
	progress  func(*study, *slipwaytest.Kit) int // what the right is needed for
}{
	"topic read": {
		via: "direct", says: retrying, grants: []grant{topicGrant(jobs, kmsg.ACLOperationRead)},
		asked:    asked{jobs, kmsg.Produce},
		error:    slipway.NotAuthorizedError{Operation: "READ", ResourceType: "TOPIC", Resource: jobs, Entry: "consumes/" + jobs},
		progress: settledJobs(""),
	},
	"topic write": {
		via: "direct", says: retrying, grants: []grant{topicGrant(jobsOut, kmsg.ACLOperationWrite)},
		asked:    asked{jobsOut, none},
		error:    slipway.NotAuthorizedError{Operation: "WRITE", ResourceType: "TOPIC", Resource: jobsOut, Entry: "produces/" + jobsOut},
		progress: settledJobs(""),
	},
	"group": {
		via: "direct", says: retrying,
		grants:   []grant{{kmsg.ACLResourceTypeGroup, jobsGroup, kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationRead}},
		asked:    asked{jobsGroup, none},
		error:    slipway.NotAuthorizedError{Operation: "READ", ResourceType: "GROUP", Resource: jobsGroup, Entry: "consumes/" + jobs},
		progress: settledJobs(""),
	},
	"transactional id": {
		via: "transaction", says: "retry: {delays: [200ms], then: dead-letter}",
		grants:   []grant{{kmsg.ACLResourceTypeTransactionalId, jobsGroup + ".", kmsg.ACLResourcePatternTypePrefixed, kmsg.ACLOperationWrite}},
		asked:    asked{jobsGroup + ".0", none},
		error:    slipway.NotAuthorizedError{Operation: "WRITE", ResourceType: "TRANSACTIONAL_ID", Resource: jobsGroup + ".0", Entry: "produces/" + jobsOut},
		progress: recordsIn(jobsOut),
	},
	"topic of a transaction": {
		via: "transaction", says: "retry: {delays: [200ms], then: dead-letter}", grants: []grant{topicGrant(jobsOut, kmsg.ACLOperationWrite)},
		asked:    asked{jobsOut, none},
		error:    slipway.NotAuthorizedError{Operation: "WRITE", ResourceType: "TOPIC", Resource: jobsOut, Entry: "produces/" + jobsOut},
		progress: recordsIn(jobsOut),
	},
	"retry topic": {
		via: "direct", says: retrying,
		grants: []grant{
			topicGrant(jobsRetry, kmsg.ACLOperationRead), topicGrant(jobsRetry, kmsg.ACLOperationWrite), topicGrant(jobsRetry, kmsg.ACLOperationDelete),
		},
		asked:    asked{jobsRetry, none},
		error:    slipway.NotAuthorizedError{Operation: "WRITE", ResourceType: "TOPIC", Resource: jobsRetry, Entry: "consumes/" + jobs},
		progress: settledJobs("late"),
	},
	"retry topic write": {
		via: "direct", says: retrying, grants: []grant{topicGrant(jobsRetry, kmsg.ACLOperationWrite)},
		asked:    asked{jobsRetry, kmsg.Fetch},
		error:    slipway.NotAuthorizedError{Operation: "WRITE", ResourceType: "TOPIC", Resource: jobsRetry, Entry: "consumes/" + jobs},
		progress: settledJobs("late"),
	},
	"retry topic read": {
		via: "direct", says: retrying, grants: []grant{topicGrant(jobsRetry, kmsg.ACLOperationRead)},
		asked:    asked{jobsRetry, kmsg.Produce},
		error:    slipway.NotAuthorizedError{Operation: "READ", ResourceType: "TOPIC", Resource: jobsRetry, Entry: "consumes/" + jobs},
		progress: settledJobs("late"),
	},
	"dead letters": {
		via: "direct", says: retrying, grants: []grant{topicGrant(jobsDead, kmsg.ACLOperationWrite)},
		asked:    asked{jobsDead, none},
		error:    slipway.NotAuthorizedError{Operation: "WRITE", ResourceType: "TOPIC", Resource: jobsDead, Entry: "consumes/" + jobs},
		progress: recordsIn(jobsDead),
	},
}

// settledJobs counts what handlers have finished, of keys with a prefix.
func settledJobs(prefix string) func(*study, *slipwaytest.Kit) int {
	return func(s *study, _ *slipwaytest.Kit) int {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for id := range s.settled {
			if strings.HasPrefix(id, prefix) {
				n++
			}
		}
		return n
	}
}

// recordsIn counts the records of a topic that readers see.
func recordsIn(topic string) func(*study, *slipwaytest.Kit) int {
	return func(_ *study, k *slipwaytest.Kit) int {
		n := 0
		for _, p := range k.Kafka().PartitionInfos(topic) {
			n += int(p.LastStableOffset)
		}
		return n
	}
}

// TestARightThatIsRevokedIsToldWaitedForAndUsedAgain is F-54.
func TestARightThatIsRevokedIsToldWaitedForAndUsedAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range denialCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStudy(t)
			slipwaytest.Run(t, relaying(tt.via, tt.says), s.relay, func(t *testing.T, k *slipwaytest.Kit) {
				keys := append(numbered(12), "late1", "late2", "bad1", "bad2")
				s.load(k, brief(15*time.Second, 5*time.Second), keys)
				for _, g := range tt.grants {
					g.revoke(t, k)
				}
				s.fault("revoked")
				asked := tally(k, tt.asked)
				told := s.untilTold(k, tt.error, keys)
				tallest := s.denied(k, asked, keys)
				hits := asked.Load()
				asked.over.Store(true)
				before := tt.progress(s, k)
				for _, g := range tt.grants {
					g.give(t, k)
				}
				s.fault("granted")
				resumed := until(k, time.Minute, func() bool { return tt.progress(s, k) > before })
				healthy := until(k, time.Minute, func() bool { return k.Ready(worker) == nil })
				s.load(k, 5*time.Second, keys)
				bad := 2 * s.sent / len(keys)
				if until(k, time.Hour, func() bool { return s.done() == s.sent-bad && recordsIn(jobsDead)(s, k) >= bad }) < 0 {
					t.Errorf("%d of %d records are settled, and %d dead, an hour after the grant", s.done(), s.sent, recordsIn(jobsDead)(s, k))
				}
				k.Advance(3 * time.Second)
				s.judge(k, true)
				rate := float64(hits) / (deniedFor + told).Seconds()
				t.Logf("told after %v, %d requests in %v of denial (%.2f/s, at most %d in a second), resumed after %v, healthy after %v",
					told, hits, deniedFor+told, rate, tallest, resumed, resumed+healthy)
				if rate > perSecond {
					t.Errorf("%.2f requests per second while denied, want at most %d", rate, perSecond)
				}
				if resumed < 0 || resumed > toResume {
					t.Errorf("it went on %v after the grant, want at most %v", resumed, toResume)
				}
				if healthy < 0 || resumed+healthy > toResume {
					t.Errorf("healthy %v after the grant, want at most %v: %v", resumed+healthy, toResume, k.Ready(worker))
				}
				requireOneLine(t, k, tt.error)
			})
		})
	}
}

// load sends a record of each key every second.
func (s *study) load(k *slipwaytest.Kit, d time.Duration, keys []string) {
	for range int(d / time.Second) {
		s.send(k, keys...)
		k.Advance(time.Second)
	}
}

// untilTold sends until health has the error, and returns how long that took.
func (s *study) untilTold(k *slipwaytest.Kit, want slipway.NotAuthorizedError, keys []string) time.Duration {
	s.t.Helper()
	began := time.Now()
	s.send(k, keys...)
	for time.Since(began) < 2*toTell {
		if got := lackOf(k.Ready(worker), want); got != nil {
			if took := time.Since(began); took > toTell {
				s.t.Errorf("told after %v, want at most %v", took, toTell)
			}
			requireTells(s.t, got, want)
			return time.Since(began)
		}
		k.Advance(100 * time.Millisecond)
	}
	s.t.Errorf("Ready() = %v %v after the revocation, want a NotAuthorizedError for %s %s", k.Ready(worker), 2*toTell, want.ResourceType, want.Resource)
	return 2 * toTell
}

// lackOf finds the error of a right in what health says.
func lackOf(err error, want slipway.NotAuthorizedError) *slipway.NotAuthorizedError {
	if e, ok := errors.AsType[*slipway.NotAuthorizedError](err); ok &&
		e.Operation == want.Operation && e.ResourceType == want.ResourceType && e.Resource == want.Resource {
		return e
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			if e := lackOf(inner, want); e != nil {
				return e
			}
		}
	}
	return nil
}

func requireTells(t *testing.T, got *slipway.NotAuthorizedError, want slipway.NotAuthorizedError) {
	t.Helper()
	if got.Principal != "User:"+jobsGroup || got.Entry != want.Entry || !strings.Contains(got.Fix, "slipway apply -e dev") || !strings.Contains(got.Fix, want.Entry) {
		t.Errorf("told %+v, want the principal, the entry %s and how to grant it", got, want.Entry)
	}
	if answer, ok := errors.AsType[*kerr.Error](got); !ok || !strings.HasSuffix(answer.Message, "_AUTHORIZATION_FAILED") {
		t.Errorf("told %v, want the cluster's answer in it", got)
	}
}

// denied sends all the while, and returns the most requests of one second once
// the first five are over.
func (s *study) denied(k *slipwaytest.Kit, asked *requests, keys []string) (tallest int64) {
	for second := range int(deniedFor / time.Second) {
		before := asked.Load()
		s.send(k, keys...)
		k.Advance(time.Second)
		if n := asked.Load() - before; second >= 5 && n > tallest {
			tallest = n
		}
	}
	return tallest
}

// until advances until something holds, and returns how long that took, -1 if
// it did not.
func until(k *slipwaytest.Kit, limit time.Duration, holds func() bool) time.Duration {
	for began := time.Now(); time.Since(began) <= limit; k.Advance(100 * time.Millisecond) {
		if holds() {
			return time.Since(began)
		}
	}
	return -1
}

// requireOneLine fails unless the log tells once of the right.
func requireOneLine(t *testing.T, k *slipwaytest.Kit, of slipway.NotAuthorizedError) {
	t.Helper()
	n := 0
	for line := range strings.Lines(k.Log()) {
		if strings.Contains(line, "SLP-RUN-060") && strings.Contains(line, "operation="+of.Operation) && strings.Contains(line, "resource="+of.Resource+" ") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d lines tell of the right, want one", n)
	}
}

// A producer that may write no topic at all is told of the cluster by a broker.
// That is no reason to look for a right to the cluster, nor to stay refused.
func TestARefusedProducerIDIsARefusedTopicAndPasses(t *testing.T) {
	t.Parallel()
	var out *slipway.Producer[[]byte]
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: worker, owner: team-warehouse}
identity: {auth: scram-sha-512}
topics: {out.v1: {partitions: 3}}
produces: {out.v1: {via: direct}}
`)}}
	wire := func(app *slipway.App) error {
		out = slipway.NewProducer[[]byte](app, jobsOut)
		return nil
	}
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		g := topicGrant(jobsOut, kmsg.ACLOperationWrite)
		g.revoke(t, k)
		describe := topicGrant(jobsOut, kmsg.ACLOperationDescribe)
		describe.give(t, k) // so that the refusal is that of the id
		ids := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, Count: -1})
		value := []byte("v")
		for range 100 {
			_, err := out.Send(t.Context(), &value)
			refused, ok := errors.AsType[*slipway.NotAuthorizedError](err)
			if !ok || !errors.Is(err, slipway.ErrNotAuthorized) || !errors.Is(err, kerr.ClusterAuthorizationFailed) {
				t.Fatalf("Send() = %v, want a NotAuthorizedError that the cluster's answer is in", err)
			}
			if refused.ResourceType != "TOPIC" || refused.Resource != jobsOut || refused.Entry != "produces/"+jobsOut {
				t.Fatalf("Send() = %v, want it to name the topic", err)
			}
			k.Advance(100 * time.Millisecond)
		}
		if n := ids.Hits(); n == 0 || n > 20 {
			t.Errorf("the id was asked for %d times in 10s, want some and at most 20", n)
		}
		g.give(t, k)
		took := until(k, time.Minute, func() bool { _, err := out.Send(t.Context(), &value); return err == nil })
		if took < 0 || took > toResume {
			t.Errorf("the producer can be used %v after the grant, want at most %v", took, toResume)
		}
	})
}
