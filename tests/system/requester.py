"""A requester written from the RFCs, for what no packaged client does: popdecr, krr, ccr, nested
messages, PBMAC1, DHBasedMac, KemBasedMac.

It writes its DER itself, lets the packaged ASN.1 modules (structure.py) judge what they know before
it is sent, and leaves all cryptography to the openssl command and the standard library.
"""

import datetime
import hashlib
import hmac
import os
import subprocess
import tempfile
from pathlib import Path

from structure import read

# Body tags (RFC 9810 5.1.2).
IR, IP, POPDECC, POPDECR, KRR, KRP, CCR, CCP = 0, 1, 5, 6, 9, 10, 13, 14
CR, CP, KUR, KUP, RR, RP = 2, 3, 7, 8, 11, 12
PKI_CONF, CERT_CONF = 19, 24
NESTED, GENM, GENP, ERROR, POLL_REQ, POLL_REP = 20, 21, 22, 23, 25, 26

ECDSA_SHA256 = "1.2.840.10045.4.3.2"
PASSWORD_BASED_MAC = "1.2.840.113533.7.66.13"
DH_BASED_MAC, KEM_BASED_MAC = "1.2.840.113533.7.66.30", "1.2.840.113533.7.66.16"
KEM_RSA, KDF3 = "1.0.18033.2.2.4", "1.3.133.16.840.9.44.1.2"
HKDF_SHA256 = "1.2.840.113549.1.9.16.3.28"
PBMAC1, PBKDF2 = "1.2.840.113549.1.5.14", "1.2.840.113549.1.5.12"
SHA256, HMAC_SHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9"
BAD_POP, WRONG_AUTHORITY = 9, 6  # PKIFailureInfo
KEM_CIPHERTEXT_INFO = "1.3.6.1.5.5.7.4.24"
IMPLICIT_CONFIRM = "1.3.6.1.5.5.7.4.13"
ENC_KEY_WITH_ID = "1.2.840.113549.1.9.16.1.21"
PROTOCOL_ENCR_KEY = "1.3.6.1.5.5.7.5.1.6"


# --- DER

def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


NULL = tlv(5)


def seq(*parts):
    return tlv(0x30, *parts)


def explicit(number, *parts):
    return tlv(0xA0 | number, *parts)


def integer(value, tag=2):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value):
    return tlv(4, value)


def bits(value):
    return tlv(3, b"\0", value)


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    content = b""
    for arc in [40 * first + second, *rest]:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        content += bytes(reversed(digits))
    return tlv(6, content)


def common_name(text):
    return seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(12, text.encode()))))


def utc_time(moment):
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def elements(der):
    """The elements in `der`, one behind the other, as (tag, content, whole)."""
    found = []
    while der:
        size, start = der[1], 2
        if size & 0x80:
            start = 2 + (size & 0x7F)
            size = int.from_bytes(der[2:start], "big")
        found.append((der[0], der[start:start + size], der[:start + size]))
        der = der[start + size:]
    return found


def inside_of(der):
    """The content of the first element."""
    return elements(der)[0][1]


# --- files of openssl

