#!/bin/sh
# Whether everything answers that cannot ask itself: all of it, or the first that does not.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
ask() { curl -fsS -m 2 -o /dev/null "$2" || { echo "$1 is not ready" >&2; exit 1; }; }
ask tempo http://tempo:3200/ready
ask loki http://loki:3100/ready
ask collector http://collector:13133/
ask audit http://audit:18086/readyz
ask inventory http://inventory:18082/readyz
ask notifications http://notifications:18085/readyz
ask orders http://orders:18081/readyz
ask payments http://payments:18083/readyz
ask recommendations http://recommendations:18087/readyz
ask users http://users:18084/readyz
ask webhooks http://webhooks:18088/readyz
