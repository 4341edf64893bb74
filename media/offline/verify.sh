#!/bin/sh
# 明察 Mingcha: checks an unpacked evidence bundle 证据包 with sha256sum and openssl.
#
#   sh verify.sh [--trust FINGERPRINT]... [FOLDER]
#
# A POSIX shell, sha256sum, openssl 3 and the common text tools; no network; writes only into a
# temporary folder of its own. What these tools cannot see is printed as not-checked, with a line
# `note` that says why; so the best verdict here is `partial`.
# Exit code 1 when something does not hold, 3 when all that was checked holds. Apache-2.0.
set -u
LC_ALL=C
export LC_ALL
HERE=$(dirname -- "$0")
TRUST=
while [ $# -gt 0 ]; do
  case $1 in
    --trust) TRUST="$TRUST $(printf %s "${2:-}" | tr 'A-F' 'a-f')"; shift; [ $# -gt 0 ] && shift ;;
    --lines) shift ;;
    *) HERE=$1; shift ;;
  esac
done
cd -- "$HERE" || exit 2
WORK=$(mktemp -d) || exit 2
trap 'rm -rf "$WORK"' EXIT
trap 'exit 2' HUP INT TERM
: > "$WORK/faults"
: > "$WORK/items"
: > "$WORK/keys"
: > "$WORK/stamps"
ID=- DONE=no TRUSTED=not-compared V9=none
NAME='[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?'

fault() { printf '%s\n' "fault $1 $2${3:+ $3}" >> "$WORK/faults"; }

state() {
  if grep -q "^fault $1 " "$WORK/faults"; then echo failed
  elif [ $DONE = no ]; then echo not-checked
  else
    case $1 in
      V1|V3) echo not-checked ;;
      V9) echo $V9 ;;
      *) echo ok ;;
    esac
  fi
}

finish() {
  echo "bundle mingcha.bundle/1 $ID"
  sort "$WORK/keys"
  echo "trust $TRUSTED"
  for check in V1 V2 V3 V4 V5 V6 V7 V8 V9; do echo "check $check $(state $check)"; done
  cat "$WORK/faults" "$WORK/items" "$WORK/stamps"
  echo 'note V1 every name is checked; the ZIP itself is not seen once it is unpacked'
  echo 'note V3 fields are read; sha256sum and openssl cannot tell one spelling from another'
  echo 'note V9 revocation lists are not read'
  if [ -s "$WORK/faults" ]; then echo 'verdict rejected'; exit 1; fi
  echo 'verdict partial'
  exit 3
}

# ---- reading: records are one line of canonical JSON, so a field is found by its name ----------

text() { sed -n "s/.*\"$2\":\"\([^\"\\\\]*\)\".*/\1/p" "$1"; }
int() { sed -n "s/.*\"$2\":\([0-9]\{1,16\}\)[,}].*/\1/p" "$1"; }
# A record ends without a newline, and a last line without one is not read.
list() {
  { sed -n "s/.*\"$2\":\[\([^]]*\)\].*/\1/p" "$1"; echo; } | tr -d '"' | tr ',' '\n' | sed '/./!d'
}
# A line for each derivative; in one object `at` comes first.
derived() {
  { cat derivatives/derivation.json; echo; } | sed 's/{"at":/\
/g'
}
sum() { sha256sum < "$1" | cut -c1-64; }
digits() { od -An -v -tx1 < "$1" | tr -d ' \n'; }

# 256 rules that turn pairs of hexadecimal digits into what printf understands.
awk 'BEGIN { print "s/../& /g"; for (n = 0; n < 256; n++) printf "s/%02x /\\\\%03o/g\n", n, n }' \
  > "$WORK/octal"
bytes() { printf "$(printf %s "$1" | sed -f "$WORK/octal")"; }

