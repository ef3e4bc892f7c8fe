package pki

// Serial is a serial number, for the test that makes a million.
var Serial = serial
