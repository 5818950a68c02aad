#!/bin/sh
# certificates.sh FOLDER: certificates for the tests, good for a hundred years: two authorities, and a server certificate of the
# first for localhost and 127.0.0.1.
set -eu
mkdir -p "$1"
cd "$1"
for name in ca other-ca; do
  openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj "/CN=sluice test $name" -keyout "$name-key.pem" -out "$name.pem" 2>/dev/null
done
openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout server-key.pem -out server.csr 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >server.ext
openssl x509 -req -days 36500 -in server.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile server.ext -out server.pem 2>/dev/null
chmod 644 ./*.pem