# base64url in $1 to the file $2; 1 when it is no such text.
unbase64url() {
  plain=$(printf %s "$1" | tr '_-' '/+')
  while [ $((${#plain} % 4)) -ne 0 ]; do plain="$plain="; done
  printf %s "$plain" | openssl base64 -d -A > "$2" 2> /dev/null
  [ "$(openssl base64 -A -in "$2")" = "$plain" ]
}

node() { bytes "01$1$2" | sha256sum | cut -c1-64; }

# Ed25519 by the key file $1 over the file $2 with the signature file $3.
signed() {
  [ "$(wc -c < "$3")" -eq 64 ] &&
    openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" > /dev/null 2>&1
}

tagged() { { printf 'MINGCHA-%s-V1\n' "$1"; cat "$2"; } > "$WORK/message"; }

# ---- V1, V2: the list of files, their sums, its signature --------------------------------------

same() {
  sort -u "$1" > "$WORK/one"
  sort -u "$2" > "$WORK/other"
  comm -23 "$WORK/one" "$WORK/other" | while read -r name; do fault V1 list.missing "$name"; done
  comm -13 "$WORK/one" "$WORK/other" | while read -r name; do fault V1 list.extra "$name"; done
  [ ! -s "$WORK/faults" ] || finish
}

[ -z "$(find . ! -type f ! -type d | head -n 1)" ] || { fault V1 name.link; finish; }
odd=$(find . -mindepth 1 -name '*[!A-Za-z0-9._-]*' | head -n 1)
[ -z "$odd" ] || { fault V1 name.illegal "$(printf %s "${odd#./}" | tr -c '!-~' '?')"; finish; }
find . -type f | sed 's|^\./||' > "$WORK/there"
odd=$(grep -Evx "$NAME" "$WORK/there" | head -n 1)
[ -z "$odd" ] || { fault V1 name.illegal "$odd"; finish; }
for name in SHA256SUMS SHA256SUMS.sig; do
  [ -f $name ] || { fault V1 list.missing SHA256SUMS; finish; }
done
cut -c67- SHA256SUMS > "$WORK/listed"
if grep -aEvxq "[0-9a-f]{64}  $NAME" SHA256SUMS || ! sort -c -u "$WORK/listed" 2> /dev/null ||
  [ ! -s SHA256SUMS ] || [ -n "$(tail -c 1 SHA256SUMS)" ] ||
  [ "$(tr -d '\000' < SHA256SUMS | wc -c)" -ne "$(wc -c < SHA256SUMS)" ]; then
  fault V1 sums.form
  finish
fi
{ cat "$WORK/listed"; printf 'SHA256SUMS\nSHA256SUMS.sig\n'; } > "$WORK/wanted"
same "$WORK/wanted" "$WORK/there"
sha256sum -c SHA256SUMS 2> /dev/null | sed -n 's/: FAILED.*//p' > "$WORK/bad"
while read -r name; do fault V2 sum.differs "$name"; done < "$WORK/bad"
if grep -Evq '^(originals|derivatives)/' "$WORK/bad"; then finish; fi

X=extraction.json
FIXED="README.zh.txt checkpoints/at-export.note checkpoints/at-seal.note
  checkpoints/consistency.json custody.csv derivatives/derivation.json environment.json
  extraction.json verify.html verify.py verify.sh"
{ cat "$WORK/listed"; printf '%s\n' $FIXED; } > "$WORK/wanted"
same "$WORK/wanted" "$WORK/listed"
ID=$(sed -n 's/.*"how":"[^"]*","id":"\([0-9a-f-]\{36\}\)","items":.*/\1/p' $X)
SERVER=$(text $X server)
LOG=$(sed -n 's/.*"log":"\([0-9a-f]\{16\}\)".*/\1/p' $X)
ORIGIN=$(text $X origin)
{ sed -n 's/.*"items":\[\(.*\)\],"keys":.*/\1/p' $X; echo; } | sed '/./!d; s/},{/}\
{/g' > "$WORK/list"
list $X keys > "$WORK/kids"
list $X entries > "$WORK/entries"
list $X stamps > "$WORK/tokens"
CASE=$(sed -n 's/.*"case":\({[^}]*}\).*/\1/p' $X)
{
  printf '%s\n' $FIXED ${CASE:+case.pdf}
  sed 's|^\(.*\)$|keys/\1.json|' "$WORK/kids"
  sed 's|^\(.*\)$|log/\1.json|' "$WORK/entries"
  sed 's|^\(.*\)$|proofs/\1.json|' "$WORK/entries"
  cat "$WORK/tokens"
  sed -n 's|.*"id":"\([^"]*\)".*|manifests/\1.json\
manifests/\1.sig|p' "$WORK/list"
  sed -n 's|.*"id":"\([^"]*\)","kind":"capture".*|manifests/\1.sig.der|p' "$WORK/list"
  sed -n 's|.*"file":"\([^"]*\)".*|\1|p' "$WORK/list"
  derived | sed -n 's|.*"file":"\([^"]*\)".*|\1|p'
} > "$WORK/wanted"
same "$WORK/wanted" "$WORK/listed"

# ---- V4, V8: keys ------------------------------------------------------------------------------

key() {
  file=keys/$1.json
  der=$WORK/$1.der
  unbase64url "$(text "$file" spki)" "$der" || { fault V4 key.id "$file"; return; }
  print=$(sum "$der")
  if [ "$(text "$file" kid)" != "$1" ] || [ "$(printf %s "$print" | cut -c1-16)" != "$1" ]; then
    fault V4 key.id "$file"
    return
  fi
  role=$(text "$file" role)
  case $role in
    device) alg=ES256 head=3059301306072a8648ce3d020106082a8648ce3d03010703420004 size=91 ;;
    *) alg=Ed25519 head=302a300506032b6570032100 size=44 ;;
  esac
  case $(digits "$der") in "$head"*) ;; *) size=-1 ;; esac
  if [ "$(text "$file" alg)" != $alg ] || [ "$(wc -c < "$der")" -ne $size ] ||
    ! openssl pkey -pubin -inform DER -in "$der" -out "$WORK/$1.pem" 2> /dev/null; then
    fault V8 key.algorithm "$file"
    rm -f "$WORK/$1.pem"
    return
  fi
  echo "$role" > "$WORK/$1.role"
  echo "$print" > "$WORK/$1.print"
}

while read -r kid; do key "$kid"; done < "$WORK/kids"
for role in server log; do
  if [ $role = server ]; then kid=$SERVER; else kid=$LOG; fi
  if [ ! -f "$WORK/$kid.pem" ] || [ "$(cat "$WORK/$kid.role")" != $role ]; then
    fault V4 key.missing $role
    finish
  fi
  echo "key $role $(cat "$WORK/$kid.print")" >> "$WORK/keys"
done
tagged BUNDLE SHA256SUMS
signed "$WORK/$SERVER.pem" "$WORK/message" SHA256SUMS.sig ||
  { fault V2 sums.signature SHA256SUMS.sig; finish; }
if [ -n "$TRUST" ]; then
  TRUSTED=ok
  while read -r _ _ print; do
    case " $TRUST " in *" $print "*) ;; *) TRUSTED=failed ;; esac
  done < "$WORK/keys"
  [ $TRUSTED = ok ] || { fault V2 key.untrusted; finish; }
