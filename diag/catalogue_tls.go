package diag

var tlsEntries = []Entry{}
