// Trips books trips: a flight, a hotel and a charge, or nothing of it.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/features/saga/trips/trip"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, trip.Wire, avro.Codec()) }
