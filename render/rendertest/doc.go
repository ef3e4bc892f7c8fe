// Package rendertest is what the tests of targets have in common: estates that
// targets render, and golden files that are read in review.
//
// The estates are below render/testdata/estates, where README.md says what each is
// for. They are valid: a test of what is refused brings contracts of its own.
package rendertest
