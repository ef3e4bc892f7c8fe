package diag

var lagEntries = []Entry{}
