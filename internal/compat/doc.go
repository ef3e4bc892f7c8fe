// Package compat says whether a changed schema can be read by those who read it
// and can read what is there: the versions in the registry, and every consumer
// of the estate with the schema of its own. Each fault names the field.
//
// Everything rests on one question, [Unreadable]: which values that one schema
// lets be written cannot be read with another. [Check] asks it of the versions
// that a compatibility level names, in the directions that it names, and
// [Reads] of a consumer. A registry gives the same verdict in fewer words, and
// often the first reason alone; it has the last word, because it is what
// refuses. What is told here is what to change so that it does not.
//
// Avro is decided in full, as the codec decides it when it resolves a writer's
// schema, and so is Protobuf. Of JSON Schema what is certain is told, see
// [jsonvalue.Unreadable]: the rest is left to the registry.
//
// [Diff] compares two schemas without a verdict: which fields came, went and
// changed. [Money] finds amounts that are kept in floating point.
package compat
