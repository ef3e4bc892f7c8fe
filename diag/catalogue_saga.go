package diag

// Sagas: SLP-SAG.
var sagaEntries = []Entry{}
