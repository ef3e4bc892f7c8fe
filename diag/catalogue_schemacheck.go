package diag

// Checking schemas and generating from them: SLP-SCH from 050 on.
var schemaCheckEntries = []Entry{}
