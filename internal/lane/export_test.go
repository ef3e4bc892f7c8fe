package lane

// Force changes the mode, as the pool may do at any time.
func (p *Pool[T]) Force(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m == Hashed && !p.hashed:
		p.toHashed()
	case m == Exact && p.hashed:
		p.toExact()
	}
	p.hire()
}
