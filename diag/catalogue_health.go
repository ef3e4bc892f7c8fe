package diag

var healthEntries = []Entry{}
