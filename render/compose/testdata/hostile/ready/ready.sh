#!/bin/sh
# Whether everything answers that cannot ask itself: all of it, or the first that does not.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
ask() { curl -fsS -m 2 -o /dev/null "$2" || { echo "$1 is not ready" >&2; exit 1; }; }
ask tempo http://tempo:3200/ready
ask loki http://loki:3100/ready
ask collector http://collector:13133/
ask a-service-with-a-name-of-forty-character http://a-service-with-a-name-of-forty-character:1024/readyz
ask e1 http://e1:80/readyz
ask empty http://empty:8081/readyz
ask no http://no:65535/readyz
ask null http://null:8081/readyz
