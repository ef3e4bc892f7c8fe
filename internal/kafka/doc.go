// Package kafka is the engines' hand on a cluster: it describes topics, ACLs,
// users and groups, creates what a plan asks for, reads and moves the positions
// of groups, and reads and purges dead letters. It is the only package that
// uses an admin client.
//
// [Connect] dials, logs in and asks the cluster who it is before it returns,
// because a client that has been refused at the door otherwise keeps knocking
// until a deadline passes and then reports the deadline. Whatever goes wrong
// there, and in every request later, is a diagnostic of area KFK with cause
// and fix.
//
// What is deleted here the caller names one by one: topics, users' credentials,
// ACLs, groups, a group's positions ([Cluster.Forget]), the records below an
// offset ([Log.DeleteBelow]). No filter and no pattern stands for several.
//
// [Cluster.Lock] keeps clients from doing the same work at the same time.
//
// Methods that make what a plan asks for take many items, send them in batches
// of at most [MaxBatch], and return one error for each item in its place (nil
// for done), because Kafka answers item by item and a refused one must not
// hide the others. What exists already counts as done: creating it again is no
// error. A batch that fails as a whole (connection lost) fails its own items,
// and the next batch is tried all the same unless the context has ended.
//
// A Cluster is safe for concurrent use.
package kafka
