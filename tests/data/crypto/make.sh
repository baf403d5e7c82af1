#!/bin/sh
# Makes the files that README.md lists, with the openssl command alone.
set -eu

self_signed() { # name, key options..., then the rest for req
  name=$1
  shift
  openssl req -x509 -new -key "$name.key" -out "$name.pem" -days 20000 \
    -subj "/C=DE/O=Grid/CN=$name" "$@"
}

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec-p256.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec-p384.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out ec-p521.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1 -out ec-brainpool.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa2048.key
openssl genpkey -algorithm ED25519 -out ed25519.key
openssl genpkey -algorithm ED448 -out ed448.key
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss-key.key
self_signed ec-p256 -sha256
self_signed ec-p384 -sha384
self_signed ec-p521 -sha512
self_signed ec-brainpool -sha256
self_signed rsa2048 -sha256
self_signed ed25519
self_signed ed448
self_signed pss-key -sha256
for bits in 256 384 512; do
  cp rsa2048.key "rsa-pss-sha$bits.key"
  self_signed "rsa-pss-sha$bits" "-sha$bits" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1
done

# A path of three and what is wrong with others.
issue() { # name, issuer, days, extensions; more for x509
  name=$1 issuer=$2 days=$3 extensions=$4
  shift 4
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key"
  openssl req -new -key "$name.key" -subj "/C=DE/O=Grid/CN=$name" -out "$name.csr"
  printf '%b\n' "$extensions" >extensions.cnf
  openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -days "$days" \
    -extfile extensions.cnf -out "$name.pem" "$@"
  rm "$name.csr" extensions.cnf
}
ids='subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid'
ca="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n$ids"
ee="keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth,1.3.6.1.5.5.7.3.28\n$ids"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out root.key
self_signed root -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
issue intermediate root 20000 "$ca"
issue leaf intermediate 20000 "$ee\nsubjectAltName=DNS:leaf.grid.example,IP:192.0.2.7"
issue not-a-ca root 20000 "keyUsage=critical,keyCertSign\n$ids"
issue below-not-a-ca not-a-ca 20000 "$ee"
issue constrained root 20000 "$ca\nnameConstraints=critical,permitted;DNS:.grid.example"
issue below-constrained constrained 20000 "$ee\nsubjectAltName=DNS:other.example"
issue sha1 root 20000 "$ee" -sha1

mkdir demo
touch demo/index.txt
echo 01 >demo/serial
echo 2a >demo/crlnumber
cat >demo/ca.cnf <<'CNF'
[ca]
default_ca = demo
[demo]
database = demo/index.txt
serial = demo/serial
crlnumber = demo/crlnumber
new_certs_dir = demo
default_md = sha256
policy = any
crl_extensions = crl
[any]
commonName = supplied
[crl]
authorityKeyIdentifier = keyid
CNF
root_ca() { openssl ca -batch -config demo/ca.cnf -cert root.pem -keyfile root.key "$@"; }
openssl req -new -key leaf.key -subj /CN=expired -out expired.csr
root_ca -in expired.csr -startdate 20200101000000Z -enddate 20210101000000Z -out demo/expired.pem
openssl x509 -in demo/expired.pem -out expired.pem
openssl req -new -key leaf.key -subj /CN=second -out second.csr
root_ca -in second.csr -days 10000 -out demo/second.pem
root_ca -revoke demo/expired.pem -crl_reason keyCompromise
root_ca -revoke demo/second.pem
root_ca -gencrl -crldays 10000 -out crl.pem
rm -r demo expired.csr second.csr

openssl req -new -key ec-p256.key -subj "/O=Grid/CN=meter 7" -out request.pem \
  -addext subjectAltName=DNS:meter7.grid.example -addext keyUsage=digitalSignature
openssl pkcs8 -topk8 -in ec-p256.key -v2 aes-256-cbc -passout pass:letmein -out encrypted-pkcs8.key
openssl rsa -in rsa2048.key -traditional -aes128 -passout pass:letmein -out encrypted-traditional.key
openssl ecparam -name prime256v1 -genkey -out with-parameters.key
openssl ecparam -name prime256v1 -genkey -param_enc explicit -out explicit.key
self_signed explicit -sha256
rm explicit.key below-not-a-ca.key below-constrained.key not-a-ca.key constrained.key sha1.key \
  rsa-pss-sha*.key intermediate.key
