// Package kwok pins the kwok that simulates nodes and what runs on them: a program,
// as a tool of this module, and the stages that its pods go through. It has no code.
package kwok
