"""Certificates and CRLs of one instance, as many kinds as there are, and what it refuses.

A registration authority whose word counts for possession asks for names, keys and extensions that are
right, and for every mutation of them. What is refused is no trouble; whatever is signed must be
readable by others, which readers.py asks them.
"""

import base64
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import Instance, run  # noqa: E402
from requester import (IR, Requester, Signer, bits, common_name, elements, explicit,  # noqa: E402
                       inside_of, integer, oid, openssl, seq, tlv)

MOST = 200  # requests in one message

PROFILES = """
[[profile]]
name = "all"
keys = ["ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048-4096", "ed25519", "ed448", "x25519", "x448"]
san = ["dns", "ip", "email", "uri", "dirname"]
extensions = { subjectAltName = "copy", keyUsage = "copy", other = "copy" }
key_usage = ["digitalSignature", "keyAgreement", "keyEncipherment"]
extended_key_usage = ["clientAuth", "serverAuth", "1.2.3.4"]
max_requests = 1000
lint = "warn"
"""

KEYS = {
    "P-256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "P-521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ed25519": ["ED25519"], "ed448": ["ED448"], "x25519": ["X25519"], "x448": ["X448"],
}


def h(text):
    return bytes.fromhex(text)


def attribute(dotted, tag, value):
    return seq(oid(dotted), tlv(tag, value))


def name(*rdns):
    """Each RDN is a list of attributes in the order that they shall have."""
    return seq(*(tlv(0x31, *rdn) for rdn in rdns))


CN, SERIAL, C, O, DC, EMAIL = ("2.5.4.3", "2.5.4.5", "2.5.4.6", "2.5.4.10",
                               "0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1")
STRINGS = {"utf8": (0x0C, "dév".encode()), "printable": (0x13, b"dev 1"), "ia5": (0x16, b"dev@1"),
           "numeric": (0x12, b"12 3"), "teletex": (0x14, b"dev@1"),
           "bmp": (0x1E, "dév".encode("utf-16-be"))}


def good_names():
    yield "null", None
    for kind, (tag, value) in STRINGS.items():
        yield kind, name([attribute(CN, tag, value)])
        yield f"{kind} of 1.2.3.4", name([attribute("1.2.3.4", tag, value)])
    yield "usual", name([attribute(C, 0x13, b"DE")], [attribute(O, 12, b"Grid")],
                        [attribute(CN, 12, b"dev1")])
    yield "domain", name([attribute(DC, 0x16, b"example")], [attribute(EMAIL, 0x16, b"a@b.example")])
    yield "several", name(sorted([attribute(CN, 12, b"relay-20"), attribute(SERIAL, 0x13, b"F12")]))


def changed(value):
    """`value` with one octet less, more, or other."""
    for at in range(len(value)):
        for change in (1, 2, 0x20, 0x80, 0xFF):
            yield value[:at] + bytes([value[at] ^ change]) + value[at + 1:]
        yield value[:at] + value[at + 1:]
        yield value[:at] + b"\0" + value[at:]
    yield value + b"\0"


def name_mutants():
    for kind, (tag, value) in STRINGS.items():
        for mutant in changed(value):
            yield f"{kind} {mutant.hex()}", name([attribute(CN, tag, mutant)])
    for tag in (1, 2, 3, 4, 5, 6, 10, 12, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B,
                0x1C, 0x1E, 0x30, 0x31, 0x80, 0xA0):
        for value in (b"", b"\0", b"\1", b"a", b"dev1", b"260101000000Z", b"20260101000000Z",
                      b"\x02\x01\x01", b"\0\0\0a"):
            yield f"tag {tag:02x} {value.hex()}", name([attribute(CN, tag, value)])
            yield f"1.2.3.4 tag {tag:02x} {value.hex()}", name([attribute("1.2.3.4", tag, value)])
    for octet in range(256):
        for tag in (12, 0x12, 0x13, 0x14, 0x16):
            yield f"tag {tag:02x} octet {octet:02x}", name([attribute(O, tag, b"a%cb" % octet)])
    for code in ("0000", "d800", "dfff", "fffe", "ffff", "fdd0", "feff", "0041d800"):
        yield f"bmp {code}", name([attribute(CN, 0x1E, h(code))])
    one, two = attribute(CN, 12, b"relay-20"), attribute(SERIAL, 0x13, b"F12")
    for label, rdn in (("not in order", [one, two]), ("twice", [two, two]), ("none", [])):
        yield f"set {label}", name(rdn)
    for country in (b"D", b"DEU", b"de", b"12", b"", b"D*"):
        yield f"country {country}", name([attribute(C, 0x13, country)])
    for dotted in ("2.25.329800735698586629295641978511506172918", "1.2.268435455", "1.2.268435456",
                   "1.2.2147483648", "2.4294967295.1"):
        yield f"type {dotted}", name([attribute(dotted, 12, b"a")])


