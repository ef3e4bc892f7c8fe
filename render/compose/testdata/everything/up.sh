#!/bin/sh
# Starts the environment prod on this machine. What is there already stays as it is.
# Rendered by slipway render compose: an edit is noticed, and not kept.
#
#   sh up.sh ESTATE      the directory with clusters.yaml
#
# It needs slipway, docker with compose, and openssl. Passwords are made here, each
# of 192 random bits, and stand in files that only you can read.
set -eu
umask 077
environment=prod
cluster=compose
ca=compose.crt
estate=$(cd "${1:?name the directory of the estate}" && pwd)
cd "$(dirname "$0")"
pki=$estate/pki/$cluster

for program in slipway docker openssl; do
  command -v "$program" >/dev/null || { echo "up.sh: $program is not installed" >&2; exit 1; }
done
if [ "$(id -u)" = 0 ]; then
  echo "up.sh: run this as a user, not as root: containers run as who runs this" >&2
  exit 1
fi

# setting NAME VALUE keeps what else is in .env, such as TAG.
setting() {
  touch .env
  grep -v "^$1=" .env >.env.new || true
  echo "$1=$2" >>.env.new
  mv .env.new .env
}
setting SLIPWAY_UID "$(id -u)"
setting SLIPWAY_GID "$(id -g)"

# leaf KIND/NAME DIR copies a certificate and its key, as files of one moment.
leaf() {
  mkdir -p "secrets/$2"
  for file in tls.crt tls.key; do
    cat "$pki/issued/$1/$file" >"secrets/$2/.$file"
    mv "secrets/$2/.$file" "secrets/$2/$file"
  done
}

# password FILE makes one, unless there is one.
password() {
  mkdir -p "secrets/$(dirname "$1")"
  [ -s "secrets/$1" ] || openssl rand -hex 24 | tr -d '\n' >"secrets/$1"
}

# login DIR USER writes user:password.
login() {
  mkdir -p "secrets/$1"
  [ -s "secrets/$1/$2" ] || printf '%s:%s' "$2" "$(openssl rand -hex 24)" >"secrets/$1/$2"
}

# users DIR USER... writes their hashes, for the gate.
users() {
  dir=$1
  shift
  [ ! -s "secrets/$dir/users" ] || return 0
  for user in "$@"; do
    sed 's/^[^:]*://' "secrets/$dir/$user" | openssl passwd -6 -stdin | sed "s/^/$user:/"
  done >"secrets/$dir/users.new"
  mv "secrets/$dir/users.new" "secrets/$dir/users"
}

# given SERVICE/SETTING notes a value that is not there.
given() {
  mkdir -p "secrets/settings/$(dirname "$1")"
  [ -s "secrets/settings/$1" ] || missing="$missing  $PWD/secrets/settings/$1
"
}

# server NAME makes a certificate that vouches for that name and for localhost, and
# for nothing else: it is no authority, and is trusted by being pinned.
server() {
  mkdir -p "secrets/$1"
  openssl x509 -in "secrets/$1/tls.crt" -noout -checkend 604800 >/dev/null 2>&1 && return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
    -subj "/CN=$1" -addext "subjectAltName=DNS:$1,DNS:localhost" \
    -addext "basicConstraints=critical,CA:FALSE" -addext "extendedKeyUsage=serverAuth" \
    -keyout "secrets/$1/tls.key" -out "secrets/$1/tls.crt" 2>/dev/null
}

# Data belongs to who runs this: Docker would make the directories root's.
mkdir -p secrets data/kafka-1 data/kafka-2 data/kafka-3 data/postgres data/registry data/prometheus data/tempo data/loki data/grafana data/billing data/ledger

# Settings that are secret: you know their values, and nobody else does.
missing=
given orders/order.key
if [ -n "$missing" ]; then
  echo "up.sh: nothing is started, because values are missing. Write each into a file of its own:" >&2
  printf '%s' "$missing" >&2
  exit 1
fi

# Certificates, by the contracts and clusters.yaml.
[ -d "$pki" ] || slipway pki init --dir "$estate" -c "$cluster" --root "$PWD/secrets/root" >&2
slipway pki issue --dir "$estate" -c "$cluster" >&2
slipway pki issue client connect --dir "$estate" -c "$cluster" >&2
slipway pki export broker/kafka-1 --dir "$estate" -c "$cluster" --format pem --out secrets/kafka-1 --force >/dev/null
slipway pki export broker/kafka-2 --dir "$estate" -c "$cluster" --format pem --out secrets/kafka-2 --force >/dev/null
slipway pki export broker/kafka-3 --dir "$estate" -c "$cluster" --format pem --out secrets/kafka-3 --force >/dev/null
slipway pki export admin/admin-prod --dir "$estate" -c "$cluster" --format pem --out secrets/admin --force >/dev/null
slipway pki export client/connect --dir "$estate" -c "$cluster" --format pem --out secrets/connect --force >/dev/null
leaf client/svc-gateway-prod clients/svc-gateway-prod
leaf client/svc-ledger-prod clients/svc-ledger-prod
leaf client/svc-orders-prod clients/svc-orders-prod
leaf client/svc-worker-prod clients/svc-worker-prod
leaf admin/admin-prod admin

# Passwords and certificates of what is beside Kafka, each made once.
password grafana/password
server registry
login registry reader
login registry writer
users registry reader writer
server connect
login connect writer
users connect writer
server postgres
password postgres/password
password postgres/orders.password
[ -f secrets/postgres/orders.pgpass ] || printf 'postgres:5432:orders:orders:%s\n' "$(cat secrets/postgres/orders.password)" >secrets/postgres/orders.pgpass

# Whom services and commands trust: the cluster's authority, and the one certificate of the registry, and the one certificate of the connect.
cat "$pki/issued/admin/admin-prod/ca.crt" secrets/registry/tls.crt secrets/connect/tls.crt >secrets/ca.crt
mkdir -p "$(dirname "$estate/$ca")"
cat secrets/ca.crt >"$estate/$ca"

# Secrets of users that apply makes have to be files before Compose reads them.
mkdir -p secrets/users

docker compose up -d --wait --build kafka-1 kafka-2 kafka-3 registry connect postgres
slipway apply "$estate" -e "$environment" --yes --secrets secrets/users --registry-auth-file secrets/registry/writer --connect-auth-file secrets/connect/writer \
  --tls-cert secrets/admin/tls.crt --tls-key secrets/admin/tls.key
docker compose up -d --wait
