// Package proto reads and writes Protocol Buffers for Slipway, in Confluent's
// wire format with its message indexes.
package proto
