package diag

var renderEntries = []Entry{}
