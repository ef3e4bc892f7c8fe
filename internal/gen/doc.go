// Command gen writes the reference documentation from what it documents: the
// catalogue of diagnostics, the tables of the contract and of the
// configuration, the commands. Nobody edits its files, and a test tells when
// they are behind.
package main
