// Package file shows, by tests alone, that rendered files are read by whom they are
// rendered for: a project for Docker Compose by compose-go, which Docker Compose
// itself reads with, and workflows for GitHub by actionlint. They read the golden
// files of render/compose and render/pipeline, so what was reviewed is what is judged.
//
// It is a module of its own because of the YAML module that both of them use:
// actionlint needs a release candidate of the one whose release Slipway is built with,
// and a program has one version of a module only. Nothing of Slipway is linked.
package file
