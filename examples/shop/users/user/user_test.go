package user_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/users/user"
)

type answer struct {
	user.User
	Error struct{ Code string }
}

func call(t *testing.T, k *slipwaytest.Kit, method, path, key, body string) (int, answer) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	k.HTTP("users").ServeHTTP(w, r)
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%s %s answered %q", method, path, w.Body)
	}
	return w.Code, a
}

const ann = `{"email": "Ann@example.com", "name": "Ann Öhler"}`

func TestAUserWhoSignsUpIsToldOnceUnderTheUsersKey(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, os.DirFS(".."), user.Wire, func(t *testing.T, k *slipwaytest.Kit) {
		code, u := call(t, k, "POST", "/users", "k1", ann)
		if code != http.StatusCreated || u.Email != "ann@example.com" {
			t.Fatalf("status %d with %+v, want 201 with the address in lower case", code, u)
		}
		for name, tt := range map[string]struct {
			key, body string
			status    int
			code      string
		}{
			"the same again":         {"k1", ann, 200, ""},
			"another under the key":  {"k1", strings.Replace(ann, "Ann@", "bob@", 1), 409, "idempotency_key_reused"},
			"the address again":      {"k2", ann, 409, "email_taken"},
			"no address":             {"", `{"email": "ann", "name": "Ann"}`, 400, "email_invalid"},
			"a header in an address": {"", `{"email": "a@b.c\r\nBcc: x@y.z", "name": "Ann"}`, 400, "email_invalid"},
			"no name":                {"", `{"email": "bob@example.com"}`, 400, "name_invalid"},
			"a name on two lines":    {"", `{"email": "bob@example.com", "name": "Bob\nB"}`, 400, "name_invalid"},
		} {
			if code, a := call(t, k, "POST", "/users", tt.key, tt.body); code != tt.status || a.Error.Code != tt.code {
				t.Errorf("%s: status %d with %q, want %d with %q", name, code, a.Error.Code, tt.status, tt.code)
			}
		}
		k.RequireProduced("users.created.v1", 1)
		if key := string(k.Records("users.created.v1")[0].Key); key != u.ID {
			t.Errorf("the event's key is %q, want the user's id %s", key, u.ID)
		}
		if code, got := call(t, k, "GET", "/users/"+u.ID, "", ""); code != http.StatusOK || got.Name != "Ann Öhler" {
			t.Errorf("GET: status %d with %+v", code, got)
		}
		if code, got := call(t, k, "GET", "/users/u-none", "", ""); code != http.StatusNotFound || got.Error.Code != "user_unknown" {
			t.Errorf("GET: status %d with %+v, want 404", code, got)
		}
	})
}
