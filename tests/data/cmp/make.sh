#!/bin/bash
# Records real CMP messages, requests and responses, of the `openssl cmp` client and its mock server.
#   tests/data/cmp/make.sh [TARGET]    (default: the folder openssl-<version> beside this script)
# Keys are made anew, so every run gives other octets. Needs nothing but openssl and loopback.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(openssl version | cut -d' ' -f2)
target=${1:-$here/openssl-$version}
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
mkdir -p "$target"
rm -f "$target"/*.der "$target"/*.pem
cd "$work"

cat >cmp.cnf <<'CNF'
[default]
[none]
[plain]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth, codeSigning
[many]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment, keyAgreement
extendedKeyUsage = serverAuth, clientAuth, emailProtection
subjectAltName = DNS:a.example, DNS:*.b.example, IP:192.0.2.7, IP:2001:db8::1, email:dev@example.org, URI:https://example.org/x, RID:1.2.3.4, dirName:dir, otherName:1.3.6.1.4.1.311.20.2.3;UTF8:dev@example.org
subjectKeyIdentifier = 0102030405060708090a0b0c0d0e0f1011121314
[dir]
C = DE
O = Directory Name
CN = in a SAN
[policies]
certificatePolicies = 1.3.6.1.4.1.99999.1, @notice
[notice]
policyIdentifier = 1.3.6.1.4.1.99999.2
CPS.1 = "https://example.org/cps"
userNotice.1 = @text
[text]
explicitText = "UTF8:for tests only"
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
[ee]
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
CNF

key() { openssl genpkey -out "$1.key" "${@:2}" 2>/dev/null; }
selfsigned() { openssl req -config cmp.cnf -x509 -new -key "$1.key" -subj "$2" -days 7300 -extensions ca -out "$1.pem"; }
# issued NAME SUBJECT [KEY]: a certificate of the CA for KEY.
issued() {
  openssl req -config cmp.cnf -new -key "${3:-$1}.key" -subj "$2" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -days 7300 -extfile cmp.cnf -extensions ee -out "$1.pem" 2>/dev/null
}

key ca -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve
selfsigned ca "/C=DE/O=CMPost tests/CN=Vector CA"
for curve in 256 384 521; do key "p$curve" -algorithm EC -pkeyopt "ec_paramgen_curve:P-$curve"; done
key ed25519 -algorithm ED25519
key ed448 -algorithm ED448
key rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
key rsa3072 -algorithm RSA -pkeyopt rsa_keygen_bits:3072
key new -algorithm EC -pkeyopt ec_paramgen_curve:P-256
for name in p256 p384 p521 ed25519 ed448 rsa2048 rsa3072; do issued "$name" "/CN=signer $name"; done
issued new "/CN=dev1"
for name in p384 p521 ed25519 ed448 rsa2048; do issued "new-$name" "/CN=dev1" "$name"; done
issued server "/CN=CMP server" p256
cat ca.pem p384.pem rsa2048.pem >several.pem

names() { for i in 1 2 3 4 5 6 7 8; do printf 'm%s.%s,' "$i" "$1"; done | sed 's/,$//'; }
body_names=(ir ip cr cp p10cr popdecc popdecr kur kup krr krp rr rp ccr ccp ckuann cann rann crlann pkiconf nested genm genp error certConf pollReq pollRep)
# The second element of the PKIMessage has the tag of the body.
body_of() {
  local tag
  tag=$(openssl asn1parse -inform DER -in "$1" | awk '$2 == "d=1" || /:d=1 / { print }' | sed -n 2p | sed -n 's/.*cont \[ \([0-9]*\) \].*/\1/p')
  echo "${body_names[$tag]}"
}
# keep FLOW: files what m1.req, m1.rsp, ... hold as FLOW.<number>-<body>.der
keep() {
  local i number=0 kind
  for i in 1 2 3 4 5 6 7 8; do
    for kind in req rsp; do
      [ -s "m$i.$kind" ] || continue
      number=$((number + 1))
      mv "m$i.$kind" "$target/$1.$number-$(body_of "m$i.$kind").der"
    done
  done
  [ "$number" -gt 0 ] || { echo "flow $1 gave nothing" >&2; cat log >&2; exit 1; }
}
client() { # a flow may well end in a refusal: what counts is what was recorded
  openssl cmp -config cmp.cnf -section none -batch -verbosity 3 -recipient "/C=DE/O=CMPost tests/CN=Vector CA" \
    -reqout "$(names req)" -rspout "$(names rsp)" "$@" >log 2>&1 || true
}
# flow NAME OPTIONS...: client and server in one process.
flow() {
  rm -f m?.req m?.rsp
  client -use_mock_srv "${@:2}"
  keep "$1"
}
enrol=(-cmd ir -newkey new.key -subject "/CN=dev1" -certout out.pem -out_trusted ca.pem)
enrol_cr=(-cmd cr "${enrol[@]:2}")
pbm=(-ref dev1 -secret pass:insecure -srv_ref server -srv_secret pass:insecure -rsp_cert new.pem)
# signed NAME: options for a client with that credential.
signed() { printf '%s\n' -cert "$1.pem" -key "$1.key" -srv_cert server.pem -srv_key p256.key -srv_trusted ca.pem -trusted ca.pem -rsp_cert new.pem; }

