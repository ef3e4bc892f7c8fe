package diag

var telemetryEntries = []Entry{}
