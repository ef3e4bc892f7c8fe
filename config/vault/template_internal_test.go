package vault

import (
	"net/url"
	"testing"
)

// FuzzExpand puts any password into a URL and finds it there again.
func FuzzExpand(f *testing.F) {
	f.Add("p/w@1")
	f.Add("a b+c%2F")
	f.Add("{username}")
	f.Fuzz(func(t *testing.T, password string) {
		d := Dynamic{Path: "database/creds/orders", Keys: map[string]string{"url": "postgres://{username}:{password}@db/orders", "plain": "{password}"}}
		s := &Source{cfg: Config{Name: "vault"}}
		fields := map[string]any{"username": "u", "password": password}
		text, err := s.expand(d, "url", fields)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := u.User.Password(); got != password || u.Host != "db" {
			t.Errorf("password %q at %q, want %q at db", got, u.Host, password)
		}
		if plain, err := s.expand(d, "plain", fields); err != nil || plain != password {
			t.Errorf("%q, %v, want %q", plain, err, password)
		}
	})
}
