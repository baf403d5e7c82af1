"""Makes the mails in this folder: odd and hostile ones, each with what must become of it.

    python3 tests/data/mail/make.py

writes NAME.eml and expected.tsv: the name, then either the number of PKIMessages or words of the
reason why the mail is put aside. Every PKIMessage is sample.der unless the third column says
"other". The test corpus_test.cpp reads the table.
"""

import base64
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Looks like DER from outside, has every octet in it, CR and LF and NUL too.
SAMPLE = b"\x30\x82\x01\x00" + bytes(range(256))
PEM = (
    b"-----BEGIN CMP MESSAGE-----\r\n"
    + b"\r\n".join(base64.encodebytes(SAMPLE).split(b"\n"))
    + b"-----END CMP MESSAGE-----\r\n"
)
BASE64 = base64.encodebytes(SAMPLE).replace(b"\n", b"\r\n")
QUOTED = b"".join(
    b"=%02X" % octet + (b"=\r\n" if number % 25 == 24 else b"")
    for number, octet in enumerate(SAMPLE)
)

HEADER = (
    b"From: Depot 7 <depot7@site.example>\r\n"
    b"To: pki@ca.example\r\n"
    b"Subject: enrolment\r\n"
    b"Message-ID: <1@site.example>\r\n"
    b"MIME-Version: 1.0\r\n"
)

expected = []


def mail(name, outcome, octets, note=""):
    (HERE / f"{name}.eml").write_bytes(octets)
    expected.append((name, str(outcome), note))


def part(body=BASE64, type="application/pkixcmp", encoding="base64", disposition=None, more=b""):
    """A part with its header, without a delimiter."""
    head = b""
    if type is not None:
        head += b"Content-Type: " + as_bytes(type) + b"\r\n"
    if encoding is not None:
        head += b"Content-Transfer-Encoding: " + as_bytes(encoding) + b"\r\n"
    if disposition is not None:
        head += b"Content-Disposition: " + as_bytes(disposition) + b"\r\n"
    return head + more + b"\r\n" + body


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


def text_part(text=b"Please enrol.\r\n"):
    return part(text, "text/plain; charset=utf-8", None)


def multipart(*parts, boundary="b1", kind="mixed", parameter=None, preamble=b"", end=b"--\r\n"):
    parameter = parameter if parameter is not None else f'boundary="{boundary}"'
    octets = f"Content-Type: multipart/{kind}; ".encode() + as_bytes(parameter) + b"\r\n\r\n" + preamble
    for each in parts:
        octets += b"--" + boundary.encode() + b"\r\n" + each + b"\r\n"
    return octets + (b"--" + boundary.encode() + end if end else b"")


def single(**arguments):
    return HEADER + part(**arguments)


def mixed(*parts, **arguments):
    return HEADER + multipart(*parts, **arguments)


