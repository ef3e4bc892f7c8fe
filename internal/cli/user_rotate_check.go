package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// loginPath is where an instance's admin endpoint tells how it logs in.
const loginPath = "/slipway/v1/credential"

// holdsNext asks an instance whether it has the user's next password. It
// returns why not, and nothing if it has.
func holdsNext(ctx context.Context, client *http.Client, address, token, user string) string {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return "this is no address of an admin endpoint"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath(loginPath).String(), nil)
	if err != nil {
		return err.Error()
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return unanswered(err)
	}
	defer resp.Body.Close()
	var status slipway.CredentialStatus
	switch err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&status); {
	case resp.StatusCode != http.StatusOK:
		return fmt.Sprintf("it answers with status %d", resp.StatusCode)
	case err != nil:
		return "its answer is not how a service logs in"
	case status.User != user:
		return fmt.Sprintf("it logs in as %s", status.User)
	case !slices.Contains(status.Mounted, "next"):
		return "it does not have the next password yet"
	}
	return ""
}

// unanswered is why there was no answer. Of TLS it is the cause, and what to do.
func unanswered(err error) string {
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	if !unverified && !strings.Contains(err.Error(), "tls: ") {
		return err.Error()
	}
	d := secure.Classify(err, secure.Handshake{})
	return fmt.Sprintf("%s (%s): %s", d.Message, d.Code, d.Remedy())
}

// adminClient is how admin endpoints are talked to: with the certificate of an
// operator, where they demand one. It follows no redirects.
func (args userRotateArgs) adminClient() (*http.Client, error) {
	fault := func(flag, file string, err error) error {
		return diag.New(diag.CommandCredential, "read %s for --%s: %v", file, flag, err).WithFix("name a PEM file")
	}
	cfg := secure.Client(nil)
	if args.adminCA != "" {
		ca, err := os.ReadFile(args.adminCA)
		if err != nil {
			return nil, fault("admin-ca-file", args.adminCA, err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(ca) {
			return nil, fault("admin-ca-file", args.adminCA, errors.New("it holds no certificate"))
		}
	}
	if args.adminCert != "" {
		pair, err := tls.LoadX509KeyPair(args.adminCert, args.adminKey)
		if err != nil {
			return nil, fault("admin-cert-file", args.adminCert, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{
		Transport:     secure.Transport(cfg),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
