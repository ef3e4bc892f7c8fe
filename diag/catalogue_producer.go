package diag

// Producing: SLP-PRD.
var producerEntries = []Entry{}
