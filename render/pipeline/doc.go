// Package pipeline derives the workflows by which GitHub keeps the repository of
// services true: what is tested, planned, built and signed.
//
// There is one workflow for the contracts, which are judged together, and one for
// each service. Their rights are the least there are: every job reads the contents
// of the repository; the one that makes an image may beside that ask for a token of
// its own identity, by which the image is signed without a key. Code of a pull
// request from elsewhere never runs with anything that is secret: nothing is
// triggered by pull_request_target, and the plan, which needs a login, is left out.
//
// Text of a contract never becomes part of a script. It reaches scripts as variables
// of their environment.
//
// Actions are pinned by the commit that their release points to, tools by versions
// that the checksum database of Go vouches for.
package pipeline
