package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	slipway "github.com/slipway-go/slipway"
)

// loginPath is where an instance's admin endpoint tells how it logs in.
const loginPath = "/slipway/v1/credential"

// holdsNext asks an instance whether it has the user's next password. It
// returns why not, and nothing if it has.
func holdsNext(ctx context.Context, address, token, user string) string {
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
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
