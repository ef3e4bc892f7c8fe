package diag

// The outbox and its relay: SLP-OBX from 001 on.
var outboxEntries = []Entry{}
