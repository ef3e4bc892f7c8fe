package contract

import "regexp"

var (
	// secretSetting are the settings of connectors whose value is a secret.
	secretSetting = regexp.MustCompile(`(?i)password|passwd|passphrase|secret|token|credential|user[._-]?info$|(private|api|access|account|encryption|master|shared|signing|storage|keystore)[._-]?key$`)

	// aboutSecret are those of the above that tell where or what the secret
	// is, or something else of it.
	aboutSecret = regexp.MustCompile(`(?i)[._-](path|files?|location|types?|class|provider|source|id|ur[il]|endpoint|name|alias|ms|enabled?|method|algorithm)$`)

	// loginSetting are settings that may have a secret among other things.
	loginSetting = regexp.MustCompile(`(?i)(jaas[._-]config|ur[il]s?|string|hosts?|endpoints?)$`)

	// secretOption is a secret in such a value: password=x, password="x". What
	// begins with $ is a reference.
	secretOption = regexp.MustCompile(`(?i)(password|passwd|pwd|secret|token|accountkey|accesskey)\s*=\s*("[^"$]|'[^'$]|[^"'$&;\s])`)

	// secretEntry is a setting that is a secret by its name, in a line of YAML
	// or JSON.
	secretEntry = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret|token|credential|user[._-]?info|jaas[._-]?config|(private|api|access|account|encryption|master|shared|signing|storage|keystore)[._-]?key)[\w."'-]*\s*[:=]`)

	// userinfo is a password in an address.
	userinfo = regexp.MustCompile(`://[^/\s:@$]*:[^@/\s$]+@`)

	// reference is a value that the worker looks up, and nothing else.
	reference = regexp.MustCompile(`^(\$\{[^{}:]+:[^{}]+\})+$`)
)

// PlainSecret reports whether a connector's setting shows a secret: whether it
// is one by its name (a password, a token, the key of a keystore …) and its
// value is not a reference such as ${file:/etc/secrets/db:password}, or whether
// its value holds a password among other things. It judges by the look of
// both, so it can be mistaken either way.
func PlainSecret(key, value string) bool {
	switch value {
	case "", "true", "false":
		return false
	}
	if userinfo.MatchString(value) || loginSetting.MatchString(key) && secretOption.MatchString(value) {
		return true
	}
	return SecretSetting(key) && !reference.MatchString(value)
}

// SecretSetting reports whether a connector's setting is a secret by its name.
func SecretSetting(key string) bool {
	return secretSetting.MatchString(key) && !aboutSecret.MatchString(key)
}

// SecretLine reports whether a line of a file may show a secret of a
// connector, so that it is not to be repeated where problems of it are told.
func SecretLine(line string) bool {
	return secretEntry.MatchString(line) || userinfo.MatchString(line)
}
