// Package typegen writes Go types and typed handles for a contract, from its
// schemas. The same contract gives the same bytes.
package typegen
