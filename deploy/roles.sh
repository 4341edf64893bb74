#!/bin/sh
# Runs once, when the database is first made: one login role a duty, none with power over others.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set owner="$MINGCHA_DB_PASSWORD_OWNER" --set app="$MINGCHA_DB_PASSWORD_APP" \
  --set worker="$MINGCHA_DB_PASSWORD_WORKER" --set public="$MINGCHA_DB_PASSWORD_PUBLIC" \
  --set seq="$MINGCHA_DB_PASSWORD_SEQ" <<'SQL'
create role mingcha_owner login password :'owner';
create role mingcha_app login password :'app';
create role mingcha_worker login password :'worker';
create role mingcha_public login password :'public';
create role mingcha_seq login password :'seq';
alter database mingcha owner to mingcha_owner;
revoke all on database mingcha from public;
grant connect, temporary on database mingcha to mingcha_app, mingcha_worker, mingcha_public, mingcha_seq;
alter schema public owner to mingcha_owner;
SQL
