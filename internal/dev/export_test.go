package dev

// ParseJavaVersion is tested through its own table and fuzz test.
var ParseJavaVersion = parseJavaVersion