def types():
    for number, type in enumerate(
        ("application/pkixcmp", "application/x-pkixcmp", "application/pkixcmp-poll",
         "application/x-pkixcmp-poll", "Application/PKIXCMP", "APPLICATION/pkixcmp;charset=x")
    ):
        mail(f"type-{number}", 1, single(type=type))
    for suffix in ("pki", "der", "cmp", "PKI"):
        mail(f"octet-stream-{suffix}", 1,
             mixed(text_part(), part(type=f'application/octet-stream; name="a.{suffix}"')))
    mail("octet-stream-binary", 1, single(type="binary/octet-stream; name=a.pki"))
    mail("octet-stream-disposition", 1,
         single(type="application/octet-stream", disposition='attachment; filename="a.pki"'))
    mail("octet-stream-without-name", 0, single(type="application/octet-stream"))
    mail("octet-stream-other-name", 0, single(type="application/octet-stream; name=a.pdf"))
    mail("octet-stream-pki-inside-name", 0, single(type="application/octet-stream; name=a.pki.exe"))
    mail("octet-stream-disposition-wins", 0,
         single(type="application/octet-stream; name=a.pki", disposition="attachment; filename=a.pdf"))
    mail("certificate-with-der-name", 0, single(type="application/pkix-cert; name=a.der"))
    mail("text-with-pki-name", 0, single(type="text/plain; name=a.pki"))
    mail("no-type-is-text", 0, single(type=None, encoding=None, body=b"hello\r\n"))
    mail("only-header-and-empty-line", 0, HEADER + b"\r\n")
    mail("type-with-blank-before-semicolon", 1, single(type="application/pkixcmp ; name=x"))
    mail("type-with-comment", 1, single(type="application/pkixcmp (CMP (nested) \\) yes); name=x"))
    mail("type-with-leading-comment", "differently", single(type="(x) application/pkixcmp"))
    mail("type-folded", 1, single(type="application/pkixcmp;\r\n\tname=\"a.pki\""))
    mail("type-with-empty-parameters", 1, single(type="application/pkixcmp;; name=a;"))
    mail("type-without-subtype", "no subtype", single(type="application"))
    mail("type-with-empty-subtype", "no subtype", single(type="application/"))
    mail("type-of-nothing", "start with a word", single(type=""))
    mail("type-with-open-comment", "comment without its end", single(type="application/pkixcmp (x"))
    mail("type-with-open-quote", "quoted string without its end",
         single(type='application/pkixcmp; name="x'))
    mail("type-with-two-names", "parameter twice",
         single(type="application/octet-stream; name=a.pki; name=a.txt"))
    mail("type-with-the-same-name-twice", 1,
         single(type="application/octet-stream; name=a.pki; name=a.pki"))
    mail("type-with-unquoted-blank", "no parameter",
         single(type="application/octet-stream; name=my file.pki"))
    mail("type-with-parameter-without-value", "without a value", single(type="application/pkixcmp; name"))


def names():
    def octet_stream(name, outcome, disposition):
        mail(f"name-{name}", outcome,
             mixed(part(type="application/octet-stream", disposition="attachment; " + disposition)))

    octet_stream("quoted-semicolon", 1, 'filename="a;b.pki"')
    octet_stream("quoted-quote", 1, 'filename="a\\"b.pki"')
    octet_stream("extended", 1, "filename*=UTF-8''ger%C3%A4t.pki")
    octet_stream("extended-language", 1, "filename*=iso-8859-1'de'ger%E4t.pki")
    octet_stream("extended-wins", 1, "filename=a.txt; filename*=utf-8''a.pki")
    octet_stream("continued", 1, "filename*0=\"a-long-\"; filename*1=\"name.pki\"")
    octet_stream("continued-any-order", 1, 'filename*1="b.pki"; filename*0="a"')
    octet_stream("continued-and-encoded", 1,
                 "filename*0*=UTF-8''%C3%A4-; filename*1*=%C3%B6; filename*2=.pki")
    octet_stream("continued-with-a-gap", "piece missing", 'filename*0="a"; filename*2="b.pki"')
    octet_stream("continued-twice", "parameter twice", 'filename*0="a"; filename*0="b.pki"')
    octet_stream("continued-odd-number", "odd name", 'filename*01="a.pki"')
    octet_stream("continued-huge-number", "odd name", 'filename*99999999999999999999="a.pki"')
    octet_stream("extended-without-charset", "without a character set", "filename*=a.pki")
    octet_stream("extended-badly", "wrongly encoded", "filename*=utf-8''a%GG.pki")
    octet_stream("extended-unknown-charset", 1, "filename*=klingon''%E4.pki")
    octet_stream("encoded-word", 1, 'filename="=?UTF-8?B?Z2Vyw6R0LnBraQ==?="')
    octet_stream("encoded-word-q", 1, 'filename="=?iso-8859-1?Q?ger=E4t?= =?us-ascii?q?=2Epki?="')
    octet_stream("directories", 1, 'filename="..\\\\..\\\\etc/passwd/a.pki"')
    octet_stream("blank-in-quotes", 1, 'filename=" a.pki "')
    octet_stream("nul", 0, "filename*=utf-8''a.pki%00.txt")
    octet_stream("only-a-suffix", 1, 'filename=".pki"')


