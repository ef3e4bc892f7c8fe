// Package asyncapi derives AsyncAPI documents from contracts, and contracts from
// AsyncAPI documents.
//
// A document says with AsyncAPI's own words all that it has words for. The rest
// stands below x-slipway, in the contract's, beside what it belongs to: what the
// owner of a channel says of its topic, how an operation is read, what concerns no
// topic at the end. Nothing is there twice. So [Parse] reads what AsyncAPI has a
// place for from that place, where an edit counts, and a contract comes back as it
// was, with every environment's overlay and every file, from the document of
// whichever environment. Where a document shows what the contract does not say, such
// as the cluster's default for partitions, x-slipway names it under defaults.
//
// An entry of consumes is one operation. The topics where its records wait and end
// are derived, and nobody else sends to them or receives from them: they are no
// channels.
//
// A schema is a component of the document as far as it stands for itself. References
// within a JSON Schema are made to lead to where it is now, and back. A schema that
// builds on other files is kept as text.
//
// Documents of others are read too, of version 3 and of version 2, which tells of the
// same from the other side. What they leave open is listed, and nothing is made up:
// what a contract would say wrongly it does not say. A document is one file, and
// nothing is fetched.
package asyncapi
