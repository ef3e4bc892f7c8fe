package diag

var pkiEntries = []Entry{}