def openssl(*arguments, octets_in=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=octets_in, capture_output=True,
                          timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout


def certificate_der(file):
    return openssl("x509", "-in", file, "-outform", "DER")


def public_key(file):
    """The SubjectPublicKeyInfo of a private key."""
    return openssl("pkey", "-in", file, "-pubout", "-outform", "DER")


def enveloped_for(certificate, contents):
    """The fields of an EnvelopedData with `contents` as data for the holder of an RSA key, DER."""
    info = openssl("cms", "-encrypt", "-binary", "-outform", "DER", "-aes256", "-recip", certificate,
                   octets_in=contents)
    return inside_of(elements(inside_of(info))[1][1])


def subject_of(certificate):
    """The Name in a certificate, DER."""
    tbs = elements(inside_of(inside_of(certificate_der(certificate))))
    # version, serialNumber, signature, issuer, validity, subject
    return tbs[5][2]


# --- CRMF (RFC 4211)

ECDSA, RSA = seq(oid(ECDSA_SHA256)), seq(oid("1.2.840.113549.1.1.11"), NULL)  # with SHA-256


def signed_request(template, key, algorithm=ECDSA, number=0):
    """CertReqMsg with that certReqId whose possession is proven by a signature."""
    request = cert_request(template, number=number)
    signature = openssl("dgst", "-sha256", "-sign", key, octets_in=request)
    return seq(request, explicit(1, algorithm, bits(signature)))


def cert_request(template, *controls, number=0):
    return seq(integer(number), template, *([seq(*controls)] if controls else []))


def template(subject=None, key=None):
    """CertTemplate of a subject (DER) and the public key in a file."""
    return seq(explicit(5, subject) if subject else b"",
               tlv(0xA6, inside_of(public_key(key))) if key else b"")


# --- PKIMessage (RFC 9810 5.1)

class Secret:
    """Protection by PasswordBasedMac (RFC 9810 5.1.3.1)."""

    def __init__(self, reference, secret):
        self.reference, self.secret = reference.encode(), secret.encode()
        self.sender, self.extra_certs = common_name(reference), b""
        self.algorithm = self.make_algorithm(os.urandom(16), 500)

    def make_algorithm(self, salt, iterations):
        return seq(oid(PASSWORD_BASED_MAC), seq(octets(salt), seq(oid(SHA256)),
                                                integer(iterations), seq(oid(HMAC_SHA256))))

    def mac(self, algorithm, protected_part):
        salt, owf, iterations, mac = elements(elements(inside_of(algorithm))[1][1])
        assert (oid(SHA256), oid(HMAC_SHA256)) == (elements(owf[1])[0][2], elements(mac[1])[0][2])
        key = self.secret + salt[1]
        for _ in range(int.from_bytes(iterations[1], "big")):
            key = hashlib.sha256(key).digest()
        return hmac.digest(key, protected_part, "sha256")

    def protect(self, protected_part):
        return self.mac(self.algorithm, protected_part)

    def check(self, algorithm, protected_part, protection, _):
        assert self.mac(algorithm, protected_part) == protection, "the answer's MAC is wrong"


class Pbmac1(Secret):
    """Protection by PBMAC1 (RFC 9810 5.1.3.1, RFC 8018), with PBKDF2."""

    def make_algorithm(self, salt, iterations):
        kdf = seq(oid(PBKDF2), seq(octets(salt), integer(iterations), integer(32),
                                   seq(oid(HMAC_SHA256), NULL)))
        return seq(oid(PBMAC1), seq(kdf, seq(oid(HMAC_SHA256), NULL)))

    def mac(self, algorithm, protected_part):
        kind, parameters = elements(inside_of(algorithm))
        assert oid(PBMAC1) == kind[2]
        kdf, _ = elements(parameters[1])
        salt, iterations, length, _ = elements(elements(kdf[1])[1][1])
        key = hashlib.pbkdf2_hmac("sha256", self.secret, salt[1],
                                  int.from_bytes(iterations[1], "big"),
                                  int.from_bytes(length[1], "big"))
        return hmac.digest(key, protected_part, "sha256")


class Agreement:
    """DHBasedMac (RFC 9810 5.1.3.2) between a key of ours and one of the CA, both P-256."""

    def __init__(self, key, ca_certificate):
        self.key, self.ca_certificate = key, ca_certificate
        hashing = seq(oid(SHA256)), seq(oid(HMAC_SHA256), NULL)
        self.algorithm = seq(oid(DH_BASED_MAC), seq(*hashing))

    def protect(self, data):
        with tempfile.TemporaryDirectory() as place:
            theirs = write(openssl("x509", "-in", self.ca_certificate, "-noout", "-pubkey"),
                           Path(place) / "theirs.pem")
            agreed = openssl("pkeyutl", "-derive", "-inkey", self.key, "-peerkey", theirs)
        return hmac.digest(hashlib.sha256(agreed).digest(), data, "sha256")


class Holder:
    """Of a certificate; answers are signed by the CA's CMP key unless said otherwise."""

    def __init__(self, certificate, key, ca):
        self.key, self.reference, self.ca = key, None, ca
        self.sender = subject_of(certificate)
        self.extra_certs = explicit(1, seq(certificate_der(certificate)))

    def check(self, algorithm, protected_part, protection, extra_certs):
        """By the first certificate in extraCerts, which the CA has issued."""
        assert seq(oid(ECDSA_SHA256)) == algorithm
        with tempfile.TemporaryDirectory() as place:
            signer = as_pem(elements(inside_of(extra_certs))[0][2], Path(place) / "signer.pem")
            openssl("verify", "-CAfile", self.ca, signer)
            key = write(openssl("x509", "-in", signer, "-noout", "-pubkey"), Path(place) / "key")
            signature = write(protection, Path(place) / "signature")
            openssl("dgst", "-sha256", "-verify", key, "-signature", signature,
                    octets_in=protected_part)


class AgreeingHolder(Agreement, Holder):
    """Protection by DHBasedMac, of the answers, too."""

    def __init__(self, certificate, key, ca_certificate):
        Holder.__init__(self, certificate, key, None)
        Agreement.__init__(self, key, ca_certificate)

    def check(self, algorithm, protected_part, protection, _):
        assert oid(DH_BASED_MAC) == elements(inside_of(algorithm))[0][2]
        assert self.protect(protected_part) == protection, "the answer's MAC is wrong"


class Signer(Holder):
    """Protection by a P-256 key."""

    algorithm = seq(oid(ECDSA_SHA256))

    def protect(self, protected_part):
        return openssl("dgst", "-sha256", "-sign", self.key, octets_in=protected_part)


class KemHolder(Holder):
    """KemBasedMac (RFC 9810 5.1.3.4) with an RSA key of ours. Nothing protects the message that asks
    for the ciphertext, nor its answer."""

    algorithm = None  # yet

    def take_ciphertext(self, info, transaction_id):
        """KemCiphertextInfo, by RSA-KEM with KDF3 (RFC 9690): what follows has a MAC."""
        kem, ciphertext = elements(inside_of(info))
        kind, parameters = elements(kem[1])
        kdf, length = elements(parameters[1])
        assert (oid(KEM_RSA), oid(KDF3)) == (kind[2], elements(kdf[1])[0][2])
        z = openssl("pkeyutl", "-decrypt", "-inkey", self.key, "-pkeyopt", "rsa_padding_mode:none",
                    octets_in=ciphertext[1])
        assert length[1] == b"\x20"
        secret = hashlib.sha256((1).to_bytes(4, "big") + z).digest()
        # HKDF (RFC 5869) of one block, with KemOtherInfo as its context.
        context = seq(seq(tlv(12, b"CMP-KEM")), octets(transaction_id))
        extracted = hmac.digest(bytes(32), secret, "sha256")
        self.mac_key = hmac.digest(extracted, context + b"\1", "sha256")
        self.algorithm = seq(oid(KEM_BASED_MAC), seq(seq(oid(HKDF_SHA256)), integer(32),
                                                     seq(oid(HMAC_SHA256), NULL)))

    def protect(self, protected_part):
        return hmac.digest(self.mac_key, protected_part, "sha256")


class Requester:
    """One transaction over the directories of an instance. `implicit`: it asks to have its
    certificate without a certConf."""

    def __init__(self, instance, credential, pvno=2, implicit=True):
        self.instance, self.credential, self.pvno = instance, credential, pvno
        self.implicit = implicit
        self.transaction_id, self.recip_nonce = os.urandom(16), b""
        self.count = 0

    @property
    def tid(self):
        return self.transaction_id.hex()

    def message(self, body_tag, body, nonce=None):
        self.nonce = nonce or os.urandom(16)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d%H%M%SZ").encode()
        reference = self.credential.reference
        header = seq(
            integer(self.pvno), explicit(4, self.credential.sender), explicit(4, common_name("CA")),
            explicit(0, tlv(0x18, now)),
            explicit(1, self.credential.algorithm) if self.credential.algorithm else b"",
            explicit(2, octets(reference)) if reference else b"",
            explicit(4, octets(self.transaction_id)), explicit(5, octets(self.nonce)),
            explicit(6, octets(self.recip_nonce)) if self.recip_nonce else b"",
            explicit(8, seq(seq(oid(IMPLICIT_CONFIRM), NULL))) if self.implicit else b"")
        content = header + explicit(body_tag, body)
        protection = b""
        if self.credential.algorithm:
            protection = explicit(0, bits(self.credential.protect(seq(content))))
        return seq(content, protection, self.credential.extra_certs)

    def take(self, answer):
        """Checks an answer to the last message, and gives the tag and the content of its body."""
        header, body, *more = elements(inside_of(answer))
        fields = {tag: content for tag, content, _ in elements(header[1])[3:]}
        assert inside_of(fields[0xA4]) == self.transaction_id, "another transactionID"
        assert inside_of(fields[0xA6]) == self.nonce, "another recipNonce than our senderNonce"
        if self.credential.algorithm:
            protection = inside_of(more[0][1])[1:]
            self.credential.check(fields[0xA1], seq(header[2], body[2]), protection,
                                  more[1][1] if len(more) > 1 else b"")
        self.recip_nonce = inside_of(fields[0xA5])
        return body[0] & 0x1F, body[1]

    def talk(self, body_tag, body, by_modules=True):
        """Sends a message and takes the answer. The modules do not know what came after RFC 4210."""
        sent = self.message(body_tag, body)
        if by_modules:
            read(sent)
        self.count += 1
        name = f"{self.tid[:8]}-{self.count}"
        self.instance.put(f"{name}.pki", sent)
        return self.take(self.instance.answer(name).read_bytes())

    def poll(self):
        return self.talk(POLL_REQ, seq(seq(integer(0))))


def responses_in(body):
    """The CertResponses in a CertRepMessage: the elements of each."""
    responses = next(one for tag, one, _ in elements(inside_of(body)) if tag == 0x30)
    return [elements(response) for _, response, _ in elements(responses)]


def response_in(body):
    """The first of them."""
    return responses_in(body)[0]


def certificate_in(body):
    """The certificate in a CertRepMessage with one response, DER."""
    return certificate_of(response_in(body))


def certificate_of(response):
    _, status, pair = response
    assert elements(status[1])[0][1] in (b"\0", b"\1"), "neither accepted nor grantedWithMods"
    return elements(elements(pair[1])[0][1])[0][2]  # CertifiedKeyPair: certOrEncCert first


def cert_conf(certificate):
    """That it is accepted: the certificate, DER, which is signed with SHA-256."""
    return seq(seq(octets(hashlib.sha256(certificate).digest()), integer(0)))


def refusal_in(body):
    """The number of the one bit of PKIFailureInfo in a CertRepMessage that is a rejection."""
    status = elements(response_in(body)[1][1])
    assert status[0][1] == b"\2", "no rejection"
    failure = next(one for tag, one, _ in status if tag == 3)
    value = int.from_bytes(failure[1:], "big")
    assert bin(value).count("1") == 1
    return 8 * len(failure[1:]) - value.bit_length()


def as_pem(der, file):
    return write(openssl("x509", "-inform", "DER", octets_in=der), file)


def write(contents, file):
    file.write_bytes(contents)
    return file
