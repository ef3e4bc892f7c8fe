package schema_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/slipway-go/slipway/schema"
)

// A record's value names its schema; the registry says what the name means.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/schemas/ids/7" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error_code":40403,"message":"Schema not found"}`)
			return
		}
		fmt.Fprint(w, `{"schema":"\"string\""}`)
	}))
	defer server.Close()
	registry, err := schema.NewClient(schema.ClientConfig{URL: server.URL})
	if err != nil {
		panic(err)
	}
	defer registry.Close()

	for _, id := range []int{7, 8} {
		value := append(schema.AppendHeader(nil, id), "payload"...)
		id, payload, err := schema.SplitHeader(value)
		if err != nil {
			panic(err)
		}
		text, err := registry.Text(context.Background(), id)
		switch {
		case errors.Is(err, schema.ErrUnavailable):
			fmt.Println("wait and ask again")
		case errors.Is(err, schema.ErrNotFound):
			fmt.Printf("nobody knows schema %d\n", id)
		default:
			fmt.Printf("%q is %s of type %s\n", payload, text.Format, text.Schema)
		}
	}
	// Output:
	// "payload" is avro of type "string"
	// nobody knows schema 8
}
