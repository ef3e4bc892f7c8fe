// Package web is the little that the shop's HTTP endpoints share: JSON in,
// JSON out, and errors that a program can tell apart by their code:
//
//	{"error": {"code": "order_unknown", "message": "there is no order o-17"}}
//
// Bodies are bounded, unknown fields are refused, and every request has a time
// limit. Errors that are not meant for the caller are logged and become
// "internal".
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// The bounds of a request.
const (
	MaxBody = 16 << 10 // bytes
	Timeout = 10 * time.Second
)

// A Response is a status and what to write as JSON.
type Response struct {
	Status   int
	Location string // of what was created; "" for none
	Body     any
}

// OK is a response with status 200.
func OK(body any) Response { return Response{Status: http.StatusOK, Body: body} }

// Created is a response with status 201.
func Created(location string, body any) Response {
	return Response{Status: http.StatusCreated, Location: location, Body: body}
}

// An Error is a failure that the caller is told.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// BadRequest is an error of the request: status 400.
func BadRequest(code, format string, args ...any) error {
	return &Error{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// NotFound says that a thing is not there: status 404.
func NotFound(code, format string, args ...any) error {
	return &Error{http.StatusNotFound, code, fmt.Sprintf(format, args...)}
}

// Conflict says that the request contradicts an earlier one: status 409.
func Conflict(code, format string, args ...any) error {
	return &Error{http.StatusConflict, code, fmt.Sprintf(format, args...)}
}

// A Handler answers a request.
type Handler func(r *http.Request) (Response, error)

// ServeHTTP implements [http.Handler].
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), Timeout)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	resp, err := h(r)
	if err != nil {
		resp = failure(r, err)
	}
	w.Header().Set("Content-Type", "application/json")
	if resp.Location != "" {
		w.Header().Set("Location", resp.Location)
	}
	w.WriteHeader(resp.Status)
	_ = json.NewEncoder(w).Encode(resp.Body) // a caller that has gone away is no error of ours
}

func failure(r *http.Request, err error) Response {
	told, ok := errors.AsType[*Error](err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded):
		told = &Error{http.StatusServiceUnavailable, "busy", "the service did not get to it in time; try again"}
	default:
		slog.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		told = &Error{http.StatusInternalServerError, "internal", "the service failed; its log says why"}
	}
	return Response{Status: told.Status, Body: map[string]*Error{"error": told}}
}

// Decode reads the request's body into v: one JSON value without unknown
// fields, at most [MaxBody] long. The error is an [*Error].
func Decode(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		err = atEnd(dec)
	}
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return &Error{http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("the body is longer than %d bytes", MaxBody)}
	}
	if err != nil {
		return BadRequest("body_invalid", "read the body as JSON: %v", err)
	}
	return nil
}

func atEnd(dec *json.Decoder) error {
	_, err := dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("something follows the JSON value")
}
