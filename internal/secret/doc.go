// Package secret keeps passwords out of everything a program prints.
//
// A [Secret] holds text that only [Secret.Reveal] gives back. Every way Go has
// of turning a value into text — fmt's verbs, encoding/json, YAML's and
// flag's use of encoding.TextMarshaler, log/slog — writes *** in its place, so
// a struct that holds one can be logged, dumped or put into a plan without a
// second thought.
//
// It guards against accidents, not against code in the same process: whoever
// calls Reveal has the text. Reading a Secret from JSON or YAML is refused on
// purpose; secrets come from files and random generators.
package secret
