// Package istio derives what a service needs in an Istio mesh.
package istio
