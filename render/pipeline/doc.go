// Package pipeline derives the pipeline that the repository of a service needs.
package pipeline
