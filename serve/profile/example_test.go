package profile_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/slipway-go/slipway/serve/profile"
)

// In main it goes into the field Profiles of serve.Service.
func ExampleHandler() {
	for _, path := range []string{"/debug/pprof/heap", "/debug/pprof/cmdline"} {
		w := httptest.NewRecorder()
		profile.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		fmt.Println(path, w.Code)
	}
	// Output:
	// /debug/pprof/heap 200
	// /debug/pprof/cmdline 404
}
