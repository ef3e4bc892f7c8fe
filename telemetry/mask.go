package telemetry

import (
	"log/slog"
	"net/url"
	"strings"
)

const mask = "***"

// masked returns an attribute as it may be read, and whether that is another.
func masked(a slog.Attr) (slog.Attr, bool) {
	switch a.Value.Kind() {
	case slog.KindString:
		if secretive(a.Key) {
			return slog.String(a.Key, mask), a.Value.String() != ""
		}
		if text, changed := maskedText(a.Value.String()); changed {
			return slog.String(a.Key, text), true
		}
	case slog.KindAny:
		return maskedAny(a)
	case slog.KindGroup:
		return maskedGroup(a)
	}
	return a, false
}

func maskedAny(a slog.Attr) (slog.Attr, bool) {
	if a.Value.Any() == nil {
		return a, false
	}
	if secretive(a.Key) {
		return slog.String(a.Key, mask), true
	}
	switch value := a.Value.Any().(type) {
	case *url.URL:
		if value != nil && value.User != nil {
			return maskedURL(a.Key, *value), true
		}
	case url.URL:
		if value.User != nil {
			return maskedURL(a.Key, value), true
		}
	case error:
		if text, changed := maskedText(value.Error()); changed {
			return slog.String(a.Key, text), true
		}
	}
	return a, false
}

func maskedURL(key string, u url.URL) slog.Attr {
	u.User = nil
	text := u.String()
	if scheme, rest, found := strings.Cut(text, "://"); found {
		text = scheme + "://" + mask + "@" + rest
	}
	return slog.String(key, text)
}

func maskedGroup(a slog.Attr) (slog.Attr, bool) {
	var all []slog.Attr // a copy from the first one on that differs
	for i, member := range a.Value.Group() {
		m, changed := masked(member)
		if changed && all == nil {
			all = append([]slog.Attr(nil), a.Value.Group()...)
		}
		if changed {
			all[i] = m
		}
	}
	if all == nil {
		return a, false
	}
	return slog.Attr{Key: a.Key, Value: slog.GroupValue(all...)}, true
}

// secretive reports whether an attribute of that name holds a secret: the name
// ends in one of a few words, in whatever spelling. A password_file does not.
func secretive(name string) bool {
	if n := len(name); n > 0 && name[n-1]|0x20 == 's' {
		name = name[:n-1]
	}
	if len(name) < len("token") {
		return false
	}
	switch name[len(name)-1] | 0x20 {
	case 'd':
		return ends(name, "password") || ends(name, "passwd")
	case 'e':
		return ends(name, "passphrase") || ends(name, "cookie")
	case 't':
		return ends(name, "secret")
	case 'n':
		return ends(name, "token") || ends(name, "authorization")
	case 'y':
		return ends(name, "apikey") || ends(name, "api_key") || ends(name, "api-key") || ends(name, "private_key") || ends(name, "privatekey")
	}
	return false
}

func ends(name, word string) bool {
	return len(name) >= len(word) && strings.EqualFold(name[len(name)-len(word):], word)
}

// maskedText returns text without the user part of URLs and without what stands
// behind password=, as database addresses have it.
func maskedText(text string) (string, bool) {
	out, users := cut(text, "://", userinfo)
	out, passwords := cut(out, "assword=", assigned)
	return out, users || passwords
}

// cut masks what find says follows each mark in text.
func cut(text, mark string, find func(string) int) (string, bool) {
	at := strings.Index(text, mark)
	if at < 0 {
		return text, false
	}
	var b strings.Builder
	var changed bool
	for at >= 0 {
		at += len(mark)
		b.WriteString(text[:at])
		text = text[at:]
		if n := find(text); n > 0 {
			b.WriteString(mask)
			text, changed = text[n:], true
		}
		at = strings.Index(text, mark)
	}
	b.WriteString(text)
	return b.String(), changed
}

// userinfo is how long the user part is that text begins with.
func userinfo(text string) int {
	if end := strings.IndexAny(text, "/?# \t\n\"'"); end >= 0 {
		text = text[:end]
	}
	return max(strings.LastIndexByte(text, '@'), 0)
}

// assigned is how long the value is that text begins with.
func assigned(text string) int {
	if len(text) > 0 && (text[0] == '\'' || text[0] == '"') {
		if end := strings.IndexByte(text[1:], text[0]); end >= 0 {
			return end + 2
		}
	}
	if end := strings.IndexAny(text, " \t\n&,;)"); end >= 0 {
		return end
	}
	return len(text)
}