# Password-based MAC: one-way functions and MACs (the client has always 500 iterations).
for owf in sha1 sha224 sha256 sha384 sha512; do
  for mac in hmac-sha1 hmacWithSHA1 hmacWithSHA256 hmacWithSHA512; do
    flow "pbm-$owf-$mac" "${enrol[@]}" "${pbm[@]}" -digest "$owf" -mac "$mac"
  done
done
# Signatures: keys and digests. OpenSSL 3.0's client cannot sign with EdDSA or RSA-PSS keys.
for name in p256 p384 p521 rsa2048 rsa3072; do
  mapfile -t credential < <(signed "$name")
  flow "sig-$name" "${enrol[@]}" "${credential[@]}"
done
for digest in sha224 sha384 sha512; do
  for name in p256 rsa2048; do
    mapfile -t credential < <(signed "$name")
    flow "sig-$name-$digest" "${enrol_cr[@]}" "${credential[@]}" -digest "$digest"
  done
done
# Other keys to be certified.
for name in p384 p521 ed25519 ed448 rsa2048; do
  flow "newkey-$name" "${enrol_cr[@]}" "${pbm[@]}" -newkey "$name.key" -rsp_cert "new-$name.pem"
done
mapfile -t credential < <(signed p256)

# What a request may hold.
flow ext-plain "${enrol[@]}" "${pbm[@]}" -reqexts plain
flow ext-many "${enrol[@]}" "${pbm[@]}" -reqexts many
flow ext-policies "${enrol[@]}" "${pbm[@]}" -policies policies
flow sans "${enrol[@]}" "${pbm[@]}" -sans "host.example 192.0.2.1 https://example.org/device"
flow policy-oids "${enrol[@]}" "${pbm[@]}" -policy_oids "1.2.3.4 1.3.6.1.4.1.99999.7" -policy_oids_critical
flow days "${enrol[@]}" "${pbm[@]}" -days 400
flow days-beyond-2049 "${enrol[@]}" "${pbm[@]}" -days 15000
flow issuer "${enrol[@]}" "${pbm[@]}" -issuer "/C=DE/O=CMPost tests/CN=Vector CA"
flow geninfo "${enrol[@]}" "${pbm[@]}" -geninfo 1.2.3.4:int:987654321
flow popo-none "${enrol[@]}" "${pbm[@]}" -popo -1
flow popo-raverified "${enrol[@]}" "${pbm[@]}" -popo 0 -accept_raverified
flow popo-keyenc "${enrol[@]}" "${pbm[@]}" -popo 2
flow implicit "${enrol[@]}" "${pbm[@]}" -implicit_confirm -grant_implicitconf
flow implicit-not-granted "${enrol[@]}" "${pbm[@]}" -implicit_confirm
flow disable-confirm "${enrol[@]}" "${pbm[@]}" -disable_confirm
flow long-dn "${enrol[@]}" "${pbm[@]}" -subject "/C=DE/ST=Bayern/L=M\xC3\xBCnchen/O=$(printf 'o%.0s' $(seq 64))/OU=$(printf 'u%.0s' $(seq 60))/OU=second/DC=example/DC=org/UID=dev-000001/serialNumber=4711/emailAddress=dev@example.org/CN=$(printf 'n%.0s' $(seq 64))"
flow multi-rdn "${enrol[@]}" "${pbm[@]}" -subject "/O=Grid+OU=West/CN=dev1+serialNumber=7+UID=x"
flow null-dn "${enrol[@]}" "${pbm[@]}" -subject "/" -sans "only.example"
flow extracerts "${enrol[@]}" "${credential[@]}" -extracerts several.pem -rsp_extracerts several.pem -rsp_capubs several.pem
flow capubs "${enrol[@]}" "${pbm[@]}" -rsp_capubs several.pem
flow unprotected "${enrol[@]}" "${pbm[@]}" -unprotected_requests -unprotected_errors -accept_unprotected -send_unprotected
flow wrong-certificate "${enrol[@]}" "${pbm[@]}" -rsp_cert p384.pem
flow digest-of-confirmation "${enrol[@]}" "${credential[@]}" -digest sha512

