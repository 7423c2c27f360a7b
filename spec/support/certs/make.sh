#!/bin/sh
# Makes the test certificates anew: a CA, and leaves signed by it that all use one key. Nothing outside the specs trusts
# them. Needs openssl 3. Run it in this folder.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/index.txt"
cat >"$work/ca.cnf" <<CONFIG
[ca]
default_ca = specs
[specs]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CONFIG

# By "ca -selfsign", because "req -x509" of openssl 3.0 cannot set the first day.
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n' >"$work/ca-extensions"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout "$work/ca-key.pem" \
  -subj '/CN=httpio specs CA' -out "$work/ca-request.pem"
openssl ca -batch -notext -selfsign -config "$work/ca.cnf" -keyfile "$work/ca-key.pem" -in "$work/ca-request.pem" \
  -extfile "$work/ca-extensions" -startdate 20250101000000Z -enddate 21241231235959Z -out ca.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out key.pem
chmod 644 key.pem

# leaf NAME ALTERNATIVE-NAMES FIRST-DAY LAST-DAY
leaf() {
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" >"$work/extensions"
  openssl req -new -key key.pem -subj "/CN=httpio specs $1" -out "$work/request.pem"
  openssl ca -batch -notext -config "$work/ca.cnf" -cert ca.pem -keyfile "$work/ca-key.pem" -in "$work/request.pem" \
    -extfile "$work/extensions" -startdate "$3" -enddate "$4" -out "$1.pem"
}

leaf localhost 'DNS:localhost,DNS:example.test,IP:127.0.0.1,IP:::1' 20250101000000Z 21241231235959Z
leaf other-host 'DNS:other.test' 20250101000000Z 21241231235959Z
leaf expired 'DNS:localhost,DNS:example.test,IP:127.0.0.1,IP:::1' 20250101000000Z 20250102000000Z
