#!/usr/bin/env bash
# How long slipway up takes until every service consumes, and how the shop's
# driver fares with 10,000 orders. Five runs; prints min / median / max.
#
#   ./up.sh [embedded|kafka]
set -euo pipefail
cd "$(dirname "$0")/.."
broker=${1:-embedded}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOWORK=off go build -o "$work/slipway" ./cmd/slipway
(cd examples/shop && GOWORK=off go build -o "$work/drive" ./drive)

spread() { sort -n | awk '{v[NR]=$1} END {printf "%s / **%s** / %s\n", v[1], v[int((NR+1)/2)], v[NR]}'; }
# seconds turns 254ms, 3s, 1m2.5s into seconds.
seconds() { awk '{s=0; if (match($1,/[0-9]+m[0-9]/)) {split($1,p,"m"); s=p[1]*60; $1=p[2]} if ($1 ~ /ms$/) s+=$1/1000; else s+=$1+0; printf "%.2f\n", s}'; }

for run in 0 1 2 3 4 5; do # the first one warms the build cache
	"$work/slipway" up --broker "$broker" examples/shop -- "$work/drive" -orders 10000 -o json >"$work/out.$run" 2>"$work/err.$run"
	[ "$run" = 0 ] && continue
	sed -nE 's/^ready: everything consumes, ([0-9.a-z]+) after.*/\1/p' "$work/err.$run" | seconds >>"$work/ready"
	grep -oE '"seconds": ?[0-9.]+' "$work/out.$run" | grep -oE '[0-9.]+$' >>"$work/seconds"
	grep -E '"(lost|duplicated|out_of_order|outOfOrder|verdict|result)"' "$work/out.$run" >>"$work/verdicts" || true
done
printf '%s, %s cores, broker %s, 5 runs (min / median / max)\n\n' "$(go env GOVERSION)" "$(nproc)" "$broker"
printf 'ready after the build, s: %s\n' "$(spread <"$work/ready")"
printf '10,000 orders through all services, s: %s\n' "$(spread <"$work/seconds")"
sort "$work/verdicts" | uniq -c