fi

# ---- V7, V6: heads, what joins them, entries ---------------------------------------------------

# Size and root (hexadecimal) of the note $1, when the log signed it.
head_of() {
  note=checkpoints/$1.note
  name=$(sed -n 1p "$note")
  case ${name#"$ORIGIN"} in
    '' | /epoch-????????T??????Z) ;;
    *) fault V7 head.form "$note"; return 1 ;;
  esac
  size=$(sed -n 2p "$note" | grep -Ex '0|[1-9][0-9]{0,15}')
  root=$(sed -n 3p "$note" | openssl base64 -d -A 2> /dev/null | od -An -v -tx1 | tr -d ' \n')
  if [ -z "$size" ] || [ ${#root} -ne 64 ] || [ -n "$(sed -n 4p "$note")" ]; then
    fault V7 head.form "$note"
    return 1
  fi
  sed -n 1,3p "$note" > "$WORK/text"
  { printf '%s\n\001' "$name"; tail -c 32 "$WORK/$LOG.der"; } > "$WORK/named"
  named=$(sum "$WORK/named" | cut -c1-8)
  sed -n '5,$p' "$note" > "$WORK/signers"
  good=no
  while read -r dash who stamp rest; do
    [ "$dash$rest" = '—' ] && [ "$who" = "$name" ] || continue
    printf %s "$stamp" | openssl base64 -d -A > "$WORK/stamp" 2> /dev/null
    case $(digits "$WORK/stamp") in "$named"*) ;; *) continue ;; esac
    tail -c +5 "$WORK/stamp" > "$WORK/signature"
    signed "$WORK/$LOG.pem" "$WORK/text" "$WORK/signature" && good=yes
    break
  done < "$WORK/signers"
  [ $good = yes ] || { fault V7 head.signature "$note"; return 1; }
}

