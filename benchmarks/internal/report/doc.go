// Package report turns repeated measurements into tables and plots. A figure
// is always min / **median** / max of the rounds: two cores shared with other
// work give no better number, and a mean would hide that.
package report
