package diag

var keystoreEntries = []Entry{}
