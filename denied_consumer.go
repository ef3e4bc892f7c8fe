package slipway

import (
	"context"
	"errors"
	"time"
)

// denied acts on a fetch, or a membership, that the cluster refuses, and
// reports whether it was one. A partition that may not be read rests until it
// may be tried again; the client goes on asking for membership by itself.
func (c *consumer) denied(topic string, id int32, err error) bool {
	if topic == "" {
		return c.link.refused(err, toJoin(c.group)) != nil
	}
	r := toRead(topic)
	if c.link.refused(err, r) == nil {
		return false
	}
	if p := c.partition(topic, id); p != nil {
		p.pause(resting)
		c.link.denials.whenTried(r, func() { p.resume(resting) })
	}
	return true
}

// commitDenied reports whether a commit was refused for want of a right.
func (c *consumer) commitDenied(err error) bool {
	about := []right{toJoin(c.group)}
	if of, ok := errors.AsType[*refusal](err); ok {
		about = append(about, toRead(of.topic))
	}
	return c.link.refused(err, about...) != nil
}

// openingDenied has it found out which right lacks that a partition cannot be
// opened without.
func (c *consumer) openingDenied(p *partition, err error) {
	switch {
	case c.link.refused(err, toJoin(c.group)) != nil:
	case refusedKind(err) == ofTopic:
		c.link.denials.suspect(c.topicRights(p.entry)...)
	}
}

// topicRights are the rights to topics without which an entry's partitions are
// not opened.
func (c *consumer) topicRights(e *entry) []right {
	rights := []right{toRead(c.link.physical(e.Topic))}
	if e.retry != "" {
		rights = append(rights, toRead(e.retry), toWrite(e.retry))
	}
	return rights
}

// rest waits before partitions of an entry are tried again, and reports whether
// ctx goes on. While a right lacks that is until it may be tried.
func (c *consumer) rest(ctx context.Context, e *entry) bool {
	for _, r := range c.topicRights(e) {
		if c.link.denials.lacks(r) == nil {
			continue
		}
		tried := make(chan struct{})
		c.link.denials.whenTried(r, func() { close(tried) })
		select {
		case <-tried:
			return true
		case <-ctx.Done():
			return false
		}
	}
	return waitFor(ctx, openPause)
}

// awaitOpened waits until the retry partition was read up to its mark, and
// reports whether it was. It gives up when the partition may not be read: then
// it is opened anew as soon as it may.
func (y *yard) awaitOpened() bool {
	tick := time.NewTicker(watchRights)
	defer tick.Stop()
	for {
		select {
		case <-y.opened:
			return true
		case why := <-y.partition.cut: // with the mark, which would be waited for in vain
			y.consumer.cannotOpen(y.partition, why)
			return false
		case <-y.partition.ctx.Done():
			return false
		case <-tick.C:
			if y.consumer.link.denials.lacks(toRead(y.at.topic)) != nil {
				return false
			}
		}
	}
}

// refusedHandler reports whether a handler failed because the cluster refuses
// what it sends. It is no failure of the record's, unless the handler says so.
func refusedHandler(err error) bool {
	return errors.Is(err, ErrNotAuthorized) && Retryable(err) && !is[*parked](err) && !is[*skip](err) && !is[*trip](err)
}

// tellDenied reports whether a transaction failed for want of a right, and has
// the session ask for it less often.
func (s *session) tellDenied(err error) bool {
	l := s.consumer.link
	if is[*refusals](err) {
		return errors.Is(err, ErrNotAuthorized) // of some partitions, which rest
	}
	if l.refused(err, toTransact(s.id), toJoin(s.consumer.group)) == nil {
		if refusedKind(err) != ofTopic {
			return false
		}
		for _, e := range s.consumer.entries {
			l.denials.suspect(s.consumer.topicRights(e)...)
		}
	}
	s.denied = watchRights
	if s.failures == alarmAfter {
		s.consumer.tell(s.health(), err.Error())
	}
	return true
}

// allowed notes that a transaction was committed.
func (s *session) allowed() {
	l := s.consumer.link
	l.denials.succeeded(l, toTransact(s.id))
	l.denials.succeeded(l, toJoin(s.consumer.group))
}
