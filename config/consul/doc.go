// Package consul is a source of configuration (package config): the keys of
// Consul's KV store below a prefix.
//
// Below the prefix, slashes and dots are the same: config/orders/kafka/consumer/
// concurrency and config/orders/kafka.consumer.concurrency are both the setting
// kafka.consumer.concurrency, and to write both is refused. Values are text, as
// variables are. Folders, which Consul's web page writes as empty keys that end
// in a slash, are passed over.
//
// Reads are consistent: the leader answers, after it has made sure that it is. A
// prefix without any key is an error, since it is more likely misspelt than meant.
//
// Watching takes one connection: a blocking query returns when something below
// the prefix is written. It tells of a change only if keys or values are others;
// Consul's index also moves for other reasons, and may go back.
//
// Errors have the codes SLP-CFG-070 and up, and show neither token nor value. The
// token's file is read for each request. TLS is verified always; without it only
// addresses of this machine are spoken to.
package consul
