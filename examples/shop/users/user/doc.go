// Package user signs up the shop's users.
//
// A sign-up is a row of the table users and the event [Created], in one commit.
// Mail, audit and recommendations hear of it, each for itself, and this service
// knows none of them: a fourth listener changes nothing here but the contract's
// readers.
//
// The key of the event is the user's id, so whatever is told of a user later
// stays in order; what kind of event it is stands in a header (ce_type), where
// the kind does not decide which partition it lands on.
package user
