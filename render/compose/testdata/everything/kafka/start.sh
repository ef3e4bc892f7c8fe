#!/bin/sh
# Formats a node's storage before its first start, and starts it.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
bin=${KAFKA_BIN:-/opt/kafka/bin}
if [ ! -f data/meta.properties ]; then
  # FORMAT holds several words, and none of them a blank.
  # shellcheck disable=SC2086
  "$bin/kafka-storage.sh" format $FORMAT --config server.properties
fi
# For this process and no other: the health check must not start the agent again,
# and has options for a program that ends at once. Without -loggc in EXTRA_ARGS, and
# with log4j2.yaml, nothing is written to files that would fill /tmp.
unset KAFKA_JVM_PERFORMANCE_OPTS
export EXTRA_ARGS="-name kafkaServer" KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$PWD/log4j2.yaml"
export KAFKA_HEAP_OPTS="${BROKER_HEAP:-}" KAFKA_OPTS="${BROKER_OPTS:-}"
exec "$bin/kafka-server-start.sh" server.properties
