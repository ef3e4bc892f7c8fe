// Package notice tells users by mail what concerns them: that they are welcome,
// and how each of their orders ended.
//
// A mail is outside of any transaction, so it happens at least once. The
// service sends, and then notes that it has; the note is looked up first. What
// comes between the two, a crash or an answer of the mail server that got lost,
// lets the mail be sent again under the same Message-ID, which is made from the
// event's id: the idempotency key that mailboxes know.
//
// A user and the user's order come on two topics, so the order may be here
// first. Then the contract's retry waits for the user.
package notice