def encodings():
    mail("encoding-base64-upper", 1, single(encoding="BASE64"))
    mail("encoding-comment", 1, single(encoding="base64 (strict)"))
    mail("encoding-quoted-printable", 1, mixed(part(QUOTED, encoding="quoted-printable")))
    mail("encoding-quoted-printable-single", 1, single(body=QUOTED, encoding="quoted-printable"))
    mail("encoding-8bit", 1, mixed(part(SAMPLE, encoding="8bit")))
    mail("encoding-binary", 1, mixed(part(SAMPLE, encoding="binary")))
    mail("encoding-binary-single", 1, single(body=SAMPLE, encoding="binary"))
    mail("encoding-binary-single-line-end", 1, single(body=SAMPLE + b"\r\n", encoding="binary"))
    mail("encoding-absent-binary", 1, mixed(part(SAMPLE, encoding=None)))
    mail("encoding-absent-base64", 1, mixed(part(encoding=None)))
    mail("encoding-7bit-base64", 1, mixed(part(encoding="7bit")))
    mail("encoding-7bit-pem", 1, mixed(part(PEM, encoding="7bit")), "other")
    mail("encoding-7bit-text", 1, mixed(part(b"no message at all", encoding="7bit")), "other")
    mail("encoding-unknown", "unknown Content-Transfer-Encoding", single(encoding="x-uuencode"))
    mail("encoding-unknown-elsewhere", 1,
         mixed(part(b"text", "text/plain", "x-uuencode"), part()))
    mail("encoding-twice", "twice", single(more=b"Content-Transfer-Encoding: 7bit\r\n"))
    body = base64.b64encode(SAMPLE)
    mail("base64-one-line", 1, single(body=body + b"\r\n"))
    mail("base64-blanks", 1, single(body=b" \t".join(body[i:i + 60] for i in range(0, len(body), 60))))
    mail("base64-bar", "damaged", single(body=body[:40] + b"|" + body[40:]))
    mail("base64-exclamation", "damaged", single(body=body[:40] + b"!" + body[41:]))
    mail("base64-8bit", "damaged", single(body=body[:40] + b"\xe4" + body[41:]))
    mail("base64-without-padding", "damaged", single(body=body.rstrip(b"=")))
    mail("base64-cut", "damaged", single(body=body[:-7]))
    mail("base64-padding-inside", "damaged", single(body=body[:40] + b"====" + body[40:]))
    mail("base64-only-padding", "damaged", single(body=b"====\r\n"))
    mail("base64-after-the-end", "damaged", single(body=body + b"\r\nAAAA\r\n"))
    mail("base64-not-canonical", "damaged", single(body=b"MAF=\r\n"))
    mail("base64-footer", "damaged", single(body=body + b"\r\n-- \r\nmailing list footer\r\n"))
    mail("base64-url-alphabet", "damaged", single(body=body.replace(b"+", b"-").replace(b"/", b"_")))
    mail("base64-empty", "empty", single(body=b""))
    mail("base64-blank-lines-only", "empty", single(body=b"\r\n\r\n"))
    mail("quoted-printable-bad-digits", "damaged", single(body=b"0=ZZ", encoding="quoted-printable"))
    mail("quoted-printable-one-digit", "damaged", single(body=b"0=3", encoding="quoted-printable"))
    mail("quoted-printable-8bit", "damaged", single(body=b"0\xe4", encoding="quoted-printable"))


