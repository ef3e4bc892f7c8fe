// Package taste knows what else people bought.
//
// It keeps two sets: the users, and who bought what. Putting something into a
// set twice changes nothing, so events may come twice and in any order, and the
// service needs neither an inbox nor the order of keys: it takes them in
// batches, one transaction for each.
//
// What it keeps is made from events alone. Delete its database and let its
// group begin anew, and it is as it was, as far back as the topics go.
package taste
