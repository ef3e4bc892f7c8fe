// Package connect is the engines' hand on Kafka Connect: a small client of the
// REST API of its workers.
//
// Any worker of a Connect cluster answers for all of them, and passes on what
// is not its own to do. What a connector is told it keeps in a topic, so the
// settings that [Client.Connectors] returns are the truth and nothing has to be
// remembered elsewhere.
//
// While workers join, leave, or begin with other settings, they share out their
// work, and answer 409 until they are through. The client asks again until the
// context ends; every request it sends can be repeated without harm.
//
// Answers are bounded, redirects are not followed, and a password never goes
// over the network in the clear. Whatever goes wrong is a diagnostic of area
// CNT. A worker's own words are in it, clipped, without the credential that was
// sent and without the values that are secrets by their name; where settings
// hold references, which a worker resolves before it judges them, words that
// may repeat what they resolve to are left out altogether.
package connect
