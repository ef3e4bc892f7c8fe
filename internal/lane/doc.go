// Package lane runs work in order per key and in parallel across keys.
//
// A lane is the queue of one key, named by 64 bits. The item at its head is
// the only one of the lane that may run; when it is finished the next one takes
// its place. A head that must wait (a retry's delay, an acknowledgement) holds
// no worker: its lane leaves the line of those that can run, and a timer,
// [Pool.Wake] or [Pool.Release] brings it back. Nothing here knows Kafka.
// Taking work back (a revoked partition) is the caller's: its run function
// returns [Done] for what it no longer wants, and Wake fetches the heads that
// wait.
//
// # Two ways to queue
//
// Exact: every lane has a queue of its own, and the lanes that can run stand
// in one line, first come first served, for the workers. A key with a thousand
// items gets no more turns than a key with one, and as many items are in
// flight as there are workers and keys. It costs a lookup and two rounds of a
// lock for each item, some hundred nanoseconds: nothing beside a handler that
// asks a database, most of the time of one that only adds up.
//
// Hashed: lanes share a few shards, whose items one worker at a time sweeps up
// by the chunk, in the order in which they came, for some ten nanoseconds
// each. Shards stand in the same line as lanes.
//
// Hashed queues are only right while items are quick, so a lane leaves its
// shard as soon as it is not. An item that has run for one to two
// milliseconds, or does not end with Done, makes its lane an exact one, and
// what lies behind it goes on without it; the items of the lane that come
// through the shard later are passed on to the lane's own queue for as long as
// that is not empty. Therefore a slow or poisoned key delays only itself, and
// one that waits for an hour does not slow the others down. To find such an
// item costs no look at the clock: a timer, alive only while shards are swept,
// sees that a sweep has not moved, takes the rest of its chunk away and gives
// it to exact queues.
//
// # The choice
//
// A pool begins exact and measures one in eight of its runs. Some thousands in
// a row that were quick (a mean of 5 µs on two processors, 20 µs on eight and
// more), and no crowd in its handlers, make it hashed: what is quicker than
// that does not wait for another machine, and so gains nothing from a handler
// in flight for each key. From then on the timer keeps two accounts. One holds
// the time that shards were busy against what an item may take, four times as
// much as above because a shard may have to wait for a processor. The other
// holds the time that sweeps stood still, which is what seldom slow items
// cost, against what the items that were swept would have cost in exact
// queues. When either has fallen behind by some milliseconds for each shard,
// the pool becomes exact again, and the next proof must be longer.
//
// Both changes can happen at any time. When the pool becomes exact, everything
// that no worker has claimed goes to exact queues, in order, behind the items
// that run at the moment. When it becomes hashed, new items go to the shards
// and the exact queues run empty, each taking in what reaches its lane
// meanwhile. So there is one rule for order in both: an item is in the exact
// queue of its lane, or its lane has none.
//
// A pool that runs batches stays exact: the batch already shares the cost.
//
// # Idle and broken
//
// A lane exists only while it holds items, and a worker only while there is
// something to run: an idle pool is no goroutine, so that virtual time can
// pass. What is kept to spare allocations is bounded.
//
// A run function that panics ends the program, like any goroutine: catch it
// there. One that ends its goroutine ([runtime.Goexit], which FailNow of a test
// calls) has finished its items as far as the pool can know, and lane and
// worker go on. Who must not count them as handled notices by a deferred
// function of its own.
package lane
