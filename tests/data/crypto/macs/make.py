#!/usr/bin/env python3
"""MACs as Python's hashlib and hmac and the command `openssl mac` make them: vectors.txt.

A line is: name, AlgorithmIdentifier, secret, data, MAC; all but the name in hexadecimal.
"""

import hashlib
import hmac
import subprocess

OIDS = {
    "sha1": "1.2.840.113549.2.7", "sha224": "1.2.840.113549.2.8", "sha256": "1.2.840.113549.2.9",
    "sha384": "1.2.840.113549.2.10", "sha512": "1.2.840.113549.2.11",
    "sha3_224": "2.16.840.1.101.3.4.2.13", "sha3_256": "2.16.840.1.101.3.4.2.14",
    "sha3_384": "2.16.840.1.101.3.4.2.15", "sha3_512": "2.16.840.1.101.3.4.2.16",
}
DIGESTS = {"sha256": "2.16.840.1.101.3.4.2.1", "sha512": "2.16.840.1.101.3.4.2.3"}
KMAC = {"KMAC-128": "2.16.840.1.101.3.4.2.19", "KMAC-256": "2.16.840.1.101.3.4.2.20"}
GMAC = {128: "2.16.840.1.101.3.4.1.9", 192: "2.16.840.1.101.3.4.1.29", 256: "2.16.840.1.101.3.4.1.49"}
DATA = b"the octets of header and body"
SECRET = b"a secret of the requester"


def tlv(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        out += bytes(reversed(digits))
    return tlv(0x06, out)


def number(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def algorithm(dotted, parameters=b""):
    return tlv(0x30, oid(dotted) + parameters)


def openssl(*options):
    out = subprocess.run(["openssl", "mac", *options], input=DATA, capture_output=True, check=True)
    return bytes.fromhex(out.stdout.decode().strip())


def emit(name, identifier, secret, mac):
    print(" ".join([name, identifier.hex(), secret.hex(), DATA.hex(), mac.hex()]))


def emit_hmacs():
    for digest, dotted in OIDS.items():
        emit("hmac-" + digest, algorithm(dotted), SECRET, hmac.digest(SECRET, DATA, digest))


def emit_kmacs():
    for name, dotted in KMAC.items():
        usual = 32 if name == "KMAC-128" else 64
        key = "hexkey:" + SECRET.hex()
        emit(name, algorithm(dotted), SECRET,
             openssl("-macopt", key, "-macopt", f"size:{usual}", name))
        parameters = tlv(0x30, number(160) + tlv(0x04, b"CMP"))
        emit(name + "-custom", algorithm(dotted, parameters), SECRET,
             openssl("-macopt", key, "-macopt", "size:20", "-macopt", "custom:CMP", name))


def emit_gmacs():
    nonce = bytes(range(12))
    for bits, dotted in GMAC.items():
        key = hashlib.shake_128(b"key").digest(bits // 8)
        mac = openssl("-cipher", f"AES-{bits}-GCM", "-macopt", "hexkey:" + key.hex(), "-macopt",
                      "hexiv:" + nonce.hex(), "GMAC")
        for size in (12, 16):
            parameters = tlv(0x04, nonce) + (number(size) if size != 12 else b"")
            emit(f"gmac-{bits}-{size}", algorithm(dotted, tlv(0x30, parameters)), key, mac[:size])


def emit_pbmac1s():
    salt = bytes(range(16))
    for digest in list(OIDS)[:9]:
        for length in (None, 20, 64):
            size = length or hashlib.new(digest).digest_size
            key = hashlib.pbkdf2_hmac(digest, SECRET, salt, 1000, size)
            prf = algorithm(OIDS[digest], tlv(0x05, b""))
            pbkdf2 = tlv(0x04, salt) + number(1000) + (number(length) if length else b"")
            pbkdf2 += prf if digest != "sha1" else b""
            kdf = algorithm("1.2.840.113549.1.5.12", tlv(0x30, pbkdf2))
            identifier = algorithm("1.2.840.113549.1.5.14", tlv(0x30, kdf + prf))
            emit(f"pbmac1-{digest}-{length}", identifier, SECRET, hmac.digest(key, DATA, digest))


def emit_expanded_pbm():
    """RFC 9810 5.1.3.1: a MAC that needs more octets of key than the one-way function gives."""
    salt = bytes(range(8))
    key = SECRET + salt
    for _ in range(100):
        key = hashlib.sha224(key).digest()
    key = (key + hashlib.sha224(b"1" + key).digest())[:32]
    nonce = bytes(range(12))
    mac = openssl("-cipher", "AES-256-GCM", "-macopt", "hexkey:" + key.hex(), "-macopt",
                  "hexiv:" + nonce.hex(), "GMAC")
    gmac = algorithm(GMAC[256], tlv(0x30, tlv(0x04, nonce)))
    pbm = tlv(0x04, salt) + algorithm("2.16.840.1.101.3.4.2.4") + number(100) + gmac
    emit("pbm-expanded", algorithm("1.2.840.113533.7.66.13", tlv(0x30, pbm)), SECRET, mac[:12])


emit_hmacs()
emit_kmacs()
emit_gmacs()
emit_pbmac1s()
emit_expanded_pbm()