# The other requests.
for name in p256 rsa2048 ed25519; do
  flow "p10cr-$name" -cmd p10cr -csr "$name.csr" -newkey "$name.key" -certout out.pem -out_trusted ca.pem "${pbm[@]}" -rsp_cert "$name.pem"
done
openssl req -config cmp.cnf -new -key p256.key -subj "/CN=with extensions" -reqexts many -out many.csr
flow p10cr-extensions -cmd p10cr -csr many.csr -newkey p256.key -certout out.pem -out_trusted ca.pem "${credential[@]}" -rsp_cert p256.pem
flow ir-from-csr -cmd ir -csr many.csr -newkey p256.key -certout out.pem "${pbm[@]}" -rsp_cert p256.pem
for name in p256 p384 rsa2048 rsa3072; do
  mapfile -t own < <(signed "$name")
  flow "kur-$name" -cmd kur -oldcert new.pem -newkey new.key -certout out.pem -out_trusted ca.pem "${own[@]}"
done
flow kur-sans -cmd kur -oldcert new.pem -newkey new.key -certout out.pem -out_trusted ca.pem -sans "new.example" "${credential[@]}"
for reason in -1 0 1 3 4 5 6 9; do
  flow "rr-reason$reason" -cmd rr -oldcert new.pem -revreason "$reason" "${credential[@]}"
done
flow rr-pbm -cmd rr -oldcert new.pem -revreason 1 "${pbm[@]}"
for info in signKeyPairTypes encKeyPairTypes preferredSymmAlg caProtEncCert currentCRL implicitConfirm unsupportedOIDs suppLangTags; do
  flow "genm-$info" -cmd genm -infotype "$info" "${pbm[@]}"
done
flow genm-signed -cmd genm "${credential[@]}"

# Refusals, waiting, polling.
for status in 1 2 3 4 5 6; do flow "status-$status" "${enrol[@]}" "${pbm[@]}" -pkistatus "$status" -statusstring "this is status $status"; done
for bit in 0 1 2 9 19 26; do flow "failure-$bit" "${enrol[@]}" "${pbm[@]}" -pkistatus 2 -failure "$bit"; done
flow failurebits "${enrol[@]}" "${pbm[@]}" -pkistatus 2 -failurebits 134217727 -statusstring "every bit"
flow send-error "${enrol[@]}" "${pbm[@]}" -send_error -pkistatus 2 -failure 2 -statusstring "no"
flow send-error-signed "${enrol[@]}" "${credential[@]}" -send_error -failurebits 66
flow send-unprot-err "${enrol[@]}" "${pbm[@]}" -send_error -send_unprot_err -unprotected_errors
flow wrong-secret "${enrol[@]}" "${pbm[@]}" -secret pass:other
flow wrong-trust "${enrol[@]}" "${credential[@]}" -trusted p384.pem
flow poll "${enrol[@]}" "${pbm[@]}" -poll_count 2 -check_after 0
flow poll-kur -cmd kur -oldcert new.pem -newkey new.key -certout out.pem -out_trusted ca.pem "${credential[@]}" -poll_count 1 -check_after 1
flow rr-rejected -cmd rr -oldcert new.pem "${pbm[@]}" -pkistatus 2 -failure 4

# The same over HTTP, two processes.
openssl cmp -config cmp.cnf -section none -port 0 -batch -srv_ref server -srv_secret pass:insecure -srv_cert server.pem \
  -srv_key p256.key -srv_trusted ca.pem -rsp_cert new.pem -rsp_extracerts several.pem -poll_count 1 -check_after 0 >server.log 2>&1 &
server=$!
for _ in $(seq 100); do grep -q ACCEPT server.log && break; sleep 0.1; done
port=$(sed -n 's/^ACCEPT.*:\([0-9]*\).*/\1/p' server.log | head -1)
rm -f m?.req m?.rsp
client -server "127.0.0.1:$port" "${enrol[@]}" -ref dev1 -secret pass:insecure
keep http-pbm
client -server "127.0.0.1:$port" "${enrol_cr[@]}" -cert rsa2048.pem -key rsa2048.key -trusted ca.pem
keep http-sig
client -server "127.0.0.1:$port" -cmd genm -ref dev1 -secret pass:insecure
keep http-genm

# Public halves only, for the tests that verify the signatures. The MAC secret is "insecure".
for name in ca server p256 p384 p521 ed25519 ed448 rsa2048 rsa3072; do cp "$name.pem" "$target/"; done
echo "$(ls "$target"/*.der | wc -l) messages, $(du -sb "$target" | cut -f1) octets in $target"