def headers():
    def top(name, outcome, lines):
        mail(f"header-{name}", outcome, lines + b"\r\n" + b"hello\r\n")

    mail("header-empty-mail", "is empty", b"")
    mail("header-missing", "empty line", b"\r\nhello\r\n")
    mail("header-without-end", "no end", HEADER.rstrip(b"\r\n"))
    mail("header-without-empty-line", "no end", HEADER)
    top("8bit-name", "illegal name", HEADER + "Fröm: x\r\n".encode())
    top("blank-before-colon", "illegal name", HEADER + b"Content-Type : application/pkixcmp\r\n")
    top("no-name", "illegal name", HEADER + b": x\r\n")
    top("no-colon", "no colon", HEADER + b"this is no field\r\n")
    top("nul", "NUL", HEADER + b"X: a\0b\r\n")
    top("nul-in-name", "NUL", HEADER + b"X\0: a\r\n")
    top("cr", "CR without LF", HEADER + b"X: a\rContent-Type: application/pkixcmp\r\n")
    top("double-cr", "CR without LF", HEADER + b"X: a\r\r\n")
    top("starts-folded", "continued line", b" folded\r\n" + HEADER)
    top("blanks-only-line", "blanks only", HEADER + b" \r\nX: y\r\n")
    top("8bit-value", 0, HEADER + "X: grüße\r\n".encode())
    top("empty-value", 0, HEADER + b"X:\r\n")
    top("double-type", "twice", HEADER + b"Content-Type: text/plain\r\ncontent-type: text/html\r\n")
    top("double-subject", 0, HEADER + b"Subject: another\r\n")
    top("too-many-fields", "more than 200 fields", HEADER + b"X: y\r\n" * 200)
    top("line-too-long", "longer than 8192", HEADER + b"X: " + b"y" * 8200 + b"\r\n")
    top("mbox-in-the-middle", "no colon", HEADER + b"From nobody Mon Jan 1 2026\r\n")
    mail("header-mbox-line", 1, b"From depot7@site.example Fri Nov 21 07:00:00 2026\r\n" + single())
    mail("header-mbox-line-only", "is empty", b"From depot7@site.example")
    mail("header-lf", 1, mixed(text_part(), part()).replace(b"\r\n", b"\n"))
    mail("header-mixed-line-ends", 1, HEADER.replace(b"\r\n", b"\n") + multipart(text_part(), part()))
    top("odd-addresses", 0, b"To: x:\r\nCc: x:\r\nReply-To: :\r\nFrom: good@corp@evil\r\nDate: 1 Foo\r\n")


