#!/bin/sh
# Takes the cluster away from the service and gives it back. It is the command
# of slipway up, whose process is the embedded Kafka: stopped, it answers nobody.
#
#	go run ./cmd/slipway up examples/features/away -- ./demo.sh
set -e
read_meter() { curl -sS -X POST "http://127.0.0.1:18104/meters/$1/$2?next=5s"; }

read_meter m-1 100
echo "taking Kafka away"
kill -STOP "$PPID"
trap 'kill -CONT "$PPID"' EXIT
read_meter m-1 101 & # in memory already: waits until Kafka is back
sleep 12             # after ten seconds without an answer it counts as away
for kwh in 102 103 104; do read_meter m-1 "$kwh"; done
echo "giving Kafka back"
kill -CONT "$PPID"
wait
sleep 5 # what was spilled is written first, and what is due then
read_meter m-1 105
