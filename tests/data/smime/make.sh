#!/bin/sh
# Makes everything in this folder anew, with stock OpenSSL: a mail CA, the keys of a channel and of a
# site, and mails from the site to the channel in every way of wrapping.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
# shellcheck disable=SC2086
openssl req -x509 $key -days 36500 -subj "/CN=mail CA of the tests" -keyout "$work/ca.key" -out ca.pem

person() {  # NAME ADDRESS
  # shellcheck disable=SC2086
  openssl req $key -subj "/CN=$1" -keyout "$1.key" -out "$work/csr"
  printf 'subjectAltName=email:%s\nkeyUsage=digitalSignature,keyAgreement\n' "$2" >"$work/ext"
  openssl x509 -req -in "$work/csr" -CA ca.pem -CAkey "$work/ca.key" -CAserial "$work/serial" \
    -CAcreateserial -days 36500 -extfile "$work/ext" -out "$1.pem"
}
person channel pki@ca.example
person site dev@site.example

mail() {  # NAME, the MIME entity on stdin
  { printf 'From: dev@site.example\nTo: pki@ca.example\nMessage-ID: <%s@site.example>\n' "$1"; cat; } >"$1.eml"
}
sign="openssl cms -sign -signer site.pem -inkey site.key"
encrypt="openssl cms -encrypt"
printf 'Content-Type: application/pkixcmp; name=dev1.pki\r\nContent-Transfer-Encoding: base64\r\n\r\nMAMCAQU=\r\n' >"$work/request"
$sign -in "$work/request" | tee "$work/clear" | mail clear-signed
$sign -nodetach -in "$work/request" | tee "$work/opaque" | mail opaque-signed
$sign -nodetach -stream -in "$work/request" | mail opaque-signed-in-pieces
$encrypt -aes256 -in "$work/request" channel.pem | mail enveloped
$encrypt -aes-256-gcm -in "$work/request" channel.pem | mail authenticated
$encrypt -aes128 -in "$work/clear" channel.pem | tee "$work/both" | mail signed-enveloped
$sign -nodetach -in "$work/both" | mail signed-enveloped-signed
$encrypt -aes128 -in "$work/request" site.pem | mail enveloped-for-another
$sign -signer channel.pem -inkey channel.key -in "$work/request" | mail two-signers
