package diag

import (
	"slices"
	"strings"
)

// A Code names one kind of problem for ever: SLP-, an area of two or three letters,
// three digits. It is an error so that errors.Is(err, diag.ContractSyntax)
// works.
type Code string

// Error returns the code's text.
func (c Code) Error() string { return string(c) }

// Area is the middle part of the code: CON for contracts, RUN for the running
// service, and so on.
func (c Code) Area() string {
	parts := strings.Split(string(c), "-")
	if len(parts) != 3 {
		return ""
	}
	return parts[1]
}

// An Entry is what the catalogue says of a code in general.
type Entry struct {
	Code  Code   `json:"code" yaml:"code"`
	Title string `json:"title" yaml:"title"` // what it means, in a few words
	Cause string `json:"cause" yaml:"cause"` // why it happens
	Fix   string `json:"fix" yaml:"fix"`     // what to do next
}

// Catalogue returns every code, sorted. The caller owns the slice.
func Catalogue() []Entry {
	all := slices.Concat(contractEntries, estateEntries, clusterEntries, schemaEntries, planEntries,
		runtimeEntries, embeddedEntries, devEntries, upEntries, commandEntries, dlqEntries, groupEntries, shareEntries, transactionEntries, importEntries, userEntries, aclEntries, connectEntries, trustEntries, deniedEntries, aclAuditEntries,
		pkiEntries, depotEntries, keystoreEntries, inspectEntries, tlsEntries,
		producerEntries, spillEntries, outboxEntries, inboxEntries, sagaEntries, schemaCheckEntries, postgresEntries,
		configEntries, configSourceEntries, liveEntries, telemetryEntries, healthEntries, renderEntries, renderBrokerEntries, imageEntries, documentEntries, lagEntries, platformEntries, renderAEntries, renderKEntries, renderCredentialEntries)
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
}

// Lookup returns the catalogue's entry for a code.
func Lookup(code Code) (Entry, bool) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(e Entry) bool { return e.Code == code })
	if i < 0 {
		return Entry{}, false
	}
	return all[i], true
}
