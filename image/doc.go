// Package image makes OCI images of services without a container engine.
package image
