// Package config is what a service is configured with: one set of typed values,
// put together from layers, each value with the place it came from.
//
// The layers, highest first: what the program sets itself; flags; environment
// variables; the files of SECRETS_PATH, one for each key; other sources, such as
// Vault; <environment>.yaml and common.yaml of
// the directory that CONFIG_PATH names; config/<environment>.yaml and
// config/common.yaml beside the contract; the contract; the defaults. Mappings
// merge deeply, scalars and lists replace. A key that nobody declared is an error
// with its position, and so is a missing file for the environment where there is
// a config directory: a typing error must not pass for a setting.
//
// Keys are dotted (kafka.consumer.concurrency), and nested in files. Every key can
// be given as a variable: dots and hyphens become underscores, letters upper
// case, with SLIPWAY_ before it (SLIPWAY_KAFKA_CONSUMER_CONCURRENCY). The keys of a
// service's surroundings (BOOTSTRAP_SERVERS, TLS_CA_PATH, …) have the bare form
// too, and so have those of a contract's own settings that ask for it.
//
// What the keys are is one table, see [Keys]: type with unit and bounds, default,
// whether the value is secret, and whether it changes in a running service or
// needs a restart. Reading, documentation and the command line follow from it.
//
// How entries are consumed has two keys for each thing: one for all entries, and
// one for an entry, which wins whatever layer it is in. The values of an entry's
// keys are what the entry really has, so that whoever applies them asks for
// nothing else.
//
// [Values] are immutable. A [Loader] makes new ones whenever a source changes;
// whoever applies them takes them whole or refuses them whole. Faults are
// reported all at once, and no message quotes the value of a secret key or a line
// of a file.
package config
