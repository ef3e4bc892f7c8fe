// Command slipway takes a Go service on Apache Kafka from contract to live.
package main

import (
	"os"

	"github.com/slipway-go/slipway/internal/cli"
)

func main() {
	os.Exit(cli.Run(cli.Process{
		Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Environ: os.Environ(), Exit: os.Exit,
	}))
}
