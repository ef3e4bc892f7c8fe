package lane

// The bounds of what a pool keeps: a few megabytes, if items are small.
const (
	maxSpareNodes  = 32768
	maxSpareQueues = 8192
	maxSpareChunks = 128
)

// spare keeps what is not used any more, to spare allocations. Nothing in it
// holds on to an item.
type spare[T any] struct {
	nodes  *node[T]
	queues *turn[T]
	chunks *chunk[T]

	numNodes, numQueues, numChunks int
}

func (s *spare[T]) node() *node[T] {
	n := s.nodes
	if n == nil {
		return new(node[T])
	}
	s.nodes, n.next = n.next, nil
	s.numNodes--
	return n
}

func (s *spare[T]) keepNode(n *node[T]) {
	if s.numNodes == maxSpareNodes {
		return
	}
	clear(n.value[:])
	n.next, s.nodes = s.nodes, n
	s.numNodes++
}

func (s *spare[T]) queue() *queue[T] {
	t := s.queues
	if t == nil {
		q := new(queue[T])
		q.turn.lane = q
		return q
	}
	s.queues, t.next = t.next, nil
	s.numQueues--
	return t.lane
}

// keepQueue keeps an empty queue, with its count of waits: there may be a timer
// that is late.
func (s *spare[T]) keepQueue(q *queue[T]) {
	if s.numQueues == maxSpareQueues {
		return
	}
	q.head, q.tail, q.missed, q.timer = nil, nil, nil, nil
	q.next, s.queues = s.queues, &q.turn
	s.numQueues++
}

func (s *spare[T]) chunk() *chunk[T] {
	c := s.chunks
	if c == nil {
		return new(chunk[T])
	}
	s.chunks, c.next = c.next, nil
	s.numChunks--
	return c
}

// keepChunk keeps a chunk whose items have all run or gone.
func (s *spare[T]) keepChunk(c *chunk[T]) {
	if s.numChunks == maxSpareChunks {
		return
	}
	clear(c.values[:c.n])
	c.from, c.n = 0, 0
	c.next, s.chunks = s.chunks, c
	s.numChunks++
}
