"""Reads the certificates or CRLs of a bundle with Python's cryptography; says which it cannot read."""

import base64
import sys
import warnings

from cryptography import x509

warnings.simplefilter("ignore")


def read_certificate(der):
    certificate = x509.load_der_x509_certificate(der)
    certificate.public_key()
    for part in (certificate.subject, certificate.issuer):
        part.rfc4514_string()
        list(part)
    for extension in certificate.extensions:
        repr(extension.value)
    certificate.not_valid_before, certificate.not_valid_after, certificate.serial_number
    certificate.signature_algorithm_oid, certificate.tbs_certificate_bytes
    if certificate.version != x509.Version.v3:
        raise ValueError("no v3")


def read_crl(der):
    crl = x509.load_der_x509_crl(der)
    crl.issuer.rfc4514_string()
    for extension in crl.extensions:
        repr(extension.value)
    for entry in crl:
        for extension in entry.extensions:
            repr(extension.value)
    crl.last_update, crl.next_update


read = {"certificate": read_certificate, "crl": read_crl}[sys.argv[1]]
for line in open(sys.argv[2], encoding="utf-8"):
    label, der = line.rstrip("\n").split("\t")
    try:
        read(base64.b64decode(der))
    except Exception as fault:
        print(f"{label}\t{type(fault).__name__}: {fault}")
