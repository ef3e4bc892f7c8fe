package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"example.com/shop/drive/promise"
)

// runPromises checks what the services promise to callers, and says of each
// promise whether it was kept.
func runPromises(ctx context.Context, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	cfg := promise.Config{URLs: make(map[string]string), Receive: receive}
	var errs []error
	for _, service := range promise.Services {
		var to string
		errs = append(errs, address(lookup, strings.ToUpper(service)+"_URL", &to))
		cfg.URLs[service] = to
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	status, verdict := 0, "PASS"
	for _, r := range promise.Run(ctx, cfg) {
		word := "ok  "
		if r.Err != nil {
			word, status, verdict = "FAIL", exitFail, "FAIL"
		}
		fmt.Fprintf(stdout, "%s %s (%.2f s)\n", word, r.Promise, r.Took.Seconds())
		if r.Err != nil {
			fmt.Fprintf(stdout, "     %v\n", r.Err)
		}
	}
	if ctx.Err() != nil {
		fmt.Fprintf(stdout, "unknown: the check was cut short: %v\nUNKNOWN\n", context.Cause(ctx))
		return exitUnknown
	}
	fmt.Fprintln(stdout, verdict)
	return status
}

// receive serves webhooks on this machine.
func receive(h http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // until it is closed
	return "http://" + l.Addr().String() + "/hooks", func() { _ = server.Close() }, nil
}
