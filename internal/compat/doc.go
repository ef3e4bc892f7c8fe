// Package compat says whether a changed schema can be read by those who read it
// and can read what is there: the versions in the registry, and every consumer
// of the estate with the schema of its own. Each fault names the field.
package compat