up() { position=$((position / 2)) last=$((last / 2)); }
# Whether the sibling stands to the left; a node without one at its right rises until it has one.
left() {
  [ $((position % 2)) -eq 1 ] || [ "$position" -eq "$last" ] || return
  while [ $((position % 2)) -eq 0 ] && [ "$position" -ne 0 ]; do up; done
}

# The path $4... leads from leaf $1 at $2 in a tree of $3 to the root: printed, empty when not.
climb() {
  value=$1 position=$2 last=$(($3 - 1))
  [ "$2" -lt "$3" ] || return
  shift 3
  for sibling; do
    [ "$last" -ne 0 ] || return
    if left; then value=$(node "$sibling" "$value"); else value=$(node "$value" "$sibling"); fi
    up
  done
  [ "$last" -ne 0 ] || echo "$value"
}

# Whether the path $5... shows that $3 entries under $4 begin with the $1 under $2.
grew() {
  old=$1 old_root=$2 new=$3 new_root=$4
  shift 4
  [ "$old" -gt 0 ] && [ "$old" -le "$new" ] || return 1
  if [ "$old" -eq "$new" ]; then [ $# -eq 0 ] && [ "$old_root" = "$new_root" ]; return; fi
  [ $((old & (old - 1))) -ne 0 ] || set -- "$old_root" "$@"
  [ $# -gt 0 ] || return 1
  position=$((old - 1)) last=$((new - 1)) before=$1 after=$1
  shift
  while [ $((position % 2)) -eq 1 ]; do up; done
  for sibling; do
    [ "$last" -ne 0 ] || return 1
    if left; then
      before=$(node "$sibling" "$before")
      after=$(node "$sibling" "$after")
    else
      after=$(node "$after" "$sibling")
    fi
    up
  done
  [ "$last" -eq 0 ] && [ "$before" = "$old_root" ] && [ "$after" = "$new_root" ]
}

head_of at-seal && SEALED=$size SEALED_ROOT=$root
head_of at-export && NEWEST=$size NEWEST_ROOT=$root
[ -n "${SEALED:-}" ] && [ -n "${NEWEST:-}" ] || finish
C=checkpoints/consistency.json
[ "$(int $C old)" = "$SEALED" ] && [ "$(int $C new)" = "$NEWEST" ] &&
  grew "$SEALED" "$SEALED_ROOT" "$NEWEST" "$NEWEST_ROOT" $(list $C proof) ||
  fault V7 head.inconsistent $C
mkdir "$WORK/proved"
while read -r place; do
  way=proofs/$place.json
  leaf=$({ printf '\000'; cat "log/$place.json"; } | sha256sum | cut -c1-64)
  if [ "$(int "$way" index)" = "$place" ] && [ "$(int "$way" size)" = "$NEWEST" ] &&
    [ "$(text "$way" leaf)" = "$leaf" ] &&
    [ "$(climb "$leaf" "$place" "$NEWEST" $(list "$way" proof))" = "$NEWEST_ROOT" ]; then
    : > "$WORK/proved/$place"
  else
    fault V6 entry.not_included "log/$place.json"
  fi
done < "$WORK/entries"

# Whether the proved entry at $1 has the verb $2 about the thing $3.
says() {
  [ -n "$1" ] && [ -f "$WORK/proved/$1" ] && [ "$(text "log/$1.json" verb)" = "$2" ] &&
    [ "$(sed -n 's/.*"object":{"id":"\([^"]*\)".*/\1/p' "log/$1.json")" = "$3" ]
}

# ---- V5: what the log says about phones' keys --------------------------------------------------

enrolled() {
  file=keys/$1.json
  dev=$(text "$file" dev)
  at=$(int "$file" enrolled_entry)
  known=no
  says "$at" device.enrolled "$dev" &&
    [ "$(int "log/$at.json" t)" = "$(int "$file" enrolled)" ] &&
    [ "$(text "log/$at.json" title_snapshot)" = "$1" ] &&
    case $(text "log/$at.json" after_sha) in
      '' | "$(cat "$WORK/$1.print")") known=yes ;;
    esac
  if grep -Eq '"(revoked|revoked_entry|since)":' "$file"; then
    at=$(int "$file" revoked_entry)
    says "$at" device.revoked "$dev" &&
      [ "$(int "log/$at.json" t)" = "$(int "$file" revoked)" ] &&
      [ "$(text "log/$at.json" title_snapshot)" = "$(int "$file" since)" ] || known=no
  fi
  [ $known = yes ] || { fault V5 key.not_in_log "$file"; rm -f "$WORK/$1.role"; }
}

sort "$WORK/kids" > "$WORK/sorted"
while read -r kid; do
  [ -f "$WORK/$kid.role" ] && [ "$(cat "$WORK/$kid.role")" = device ] && enrolled "$kid"
done < "$WORK/sorted"
at=$(int $X entry)
says "$at" dossier.ordered "$ID" && [ "$(int "log/$at.json" t)" = "$(int $X ordered)" ] ||
  fault V6 entry.other $X
if [ -n "$CASE" ]; then
  printf %s "$CASE" > "$WORK/case"
  at=$(int "$WORK/case" entry)
  says "$at" document.rendered "$(text "$WORK/case" id)" &&
    [ "$(text "log/$at.json" title_snapshot)" = "$(text "$WORK/case" number)" ] &&
    grep -qx "$(text "log/$at.json" after_sha)  case.pdf" SHA256SUMS ||
    fault V6 entry.other case.pdf
fi

# ---- items -------------------------------------------------------------------------------------

# The signature in $1, r then s, as openssl spells it.
spelled() {
  body=
  for half in "$(digits "$1" | cut -c1-64)" "$(digits "$1" | cut -c65-128)"; do
    while [ "${half#00}" != "$half" ]; do half=${half#00}; done
    case $half in [89a-f]*) half=00$half ;; esac
    body="$body$(printf '02%02x%s' $((${#half} / 2)) "$half")"
  done
  printf '30%02x%s' $((${#body} / 2)) "$body"
}

capture() {
  m=manifests/$id
  [ "$(text "$m.json" alg)" = ES256 ] || { fault V8 manifest.algorithm "$m.json"; return 1; }
  kid=$(text "$m.json" kid)
  if [ ! -f "$WORK/$kid.role" ] || [ "$(cat "$WORK/$kid.role")" != device ] ||
    [ "$(text "keys/$kid.json" dev)" != "$(text "$m.json" dev)" ]; then
    fault V4 key.missing "$m.json"
    return 1
  fi
  tagged CAPTURE "$m.json"
  [ "$(wc -c < "$m.sig")" -eq 64 ] || { fault V4 signature.wrong "$m.json"; return 1; }
  [ "$(spelled "$m.sig")" = "$(digits "$m.sig.der")" ] ||
    { fault V4 signature.der "$m.json"; return 1; }
  openssl dgst -sha256 -verify "$WORK/$kid.pem" -signature "$m.sig.der" "$WORK/message" \
    > /dev/null 2>&1 || { fault V4 signature.wrong "$m.json"; return 1; }
}

intake() {
  m=manifests/$id
  tagged RECEIPT "$m.json"
  [ "$(text "$m.json" kid)" = "$SERVER" ] && signed "$WORK/$SERVER.pem" "$WORK/message" "$m.sig" ||
    { fault V4 signature.wrong "$m.json"; return 1; }
}

# When it was taken: proved by the server's token, else as the phone's clock says.
taken_at() {
  since=- claimed=$(int "$m.json" wall)
  token=$(text "$m.json" tok)
  srv=$(int "$m.json" srv)
  passed=$(($(int "$m.json" mono) - $(sed -n 's/.*"anchor":{"mono":\([0-9]*\).*/\1/p' "$m.json")))
  case $token in *.*) ;; *) return ;; esac
  unbase64url "${token%%.*}" "$WORK/token" || return
  unbase64url "${token#*.}" "$WORK/signature" || return
  tagged TIME "$WORK/token"
  if signed "$WORK/$SERVER.pem" "$WORK/message" "$WORK/signature" && [ $passed -ge 0 ] &&
    [ "$(text "$WORK/token" kid)" = "$SERVER" ] && [ "$(int "$WORK/token" srv)" = "$srv" ]; then
    since=$srv claimed=$((srv + passed))
  fi
}

standing() {
  key=ok
  if [ "$until" -lt "$(int "keys/$kid.json" enrolled)" ]; then
    fault V5 key.too_early "$m.json"
    return
  fi
  revoked=$(int "keys/$kid.json" revoked)
  [ -n "$revoked" ] || return
  lost=$(int "keys/$kid.json" since)
  if [ "$claimed" -ge "${lost:-$revoked}" ] || [ "$until" -ge "$revoked" ]; then
    key=revoked@$revoked
    verdict=revoked
    fault V5 key.revoked "$id $revoked"
  else
    key=ok,revoked@$revoked
  fi
}

piece() {
  one=$WORK/one_item
  $kind || return
  if [ $kind = capture ]; then source=$(text "$m.json" src); else source=received; fi
  hash=$(text "$m.json" sha256)
  if [ -n "$file" ] && ! grep -qx "$hash  $file" SHA256SUMS; then
    fault V2 original.differs "$file"
    return
  fi
  received=$(int "$one" received)
  verified=$(int "$one" verified)
  if ! says "$received" evidence.received "$id" || ! says "$verified" evidence.verified "$id" ||
    [ "$(text "log/$received.json" after_sha)" != "$hash" ] ||
    [ "$(text "log/$verified.json" after_sha)" != "$hash" ]; then
    fault V6 entry.other "$m.json"
    return
  fi
  [ "$verified" -lt "$SEALED" ] || { fault V7 head.before_seal "$m.json"; return; }
  until=$(int "log/$received.json" t)
  [ $kind = capture ] || return
  taken_at
  anchored=$(int "$one" anchored)
  [ -z "$anchored" ] || gap=$((anchored - claimed))
  standing
}

item() {
  id=$(text "$WORK/one_item" id)
  kind=$(text "$WORK/one_item" kind)
  file=$(text "$WORK/one_item" file)
  flags=$(list "$WORK/one_item" flags | paste -s -d , -)
  source=- since=- until=- claimed=- gap=- key=- verdict=failed
  case $kind in capture | intake) ;; *) fault V4 signature.wrong "manifests/$id.json"; return ;; esac
  before=$(wc -l < "$WORK/faults")
  piece
  if [ "$(wc -l < "$WORK/faults")" -eq "$before" ]; then
    [ -n "$file" ] && grep -qxF "$file" "$WORK/bad" || verdict=ok
  fi
  if [ -n "$file" ]; then original=here; else original=withheld; fi
  printf 'item %s %s source=%s proved=%s..%s claimed=%s gap=%s key=%s original=%s flags=%s\n' \
    "$id" $verdict "$source" "$since" "$until" "$claimed" "$gap" "$key" $original "${flags:--}" \
    >> "$WORK/items"
}

while read -r line; do
  printf '%s\n' "$line" > "$WORK/one_item"
  item
done < "$WORK/list"

# ---- derivatives, V9 ---------------------------------------------------------------------------

derived | grep '"file":' > "$WORK/derived"
while read -r line; do
  printf '%s\n' "$line" > "$WORK/one_item"
  file=$(text "$WORK/one_item" file)
  if ! grep -qxF "$file" "$WORK/bad" &&
    ! grep -qx "$(text "$WORK/one_item" sha256)  $file" SHA256SUMS; then
    fault V2 derivative.differs "$file"
  fi
done < "$WORK/derived"

while read -r name; do
  case $name in *.tsr) ;; *) continue ;; esac
  note=${name#tsa/}
  note=checkpoints/${note%.tsr}.note
  V9=not-checked
  [ -f tsa/roots.pem ] || continue
  at=$(openssl ts -reply -in "$name" -text 2> /dev/null | sed -n 's/^Time stamp: //p')
  when=$(date -u -d "$at" +%s 2> /dev/null) || continue
  if openssl ts -verify -in "$name" -data "$note" -CAfile tsa/roots.pem -attime "$when" \
    > /dev/null 2>&1; then
    grep -q 'BEGIN X509 CRL' tsa/roots.pem || V9=ok
    echo "stamp $name $(date -u -d "$at" +%Y%m%d%H%M%SZ)" >> "$WORK/stamps"
  else
    fault V9 stamp.other "$name"
  fi
done < "$WORK/tokens"
DONE=yes
finish