SAN = "2.5.29.17"
EXTENSIONS = [
    (SAN, seq(tlv(0x82, b"a"), tlv(0x87, h("c0000201"))).hex()),
    (SAN, seq(tlv(0x81, b"a@b.example"), tlv(0x82, b"*.a.example"), tlv(0x88, h("2a0304"))).hex()),
    (SAN, seq(tlv(0x86, b"https://u@a.example:80/b%41?c#d"), tlv(0x86, b"urn:x:1")).hex()),
    (SAN, seq(tlv(0x86, b"http://[2001:db8::1]/"), tlv(0x87, bytes(16))).hex()),
    (SAN, seq(tlv(0xA4, name([attribute(CN, 12, b"a")]))).hex()),
    ("2.5.29.18", seq(tlv(0x82, b"a.example")).hex()),
    ("2.5.29.18", seq(tlv(0xA0, oid("1.3.6.1.4.1.311.20.2.3"), explicit(0, tlv(12, b"a@b")))).hex()),
    ("2.5.29.15", "030205a0"), ("2.5.29.15", "03020780"),
    ("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.2"), oid("1.2.3.4")).hex()),
    ("2.5.29.19", "3000"),
    ("2.5.29.32", seq(seq(oid("1.2.3"), seq(
        seq(oid("1.3.6.1.5.5.7.2.1"), tlv(0x16, b"http://a/")),
        seq(oid("1.3.6.1.5.5.7.2.2"), seq(seq(tlv(12, b"Grid"), seq(integer(1))),
                                          tlv(12, b"text"))))), seq(oid("1.2.4"))).hex()),
    ("2.5.29.33", seq(seq(oid("1.2.3"), oid("1.2.4"))).hex()),
    ("2.5.29.36", "3006800100810101"), ("2.5.29.54", "020103"),
    ("2.5.29.31", seq(seq(explicit(0, explicit(0, tlv(0x86, b"http://a/b"))), h("81020640"),
                          explicit(2, tlv(0xA4, name([attribute(CN, 12, b"a")]))))).hex()),
    ("2.5.29.31", seq(seq(explicit(0, explicit(1, attribute(CN, 12, b"a"))))).hex()),
    ("2.5.29.46", seq(seq(explicit(0, explicit(0, tlv(0x86, b"http://a/b"))))).hex()),
    ("1.3.6.1.5.5.7.1.1", seq(seq(oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, b"http://a/"))).hex()),
    ("1.3.6.1.5.5.7.1.11", seq(seq(oid("1.3.6.1.5.5.7.48.5"), tlv(0x86, b"http://a/"))).hex()),
    ("2.5.29.9", seq(seq(oid("1.3.6.1.5.5.7.9.4"), tlv(0x31, tlv(0x13, b"DE")))).hex()),
    ("2.5.29.16", seq(tlv(0x80, b"20260101000000Z"), tlv(0x81, b"20270101000000Z")).hex()),
    ("1.3.6.1.5.5.7.1.3", seq(seq(oid("0.4.0.1862.1.1"))).hex()),
    ("1.3.6.1.5.5.7.1.24", "3003020105"), ("1.3.6.1.5.5.7.48.1.5", "0500"),
    ("1.3.6.1.4.1.11129.2.4.3", "0500"), ("1.3.6.1.4.1.11129.2.4.2", "04020000"),
    ("1.3.6.1.4.1.311.20.2", "1e0400410042"),
    ("1.3.6.1.4.1.311.21.7", seq(oid("1.2.3"), integer(1), integer(2)).hex()),
    ("2.16.840.1.113730.1.1", "03020780"), ("2.16.840.1.113730.1.13", "16026869"),
    ("1.3.36.8.3.3", seq(seq(seq(seq(seq(seq(tlv(12, b"work"))))))).hex()),
    ("1.3.36.8.3.3", seq(tlv(0xA4, name([attribute(CN, 12, b"a")])), seq(seq(
        explicit(1, seq(oid("1.2.3"), tlv(0x16, b"http://a/"), tlv(12, b"who"))),
        seq(seq(seq(tlv(12, b"work")), seq(oid("1.2.3")), tlv(0x13, b"1"), tlv(4, b"a")))))).hex()),
    ("1.2.3.4.5", seq(tlv(1, b"\xff"), tlv(12, b"a"), tlv(0x31, integer(1), tlv(4))).hex()),
    ("1.2.3.4.6", "0c0161"), ("2.5.29.35", "3003800161"), ("2.5.29.14", "0401aa"),
    ("2.25.329800735698586629295641978511506172918", "0500"),
]


