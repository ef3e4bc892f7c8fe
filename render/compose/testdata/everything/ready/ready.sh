#!/bin/sh
# Whether everything answers that cannot ask itself: all of it, or the first that does not.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
ask() { curl -fsS -m 2 -o /dev/null "$2" || { echo "$1 is not ready" >&2; exit 1; }; }
ask tempo http://tempo:3200/ready
ask loki http://loki:3100/ready
ask collector http://collector:13133/
ask billing http://billing:8081/readyz
ask gateway http://gateway:8080/readyz
ask ledger http://ledger:8081/readyz
ask orders http://orders:8080/readyz
ask pricing http://pricing:8080/readyz
ask worker http://worker:8081/readyz
