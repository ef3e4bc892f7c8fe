package diag

var depotEntries = []Entry{}
