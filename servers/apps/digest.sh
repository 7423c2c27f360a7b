#!/bin/sh
# A CGI program: answers with the length and the digest of the body that it was given.
copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
cat >"$copy"
digest=$(sha256sum "$copy")
bytes=$(wc -c <"$copy")
printf 'Content-Type: application/json\r\n\r\n{"bytes":%d,"sha256":"%s"}\n' "$bytes" "${digest%% *}"
