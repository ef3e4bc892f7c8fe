// Package importer turns what people have into contracts: a live cluster,
// Strimzi's KafkaTopic and KafkaUser resources, or a plain policy of rights.
//
// The three sources become one [Snapshot], and [New] drafts an estate from it:
// a contract for each principal, external.yaml for what none of them owns,
// clusters.yaml where there is none. It is pure; [Write] puts the draft into a
// directory and never over a file.
//
// # What is written is exact
//
// A contract calls for a fixed set of rights, topics and logins. An entry is
// written only if everything it calls for is there already, by name: WRITE on a
// topic becomes produces; READ on a topic together with READ on a group becomes
// consumes, with the group's name adopted; READ without any group becomes a
// table. The draft is then loaded, validated, derived and compared with the
// snapshot by the same code that plans, and what would be changed is taken out
// again and told, until nothing would be. So the first plan after an import has
// no changes. That is not so for what was guessed: with [Options.Expand],
// rights by prefix become rights by name, which a plan has to add.
//
// The owner of a topic is the only principal that may write it by name. A topic
// that several may write, or nobody, or whose settings a contract cannot state,
// is external.
//
// # What is not is told
//
// Every right, group, topic, quota and user that the contracts do not call for
// is an [Item] of the draft: what it is, why it could not be expressed, what to
// do. Nothing is dropped in silence.
//
// # Hostile input
//
// Files are read strictly and within bounds: a document has at most
// [MaxDocument] bytes and [MaxDepth] levels, no anchors, aliases, tags or merge
// keys, and no key twice. Names are taken for what they are; one that a
// contract cannot hold is told and left out, and every other is written so that
// YAML reads it back as it was.
package importer
