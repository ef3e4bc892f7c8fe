// Package asyncapi derives AsyncAPI documents from contracts, and contracts from
// AsyncAPI documents.
package asyncapi
