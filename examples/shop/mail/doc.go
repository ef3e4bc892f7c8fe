// Package mail is what the shop needs of mail: a [Letter] that goes out by SMTP
// ([Sender]), and a [Sink], a mail server that keeps what it is given in memory
// and shows it, so that the shop can be looked at without a mail server and
// without writing to anybody.
//
// SMTP has no transactions. A server that took a letter and whose answer got
// lost is asked again, so a letter may arrive twice: at least once is the best
// there is. Both copies bear the same Message-ID, by which mailboxes, and the
// sink, tell that they are one.
package mail
