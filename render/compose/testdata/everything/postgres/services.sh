#!/bin/sh
# A role and a database for each service that keeps rows in Postgres.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
# Everybody may open these unless told otherwise.
echo 'REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;' | psql -v ON_ERROR_STOP=1 -q -U postgres
add() {
  # The password comes by standard input, and so into no list of processes.
  { printf "\\set password '%s'\n" "$(cat "/run/secrets/$2")"
    printf 'CREATE ROLE "%s" LOGIN PASSWORD :'"'password'"';\n' "$1"
    printf 'CREATE DATABASE "%s" OWNER "%s";\n' "$1" "$1"
    printf 'REVOKE ALL ON DATABASE "%s" FROM PUBLIC;\n' "$1"
  } | psql -v ON_ERROR_STOP=1 -q -U postgres
}
add orders orders-database-password
