// Package pgtest gives tests databases of their own on one Postgres server,
// which the first test that asks for one starts.
//
// A package's TestMain should be
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// so that the server is stopped and its data removed. Without it the server
// dies with the test binary all the same, and its data is removed by the next
// one. Tests that kill the server have one of their own ([Server]).
//
// Where Postgres is not installed the test is skipped with one line that says
// what to install, and fails under CI=true: a suite that tested nothing must
// not be green there.
package pgtest
