package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
)

const (
	// lockProtocol is what the members of a lock's group speak: nothing.
	lockProtocol = "slipway-lock"

	// beatsPerSession is how often a lock is renewed in the time after which
	// the cluster gives it up.
	beatsPerSession = 10
)

// Lock takes a lock that the cluster keeps: membership in a consumer group of
// that name, which nothing else may use. Whoever leads the group has it. If
// somebody is in the group already, or comes first, Lock fails at once with
// [diag.PlanLocked], which names them.
//
// The held context ends with ctx, with release, or with the cause
// [diag.PlanLockLost] when the cluster may have given the lock to somebody
// else: work under the lock goes on this context. It ends well before the
// cluster would end it, so that two holders never work side by side as long as
// their clocks go equally fast. release gives the lock back and waits for it;
// without it, as after a crash, the lock ends by itself when session is over.
//
// It takes the right to READ the group.
func (c *Cluster) Lock(ctx context.Context, name string, session time.Duration) (held context.Context, release func(), err error) {
	l := &lock{cluster: c, name: name, session: session}
	if err := l.take(ctx); err != nil {
		return nil, nil, err
	}
	held, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.keep(held, cancel)
	}()
	return held, func() {
		cancel(context.Canceled)
		<-done
		l.leave(ctx)
	}, nil
}

type lock struct {
	cluster    *Cluster
	name       string
	session    time.Duration
	member     string // our id in the group, once it gave one
	generation int32
	renewed    time.Time // when the request was sent that the cluster last answered well
}

// errFollower is that somebody else leads the group.
var errFollower = errors.New("another client was first")

func (l *lock) take(ctx context.Context) error {
	bounded, cancel := l.cluster.bounded(ctx)
	defer cancel()
	err := l.patient(bounded, l.vacant)
	if err == nil {
		err = l.patient(bounded, l.join)
	}
	if err == nil {
		return nil
	}
	l.leave(ctx)
	if errors.Is(err, errFollower) {
		if err = l.vacant(bounded); err == nil { // names who was first, unless they are gone again
			err = l.taken("another client, which came first")
		}
	}
	if errors.Is(err, diag.PlanLocked) {
		return err
	}
	return l.cluster.diagnose(err)
}

// patient does something again for as long as the group has no coordinator: a
// young cluster makes the topic that groups are kept in when it is first asked,
// and that takes seconds.
func (*lock) patient(ctx context.Context, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if !errors.Is(err, kerr.CoordinatorNotAvailable) && !errors.Is(err, kerr.CoordinatorLoadInProgress) && !errors.Is(err, kerr.NotCoordinator) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(coordinatorPause):
		}
	}
}

// vacant fails if somebody is in the group.
func (l *lock) vacant(ctx context.Context) error {
	m, err := l.cluster.describeClassic(ctx, l.name)
	if err != nil && !absent(err) {
		return err
	}
	others := slices.DeleteFunc(m.Members, func(o Member) bool { return o.ID == l.member })
	if len(others) == 0 {
		return nil
	}
	return l.taken(fmt.Sprintf("client %s at %s", cmp.Or(others[0].Client, "(unnamed)"), cmp.Or(others[0].Host, "an unknown host")))
}

func (l *lock) taken(by string) error {
	return diag.New(diag.PlanLocked, "the lock %s is held by %s", l.name, by).
		WithFix("wait for it to end; if that process is gone, the lock ends by itself within %s", l.session)
}

// join becomes the leader of the group, or fails.
func (l *lock) join(ctx context.Context) error {
	for {
		asked := time.Now()
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.MemberID, req.ProtocolType = l.name, l.member, lockProtocol
		req.SessionTimeoutMillis = int32(l.session.Milliseconds())
		req.RebalanceTimeoutMillis = req.SessionTimeoutMillis
		protocol := kmsg.NewJoinGroupRequestProtocol()
		protocol.Name, protocol.Metadata = lockProtocol, []byte{}
		req.Protocols = append(req.Protocols, protocol)
		resp, err := req.RequestWith(ctx, l.cluster.client)
		if err != nil {
			return err
		}
		switch err := kerr.ErrorForCode(resp.ErrorCode); {
		case errors.Is(err, kerr.MemberIDRequired):
			l.member = resp.MemberID
			continue
		case err != nil:
			return err
		}
		l.member, l.generation = resp.MemberID, resp.Generation
		if resp.LeaderID != l.member {
			return errFollower
		}
		switch err := l.sync(ctx); {
		case errors.Is(err, kerr.RebalanceInProgress): // somebody came or went meanwhile
			continue
		case err != nil:
			return err
		}
		l.renewed = asked
		return nil
	}
}

// sync tells the cluster that the group is complete; there is nothing to
// share out.
func (l *lock) sync(ctx context.Context) error {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = l.name, l.member, l.generation
	req.ProtocolType, req.Protocol = new(lockProtocol), new(lockProtocol)
	ours := kmsg.NewSyncGroupRequestGroupAssignment()
	ours.MemberID, ours.MemberAssignment = l.member, []byte{}
	req.GroupAssignment = append(req.GroupAssignment, ours)
	resp, err := req.RequestWith(ctx, l.cluster.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

// keep renews the lock until ctx ends, and ends it when the lock is lost.
func (l *lock) keep(ctx context.Context, lost context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.session / beatsPerSession):
		}
		err := l.renew(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && (l.over(err) || time.Now().After(l.end())) {
			lost(diag.New(diag.PlanLockLost, "the lock %s is lost: %v", l.name, err))
			return
		}
	}
}

// end is when the lock must no longer be relied on.
func (l *lock) end() time.Time { return l.renewed.Add(l.session * 2 / 3) }

func (l *lock) renew(ctx context.Context) error {
	ctx, cancel := context.WithDeadline(ctx, l.end())
	defer cancel()
	asked := time.Now()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = l.name, l.member, l.generation
	resp, err := req.RequestWith(ctx, l.cluster.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	switch {
	case err == nil:
		l.renewed = asked
	case errors.Is(err, kerr.RebalanceInProgress): // somebody knocks: whoever leads stays leader
		err = l.join(ctx)
	}
	return err
}

// over reports whether an error means that the lock is somebody else's, or may
// be, and not that the cluster is hard to reach.
func (*lock) over(err error) bool {
	for _, end := range []error{errFollower, kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.FencedInstanceID, kerr.GroupAuthorizationFailed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// leave gives the place in the group back. If that fails, the session ends it.
func (l *lock) leave(ctx context.Context) {
	if l.member == "" {
		return
	}
	ctx, cancel := l.cluster.bounded(context.WithoutCancel(ctx))
	defer cancel()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = l.name, l.member
	member := kmsg.NewLeaveGroupRequestMember()
	member.MemberID = l.member
	req.Members = append(req.Members, member)
	_, _ = req.RequestWith(ctx, l.cluster.client)
	l.member = ""
}
