package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/shop/internal/web"
)

func TestErrorsTellTheCallerWhatTheyMay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"the caller's own":  {web.BadRequest("x_invalid", "x is %d", 3), http.StatusBadRequest, `{"error":{"code":"x_invalid","message":"x is 3"}}`},
		"what is not there": {web.NotFound("x_unknown", "no x"), http.StatusNotFound, `"x_unknown"`},
		"a contradiction":   {web.Conflict("x_taken", "x is taken"), http.StatusConflict, `"x_taken"`},
		"too slow":          {context.DeadlineExceeded, http.StatusServiceUnavailable, `"busy"`},
		"ours":              {errors.New("password is hunter2"), http.StatusInternalServerError, `"internal"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			h := web.Handler(func(*http.Request) (web.Response, error) { return web.Response{}, tt.err })
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) || strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("status %d with %s, want %d with %s", w.Code, w.Body, tt.status, tt.want)
			}
		})
	}
}

func TestOnlyOneKnownJSONValueIsABody(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"what is wanted":       {`{"n": 1}` + "\n", http.StatusOK},
		"nothing":              {``, http.StatusBadRequest},
		"no JSON":              {`n=1`, http.StatusBadRequest},
		"half of it":           {`{"n":`, http.StatusBadRequest},
		"a list":               {`[1]`, http.StatusBadRequest},
		"an unknown field":     {`{"n": 1, "m": 2}`, http.StatusBadRequest},
		"two values":           {`{"n": 1} {"n": 2}`, http.StatusBadRequest},
		"something behind":     {`{"n": 1} x`, http.StatusBadRequest},
		"more than allowed":    {`{"n": 1` + strings.Repeat(" ", web.MaxBody) + `}`, http.StatusRequestEntityTooLarge},
		"more behind the rest": {`{"n": 1}` + strings.Repeat(" ", web.MaxBody), http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			h := web.Handler(func(r *http.Request) (web.Response, error) {
				var v struct {
					N int `json:"n"`
				}
				return web.OK(v), web.Decode(r, &v)
			})
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(tt.body)))
			if w.Code != tt.status {
				t.Errorf("status %d with %s, want %d", w.Code, w.Body, tt.status)
			}
		})
	}
}