def multiparts():
    mail("multipart", 1, mixed(text_part(), part()))
    mail("multipart-two-messages", 2, mixed(text_part(), part(), part()))
    mail("multipart-no-message", 0, mixed(text_part(), text_part()))
    mail("multipart-preamble", 1, mixed(text_part(), part(), preamble=b"This is MIME.\r\n\r\n"))
    mail("multipart-epilogue", 1, mixed(text_part(), part()) + b"Nobody sees this.\r\n")
    mail("multipart-without-last-line-end", 1, mixed(text_part(), part(), end=b"--"))
    mail("multipart-blanks-after-boundary", 1, mixed(text_part(), part(), end=b"-- \t\r\n"))
    mail("multipart-unquoted-boundary", 1,
         mixed(text_part(), part(), boundary="----=_Part_1", parameter="boundary=----=_Part_1"))
    mail("multipart-header-less-part", 1, mixed(b"\r\ntext", part()))
    mail("multipart-no-boundary", "no boundary", mixed(part(), parameter="x=y"))
    mail("multipart-empty-boundary", "no boundary", mixed(part(), parameter='boundary=""', boundary=""))
    mail("multipart-boundary-71", "no boundary", mixed(part(), boundary="b" * 71))
    mail("multipart-boundary-70", 1, mixed(part(), boundary="b" * 70))
    mail("multipart-boundary-illegal", "no boundary", mixed(part(), boundary="a;b"))
    mail("multipart-boundary-blank-end", "no boundary", mixed(part(), boundary="a "))
    mail("multipart-boundary-in-pieces", "in pieces",
         mixed(part(), boundary="ab", parameter="boundary*0=a; boundary*1=b"))
    mail("multipart-boundary-twice", "parameter twice",
         mixed(part(), boundary="a", parameter="boundary=a; boundary=b"))
    mail("multipart-boundary-8bit", "no boundary", mixed(part(), parameter='boundary="ä"'.encode()))
    mail("multipart-not-closed", "no closing boundary", mixed(text_part(), part(), end=b""))
    mail("multipart-closed-at-once", "no parts", mixed())
    mail("multipart-no-part-at-all", "no closing boundary", HEADER
         + b"Content-Type: multipart/mixed; boundary=b\r\n\r\nhello\r\n")
    mail("multipart-inner-not-closed", "not closed before",
         mixed(multipart(text_part(), boundary="b2", end=b""), part()))
    mail("multipart-inner", 1, mixed(multipart(text_part(), text_part(), boundary="b2", kind="alternative"), part()))
    mail("multipart-inner-boundary-is-prefix", 1,
         mixed(multipart(text_part(), boundary="b"), part(), boundary="b1"))
    mail("multipart-outer-boundary-is-prefix", 1,
         mixed(multipart(text_part(), boundary="b12"), part(), boundary="b1"))
    mail("multipart-same-boundary", "boundary of the one around",
         mixed(multipart(text_part(), boundary="b1"), part()))
    mail("multipart-boundary-like-line", "starts like a boundary",
         mixed(text_part(b"--b1x\r\n"), part()))
    mail("multipart-boundary-junk-after-closing", "starts like a boundary",
         mixed(text_part(), part(), end=b"--junk\r\n"))
    mail("multipart-boundary-mid-line", 1, mixed(text_part(b"see --b1 here\r\n"), part()))
    mail("multipart-boundary-behind-cr", "CR without LF",
         mixed(text_part(b"x\r--b1\rContent-Type: application/pkixcmp\r\r30\r\n"), part()))
    mail("multipart-boundary-in-header", "ends within its header",
         mixed(b"Content-Type: text/plain", part()))
    mail("multipart-parts-after-the-end", 1, mixed(part()) + b"--b1\r\n" + part() + b"--b1--\r\n")
    mail("multipart-encoded", "is encoded", HEADER + b"Content-Transfer-Encoding: base64\r\n" + multipart(part()))
    mail("multipart-8bit", 1, HEADER + b"Content-Transfer-Encoding: 8bit\r\n" + multipart(part()))
    mail("multipart-digest-default", "digest", mixed(b"\r\n" + HEADER + b"\r\nx", kind="digest"))
    mail("multipart-boundary-comment", "differently",
         mixed(part(), parameter='(x;boundary=other) boundary="b1"'))

    def nested(levels):
        octets = part()
        for level in range(levels):
            octets = multipart(octets, boundary=f"level-{level}-")
        return HEADER + octets

    mail("multipart-depth-8", 1, nested(8))
    mail("multipart-depth-9", "inside one another", nested(9))
    mail("multipart-depth-100", "inside one another", nested(100))
    mail("multipart-parts-64", 0, mixed(*[b"\r\nx"] * 63))
    mail("multipart-parts-65", "more than 64 parts", mixed(*[b"\r\nx"] * 64))
    mail("multipart-messages-16", 16, mixed(*[part()] * 16))
    mail("multipart-messages-17", "more than 16 PKIMessages", mixed(*[part()] * 17))


