// Package profile is what a service's admin endpoint shows below /debug/pprof/, for
// go tool pprof: where it spends its time and its memory.
//
//	serve.Service{Files: files, Wire: wire, Profiles: profile.Handler()}.Main()
//
// It is a package of its own because it makes a program half a megabyte larger,
// which a service carries only if it asks.
package profile

import (
	"net/http"
	"net/http/pprof"
)

// Handler answers as go tool pprof asks. The command line is not among what it
// tells: that may hold what is nobody's business.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	return mux
}
