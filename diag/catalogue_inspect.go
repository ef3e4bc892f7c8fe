package diag

var inspectEntries = []Entry{}
