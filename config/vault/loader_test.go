package vault_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/config/vault"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// TestACredentialReachesTheServiceBeforeTheOldOneEnds is the way of a login to a
// database from the server through the loader to whoever applies it.
func TestACredentialReachesTheServiceBeforeTheOldOneEnds(t *testing.T) {
	withServer(t, func(s *server) {
		s.tokens["hvs.agent"] = time.Time{}
		s.most = time.Hour
		s.put("services/orders", map[string]any{"log.level": "warn"})
		source := s.source(func(c *vault.Config) {
			kv := c.KV
			credentials(c)
			c.KV, c.Auth = kv, vault.TokenFile{Path: s.file("token", "hvs.agent")}
			delete(c.Dynamic[0].Keys, "database.user")
		})
		svc, list := contract.Parse(fstest.MapFS{"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: team-shop}\n")}}, "slipway.yaml")
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		loader, err := config.New(config.Config{Contract: svc, Environ: []string{"LOG_FORMAT=json"}, Sources: []config.Source{source}})
		if err != nil {
			t.Fatal(err)
		}
		now, err := loader.Load(s.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := now.Text("database.url"); got != "postgres://v-orders-1:p%2Fw%401@db.example/orders" || now.Text("log.level") != "warn" {
			t.Errorf("database.url is %q, log.level %q", got, now.Text("log.level"))
		}
		ctx, cancel := context.WithCancel(s.Context())
		var following sync.WaitGroup
		var seen []*config.Values
		var stale int
		following.Go(func() {
			_ = loader.Follow(ctx, now, func(v *config.Values, err error) {
				if err != nil {
					t.Error(err)
					return
				}
				seen = append(seen, v)
				for _, w := range v.Warnings() {
					if w.Code == diag.ConfigSourceStale {
						stale++
					}
				}
			})
		})
		<-time.After(time.Hour - time.Minute)
		synctest.Wait()
		cancel()
		following.Wait()
		if len(seen) != 1 || !strings.Contains(seen[0].Text("database.url"), "v-orders-2") || stale != 0 {
			t.Errorf("%d configurations were applied in the life of the first credential, want one with the second", len(seen))
		}
	})
}
