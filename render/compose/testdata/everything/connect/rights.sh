#!/bin/sh
# What the workers of Kafka Connect need before they start: their three topics, and
# the rights on them and on their group. Everything here can be run again.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
bin=${KAFKA_BIN:-/opt/kafka/bin}
brokers=kafka-1:9095,kafka-2:9095,kafka-3:9095
as="--bootstrap-server $brokers --command-config admin.properties"
for topic in connect-configs:1 connect-offsets:25 connect-status:5; do
  # shellcheck disable=SC2086
  "$bin/kafka-topics.sh" $as --create --if-not-exists --topic "${topic%%:*}" \
    --partitions "${topic##*:}" --replication-factor 3 --config cleanup.policy=compact
  # shellcheck disable=SC2086
  "$bin/kafka-acls.sh" $as --add --force --allow-principal User:connect \
    --operation Read --operation Write --operation DescribeConfigs --topic "${topic%%:*}"
done
# shellcheck disable=SC2086
"$bin/kafka-acls.sh" $as --add --force --allow-principal User:connect --operation Read --group connect
