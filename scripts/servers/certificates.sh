#!/bin/sh
# certificates.sh FOLDER: certificates for the tests, good for a hundred years: two authorities (ca, other-ca), and of the first a
# server's (server) for localhost and 127.0.0.1 and a client's (client); each NAME.pem with NAME-key.pem.
set -eu
mkdir -p "$1"
cd "$1"
for name in ca other-ca; do
  openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj "/CN=sluice test $name" -keyout "$name-key.pem" -out "$name.pem" 2>/dev/null
done
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >server.ext
printf 'extendedKeyUsage=clientAuth\n' >client.ext
for name in server client; do
  openssl req -newkey rsa:2048 -nodes -subj "/CN=sluice test $name" -keyout $name-key.pem -out $name.csr 2>/dev/null
  openssl x509 -req -days 36500 -in $name.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile $name.ext -out $name.pem 2>/dev/null
done
chmod 644 ./*.pem
