package diag

// The inbox, and the outbox in the contract: SLP-OBX from 030 on.
var inboxEntries = []Entry{}
