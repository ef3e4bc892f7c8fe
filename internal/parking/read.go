package parking

// Read takes in a record of the retry partition. All of them are read, in the
// order of their offsets, from [Config.RetryFrom] on and for as long as the
// partition is owned: the own appends come back, commands come in, and zombies
// may still write.
func (l *Lot) Read(offset int64, e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if offset < l.log.next {
		return
	}
	l.log.next = offset + 1
	switch {
	case e.Kind == Fence:
		l.readFence(offset, e.Fence)
	case e.Kind == Command:
		l.readCommand(offset, e)
	case e.Fence < l.log.high && l.skip != noFence:
		l.strange(offset, e)
	case e.Kind == Copy:
		l.readCopy(offset, e)
	case e.Kind == Mark:
		l.readMark(offset, e)
	case e.Kind == Hold:
		l.readHold(offset, e)
	}
}

// Stray takes in a record that is no entry. The frontier does not pass it
// before done is called: when evidence of it was kept.
func (l *Lot) Stray(offset int64) (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if offset < l.log.next {
		return func() {}
	}
	l.log.next = offset + 1
	c := new(command)
	l.log.push(place{offset: offset, command: c, mark: -1})
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		c.done = true
	}
}

func (l *Lot) readFence(offset int64, number uint64) {
	l.log.fences = append(l.log.fences, fence{offset, number})
	l.log.high = max(l.log.high, number)
	l.superseded = l.superseded || number > l.fence
	if number != l.fence || offset < l.markAt || l.ready {
		return
	}
	l.ready = true
	for _, ln := range l.lanes {
		ln.merge()
		l.schedule(ln)
		l.tidy(ln)
	}
}

// strange passes over what a zombie wrote. The lock is held.
func (l *Lot) strange(offset int64, e Entry) {
	if l.skip == trimAnything && e.Kind == Copy {
		tk := &ticket{place: e.Ticket, copy: offset, attempts: e.Attempts, due: e.Due, parked: e.Parked}
		l.log.push(place{offset: offset, lane: l.open(e.Ticket, e.Key), ticket: tk, mark: -1})
	}
}

func (l *Lot) readCopy(offset int64, e Entry) {
	ln := l.open(e.Ticket, e.Key)
	if l.settled(ln, e.Ticket) {
		l.tidy(ln)
		return
	}
	tk := ln.ticket(e.Ticket)
	if tk == nil {
		tk = l.add(ln, e.Ticket)
	}
	tk.update(offset, e)
	l.log.push(place{offset: offset, lane: ln, ticket: tk, mark: -1})
	l.schedule(ln)
}

func (l *Lot) readMark(offset int64, e Entry) {
	ln := l.open(e.Ticket, e.Key)
	l.settle(ln, e.Ticket)
	if l.own(ln) {
		p := place{offset: offset, lane: ln, mark: e.Ticket.Offset}
		l.log.push(p)
		l.log.marks = append(l.log.marks, p)
	}
	l.schedule(ln)
	l.tidy(ln)
}

func (l *Lot) readHold(offset int64, e Entry) {
	ln := l.keyed(e.Key)
	l.holds += ln.hold(offset, e)
	if e.Held {
		l.log.push(place{offset: offset, lane: ln, mark: -1})
	}
	l.schedule(ln)
	l.tidy(ln)
}