def extension(dotted, value, critical=None):
    flag = b"" if critical is None else tlv(1, b"\xff" if critical else b"\0")
    return seq(oid(dotted), flag, tlv(4, value))


def template(spki, subject=None, *extensions):
    return seq(explicit(5, subject) if subject else b"", tlv(0xA6, inside_of(spki)),
               explicit(9, *extensions) if extensions else b"")


def spki_mutants(keys):
    for kind, spki in keys.items():
        algorithm, key = elements(inside_of(spki))
        octets = key[1][1:]
        for parameters in (b"", h("0500"), h("0400"), oid("1.2.3"), h("3000")):
            yield (f"{kind} parameters {parameters.hex()}",
                   seq(seq(elements(algorithm[1])[0][2], parameters), bits(octets)))
        places = range(0, len(octets), max(1, len(octets) // 24))
        for at in places:
            mutant = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]
            yield f"{kind} octet {at}", seq(algorithm[2], bits(mutant))
        for mutant in (b"", octets[:-1], octets + b"\0", b"\0" * len(octets),
                       b"\1" + b"\0" * (len(octets) - 1), b"\xff" * len(octets), b"\0"):
            yield f"{kind} {mutant[:4].hex()}...", seq(algorithm[2], bits(mutant))
    rsa = elements(inside_of(keys["rsa"]))
    modulus = elements(inside_of(rsa[1][1][1:]))[0]
    number = int.from_bytes(modulus[1], "big")
    for label, n, e in (("e=1", number, 1), ("e=2", number, 2), ("e=3", number, 3),
                        ("e=-1", number, -1), ("e=2^31-1", number, 2**31 - 1),
                        ("e=2^32+1", number, 2**32 + 1), ("e=2^63+1", number, 2**63 + 1),
                        ("e=2^256+1", number, 2**256 + 1), ("n<0", -number, 65537),
                        ("n even", number - 1, 65537), ("3|n", 3 * (number // 3 | 1), 65537),
                        ("square", (2**1024 + 643)**2, 65537)):
        yield f"rsa {label}", seq(rsa[0][2], bits(seq(integer(n), integer(e))))


class Corpus:
    """What an instance in `place` makes of all this; `few` leaves most mutants away."""

    def __init__(self, place, few=False):
        self.place, self.few = Path(place), few
        self.instance = Instance(self.place / "ca")
        file = self.instance.directory / "cmpost.toml"
        self.defaults = file.read_text()
        self.prepare(file)
        self.wanted, self.refused, self.granted = [], {}, {}
        self.collect()
        self.ask()

    def prepare(self, file):
        settings = self.defaults.split("[[channel]]", 1)
        file.write_text(settings[0] + PROFILES + "[[channel]]" + settings[1])
        self.instance.set_in_channel("profiles", '["all"]')
        key, root_key = self.key("ra", KEYS["P-256"]), self.key("ra-root", KEYS["P-256"])
        root, request, ra = (self.place / f for f in ("ra-root.pem", "ra.csr", "ra.pem"))
        run("openssl", "req", "-x509", "-new", "-key", root_key, "-subj", "/CN=RA Root", "-days", "9",
            "-out", root, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        run("openssl", "req", "-new", "-key", key, "-subj", "/CN=RA", "-out", request)
        purpose = self.place / "purpose"
        purpose.write_text("extendedKeyUsage=1.3.6.1.5.5.7.3.28\nkeyUsage=critical,digitalSignature\n"
                           "subjectKeyIdentifier=hash\nbasicConstraints=critical,CA:FALSE\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", root, "-CAkey", root_key, "-days", "9",
            "-CAcreateserial", "-extfile", purpose, "-out", ra)
        self.instance.set_in_channel("roles", f'{{ ra = ["{root}"] }}')
        self.ra = Signer(ra, key, self.instance.ca)

    def key(self, label, options):
        file = self.place / f"{label}.key"
        run("openssl", "genpkey", "-algorithm", *options, "-out", file)
        return file

    def want(self, label, *parts, good=False):
        """`good`: must be granted."""
        self.wanted.append((label, template(*parts), good))

    def collect(self):
        keys = {kind: openssl("pkey", "-in", self.key(kind, options), "-pubout", "-outform", "DER")
                for kind, options in KEYS.items()}
        plain, subject = keys["P-256"], name([attribute(CN, 12, b"dev1")])
        step = 17 if self.few else 1
        for kind, spki in keys.items():
            self.want(f"key {kind}", spki, subject, good=True)
        alone = extension(SAN, seq(tlv(0x82, b"a.example")), True)
        for label, one in good_names():
            self.want(f"name {label}", plain, *([one] if one else [seq(), alone]), good=True)
        for label, one in list(name_mutants())[::step]:
            self.want(f"name {label}", plain, one)
            if not self.few:
                self.want(f"directoryName {label}", plain, subject,
                          extension(SAN, seq(explicit(4, one))))
        for label, spki in list(spki_mutants(keys))[::1 if not self.few else 5]:
            self.want(f"spki {label}", spki, subject)
        for dotted, value in EXTENSIONS:
            value = h(value)
            for critical in (None, True):
                self.want(f"{dotted} {critical} {value.hex()}", plain, subject,
                          extension(dotted, value, critical))
            mutants = list(changed(value)) if len(value) < 60 else list(changed(value))[::3]
            for mutant in mutants[::step]:
                self.want(f"{dotted} {mutant.hex()}", plain, subject, extension(dotted, mutant))
        for text in ("a.example", "a..example", ".a", "a.", "-a", "*", "*.a", "a*b", "a b", "a\0b", "",
                     "xn--a", "a_b", "1.2.3.4", "a" * 64, "a." * 127 + "a", "\x7f", "é"):
            octets = text.encode("latin-1")
            for tag in (0x81, 0x82, 0x86):
                self.want(f"SAN {tag:02x} {octets!r}", plain, subject,
                          extension(SAN, seq(tlv(tag, octets))))
        for uri in ("http:", "http://", "http:///a", "http://a:b/", "http://a:99999/", "http://[::1/",
                    "http://[g]/", "http://%41/", "http://a%zz", "a:%zz", "a:%4", "//a/b", "a", ":a",
                    "1a:b", "a:b c", "a:\\", "http://u\"@a/", "http://a./", "http://a../b",
                    "http://a/[", "http://a<b>/", "ldap:///cn=a", "http://a@b@c/", "http://[fe80::1%25a]/",
                    "http://a_b/", "http://a!b/", "http://a,b/", "http://a;b/", "mailto:a@b", "x:#a#b"):
            self.want(f"URI {uri}", plain, subject, extension(SAN, seq(tlv(0x86, uri.encode()))))

    def ask(self):
        self.instance.process = None
        names = []
        parts = [self.wanted[at:at + MOST] for at in range(0, len(self.wanted), MOST)]
        while parts:
            sent = []
            for part in parts:
                body = seq(*(seq(seq(integer(i), wanted), tlv(0x80))
                             for i, (_, wanted, _) in enumerate(part)))
                requester = Requester(self.instance, self.ra)
                stem = f"{len(names)}"
                names.append(stem)
                self.instance.put(f"{stem}.pki", requester.message(IR, body))
                sent.append((stem, part))
            self.instance.cmpost("run", check=False)  # refusals are in the exit code
            parts = [half for stem, part in sent for half in self.take(stem, part)]

    def take(self, stem, part):
        """Files what an answer says; where the whole message was refused, gives its halves."""
        answer = self.instance.answer(stem, 5).read_bytes()
        body = elements(inside_of(answer))[1]
        if body[0] & 0x1F != 1:
            if len(part) > 1:
                middle = len(part) // 2
                return [part[:middle], part[middle:]]
            self.refused[part[0][0]] = "error: " + repr(body[1][-120:])
            if part[0][2]:
                raise AssertionError(f"{part[0][0]} is refused: {self.refused[part[0][0]]}")
            return []
        responses = next(one for tag, one, _ in elements(inside_of(body[1])) if tag == 0x30)
        for (label, _, good), (_, response, _) in zip(part, elements(responses), strict=True):
            _, status, *pair = elements(response)
            if pair:
                self.granted[label] = elements(elements(pair[0][1])[0][1])[0][2]
                continue
            self.refused[label] = repr(status[1])
            if good:
                raise AssertionError(f"{label} is refused: {status[1]!r}")
        return []

    def crls(self):
        """CRLs with nothing in them, with every reason, and one after a certificate was released."""
        made = {}

        def issue(label):
            self.instance.cmpost("crl", "issue")
            made[label] = openssl("crl", "-in", self.newest_crl(), "-outform", "DER")

        issue("without entries")
        serials = [record["serial"] for record in self.instance.json("cert", "list")]
        reasons = ["unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
                   "cessationOfOperation", "certificateHold", "privilegeWithdrawn", "aACompromise"]
        for serial, reason in zip(serials, reasons):
            self.instance.cmpost("cert", "revoke", serial, "--reason", reason)
        issue("of every reason")
        self.instance.cmpost("cert", "unrevoke", serials[reasons.index("certificateHold")])
        issue("after a release")
        return made

    def newest_crl(self):
        return max(self.instance.directory.rglob("*.crl*"), key=lambda file: file.stat().st_mtime)


def write_bundle(file, certificates):
    """One a line: what it is, a tab, its DER in base64."""
    file.write_text("".join(f"{label!r}\t{base64.b64encode(der).decode()}\n"
                            for label, der in certificates.items()))
    return file
