package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/features/protobuf/gen"
)

func TestAParcelIsReadAsItWasSent(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		call := func(method, body string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			k.HTTP("parcels").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/parcels/p-1", strings.NewReader(body)))
			return w
		}
		if w := call("POST", `{"to": {"city": "Hamburg"}, "postage": {"currency": "EUR", "minor": 549}}`); w.Code != http.StatusAccepted {
			t.Fatalf("a parcel is answered with %d: %s", w.Code, w.Body)
		}
		if w := call("POST", `{"weight": 3}`); w.Code != http.StatusBadRequest {
			t.Errorf("a field that the message does not have is answered with %d", w.Code)
		}
		k.Advance(time.Second)
		var got gen.ParcelSent
		if err := protojson.Unmarshal(call("GET", "").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.GetTo().GetCity() != "Hamburg" || got.GetPostage().GetMinor() != 549 || got.GetSentAt() == nil {
			t.Errorf("the parcel that was read is %v", &got)
		}
		// In front of the value: the schema's id, and that ParcelSent is the
		// second message of its file, which is index 1 of one step.
		k.RequireProduced("parcels.sent.v1", 1)
		if v := k.Records("parcels.sent.v1")[0].Value; v[0] != 0 || !bytes.Equal(v[5:7], []byte{2, 2}) {
			t.Errorf("the value begins with %x, want Confluent's header and the index of the message", v[:7])
		}
	})
}
