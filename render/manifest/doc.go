// Package manifest writes Kubernetes objects, and YAML like them, so that a reader
// sees where each value came from.
//
// An object is a [Map]: keys in the order in which they are written, with a comment
// beside those that follow from a contract. Nothing here knows what a Deployment
// is. That what is written is valid is judged by the API server itself, in tests:
// types of Kubernetes would judge less (a misspelt key of a custom resource) and
// would cost every user of the command line their weight.
//
// Every object has the labels that say whose it is, from [Labels].
package manifest
