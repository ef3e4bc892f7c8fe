// Package broker derives the settings of a secured broker and controller, each with
// the reason for it.
package broker