def forwarded():
    inner = HEADER + multipart(text_part(), part(), boundary="inner")

    def message(octets, encoding=None):
        return part(octets, "message/rfc822", encoding, "attachment; filename=forwarded.eml")

    mail("forwarded", 1, mixed(text_part(), message(inner)))
    mail("forwarded-8bit", 1, mixed(text_part(), message(inner, "8bit")))
    mail("forwarded-single", 1, mixed(text_part(), message(single())))
    mail("forwarded-twice", 1,
         mixed(message(HEADER + multipart(message(inner), boundary="middle"))))
    mail("forwarded-at-the-top", 1, HEADER + message(inner))
    mail("forwarded-base64", "is encoded",
         mixed(message(base64.encodebytes(inner).replace(b"\n", b"\r\n"), "base64")))
    mail("forwarded-quoted-printable", "is encoded", mixed(message(inner, "quoted-printable")))
    mail("forwarded-without-header", "empty line", mixed(message(b"\r\nhello")))
    mail("forwarded-header-only", 0, mixed(message(HEADER + b"\r\n")))
    deep = HEADER + b"\r\nhello"
    for _ in range(9):
        deep = HEADER + message(deep)
    mail("forwarded-too-deep", "inside one another", deep)
    mail("forwarded-type-with-comment", "differently",
         mixed(part(inner, "message/rfc822 (forwarded)", None)))
    mail("forwarded-partial", 0, mixed(part(inner, "message/partial; id=x; number=1", None)))


def wrapped():
    mail("tnef-type", "TNEF", mixed(text_part(), part(type="application/ms-tnef; name=winmail.dat")))
    mail("tnef-name", "TNEF",
         mixed(text_part(), part(type="application/octet-stream; name=WinMail.DAT")))
    mail("tnef-other-type", "TNEF", mixed(text_part(), part(type="application/vnd.ms-tnef")))
    mail("smime-enveloped", 0,
         single(type="application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"))
    mail("smime-signed", 0, single(type="application/x-pkcs7-mime; smime-type=signed-data"))
    signature = part(type="application/pkcs7-signature; name=smime.p7s")
    mail("smime-clear-signed", 1,
         mixed(part(), signature, kind='signed; protocol="application/pkcs7-signature"'))


def by_python():
    """Another maker: Python's email package."""
    for name, encoder_policy in (("crlf", policy.SMTP), ("lf", policy.default)):
        message = EmailMessage(policy=encoder_policy)
        message["From"] = "Jürgen Groß <depot7@site.example>"
        message["To"] = "pki@ca.example"
        message["Subject"] = "Anträge für Gerät 7 " + "und noch mehr " * 10
        message["Message-ID"] = "<1@site.example>"
        message.set_content("Grüße\n")
        message.add_alternative("<p>Grüße</p>", subtype="html")
        message.add_attachment(SAMPLE, maintype="application", subtype="pkixcmp", filename="a.pki")
        message.add_attachment(SAMPLE, maintype="application", subtype="octet-stream",
                               filename="Gerät mit einem recht langen Namen " * 3 + ".pki")
        for number, each in enumerate(message.walk()):
            if each.is_multipart():
                each.set_boundary(f"=_python_{number}")
        mail(f"python-{name}", 2, message.as_bytes())
    legacy = MIMEMultipart(boundary="=_legacy")
    legacy["From"], legacy["To"], legacy["Subject"] = "depot7@site.example", "pki@ca.example", "old"
    legacy.attach(MIMEText("hello"))
    attachment = MIMEApplication(SAMPLE, "pkixcmp")
    attachment.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "gerät.pki"))
    legacy.attach(attachment)
    mail("python-legacy", 1, legacy.as_bytes())
    outer = MIMEMultipart(boundary="=_outer")
    outer["From"], outer["To"], outer["Subject"] = "a@b.example", "pki@ca.example", "Fwd: old"
    outer.attach(MIMEMessage(message_from_bytes(legacy.as_bytes())))
    mail("python-forwarded", 1, outer.as_bytes())


def main():
    for old in HERE.glob("*.eml"):
        old.unlink()
    (HERE / "sample.der").write_bytes(SAMPLE)
    for group in (types, names, encodings, headers, multiparts, forwarded, wrapped, by_python):
        group()
    lines = ["\t".join(row).rstrip() + "\n" for row in expected]
    (HERE / "expected.tsv").write_text("".join(lines))
    print(f"{len(expected)} mails")


main()
