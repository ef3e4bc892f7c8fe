// Package arch holds no code. Its tests keep true what docs/architecture.md
// says of the module: which package may import which, that each explains
// itself once, what a service links, and a few rules that hold for every file
// and that no linter knows.
//
// The lists in its tests are authoritative. A new package is added to the
// layers there and in docs/architecture.md; a new module in what a service
// links needs a decision record.
package arch
