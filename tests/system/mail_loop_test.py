"""Mails that come back: bounces of every form, programs that reply, two instances that write to each
other. At most one mail leaves for each request, ever."""

import email
import email.policy
import os
import re
import socketserver
import threading
import time
import unittest
from email.message import EmailMessage

from instance import Instance, InstanceTest, eventually, run

CHANNEL = """
[[channel]]
name = "mail"
kind = "mail"
fetch = "maildir:{box}"
send = "smtp://localhost:{port}"
login = {{ user = "pki", password_file = "secrets/mail", mechanism = "plain" }}
send_login = {{}}
tls = {{ required = false }}
from = "{address}"
poll = "1s"
profiles = ["device"]
"""


class Smtp(socketserver.ThreadingTCPServer):
    """Takes every mail, and tells of it."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, taken):
        self.mails = []

        class Dialogue(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self):
                sender = to = ""
                self.say("220 mx.example")
                for line in self.rfile:
                    verb = line.decode("latin-1").strip()
                    if verb.upper() == "QUIT":
                        return self.say("221 bye")
                    if verb.upper() == "DATA":
                        self.say("354 go on")
                        self.take(sender, to)
                        continue
                    if match := re.search("<(.*?)>", verb):
                        sender, to = (match[1], to) if verb.upper().startswith("MAIL") else (sender, match[1])
                    self.say("250 ok")
                return None

            def take(self, sender, to):
                data = b""
                for line in self.rfile:
                    if line == b".\r\n":
                        break
                    data += line[1:] if line.startswith(b"..") else line
                self.say("250 2.0.0 queued")
                self.server.mails.append((sender, to, data))
                taken(sender, to, data)

        super().__init__(("127.0.0.1", 0), Dialogue)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Maildir:
    def __init__(self, place):
        self.place, self.count = place, 0
        for part in ("new", "cur", "tmp"):
            os.makedirs(place / part)

    def deliver(self, data, return_path):
        self.count += 1
        hidden = self.place / f"tmp/{self.count}"
        hidden.write_bytes(f"Return-Path: <{return_path}>\r\n".encode() + data)
        hidden.rename(self.place / f"new/{self.count}")


def report(sender, to, data):
    """RFC 3464, with the whole mail."""
    return f"""Delivered-To: {sender}
From: Mail Delivery System <MAILER-DAEMON@mx.example>
To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=r

--r

no such user
--r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1

--r
Content-Type: message/rfc822

""".replace("\n", "\r\n").encode() + data + b"\r\n--r--\r\n"


def qmail(sender, to, data):
    return (f"Delivered-To: {sender}\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: {sender}\r\nSubject: failure notice\r\n"
            f"\r\nHi. This is the qmail-send program.\r\n<{to}>: no such user\r\n\r\n").encode() + data


def exchange(sender, to, data):
    """HTML, and the answer as an attachment like any other."""
    returned = EmailMessage()
    returned["From"], returned["To"] = "postmaster@mx.example", sender
    returned["Subject"] = "Undeliverable: CMP ip"
    returned["X-MS-Exchange-Message-Is-Ndr"] = "yes"
    returned.set_content(f"<p>{to} wasn't found</p>", subtype="html")
    attach(returned, message_in(data))
    return returned.as_bytes(policy=email.policy.SMTP)


def message_in(data):
    mail = email.message_from_bytes(data, policy=email.policy.default)
    return next(part.get_payload(decode=True) for part in mail.walk()
                if part.get_content_type() == "application/pkixcmp")


def attach(mail, message, name="dev1.pki"):
    mail.add_attachment(message, maintype="application", subtype="pkixcmp", filename=name)


def der(tag, *contents):
    contents = b"".join(contents)
    size = len(contents)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + contents


def elements(data):
    """The TLVs that stand one behind the other, each whole."""
    while data:
        head, size = 2, data[1]
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(data[2:head], "big")
        yield data[:head + size]
        data = data[head + size:]


def contents(element):
    return element[2 + (element[1] & 0x7F if element[1] & 0x80 else 0):]


STATUS = der(0x30, b"\x02\x01\x00")  # PKIStatusInfo: accepted
CERT_REP = der(0x30, der(0x30, der(0x30, b"\x02\x01\x00", STATUS)))  # no certificate
# RFC 9810 5.1.2: what is sent by a CA. Context tag, and the smallest contents.
RESPONSES = {
    "ip": der(0xA1, CERT_REP),
    "cp": der(0xA3, CERT_REP),
    "popdecc": der(0xA5, der(0x30, der(0x30, b"\x04\x01x", b"\x04\x01x"))),
    "kup": der(0xA8, CERT_REP),
    "krp": der(0xAA, der(0x30, STATUS)),
    "rp": der(0xAC, der(0x30, der(0x30, STATUS))),
    "ccp": der(0xAE, CERT_REP),
    "pkiconf": der(0xB3, b"\x05\x00"),
    "genp": der(0xB6, der(0x30)),
    "error": der(0xB7, der(0x30, STATUS)),
    "pollRep": der(0xBA, der(0x30, der(0x30, b"\x02\x01\x00", b"\x02\x01\x05"))),
}


def response_of(answer, body, transaction):
    """`answer` with another body, of another transaction where one is given."""
    header, _, *rest = elements(contents(answer))
    fields = [der(0xA4, der(0x04, transaction)) if field[0] == 0xA4 else field
              for field in elements(contents(header))]
    return der(0x30, der(0x30, *fields), body, *rest)


def transaction_of(message):
    header = next(elements(contents(message)))
    field = next(field for field in elements(contents(header)) if field[0] == 0xA4)
    return contents(contents(field))


class MailLoops(InstanceTest):
    serve = False

    def setUp(self):
        self.react = lambda *mail: None
        self.smtp = Smtp(lambda *mail: self.react(*mail))
        self.addCleanup(self.smtp.server_close)
        self.addCleanup(self.smtp.shutdown)
        super().setUp()

    def prepare(self):
        self.box = self.give_channel(self.instance, "pki@ca.example")

    def give_channel(self, instance, address):
        box = Maildir(self.workshop / address)
        password = instance.directory / "secrets/mail"
        password.touch(mode=0o600)
        password.write_text("secret\n")
        file = instance.directory / "cmpost.toml"
        head = file.read_text().split("[[channel]]")[0]
        file.write_text(head + CHANNEL.format(box=box.place, port=self.smtp.port, address=address))
        return box

    def mail(self, message, sender="dev1@site.example", reply_to=None):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, "pki@ca.example", "please"
        mail["Message-ID"] = f"<{time.monotonic_ns()}@site.example>"
        if reply_to:
            mail["In-Reply-To"] = reply_to
        mail.set_content("a request")
        attach(mail, message)
        return mail.as_bytes(policy=email.policy.SMTP)

    def settle(self, *boxes):
        """Until nothing new has come for a while."""
        boxes = boxes or (self.box,)
        eventually(lambda: not any(list((box.place / "new").iterdir()) for box in boxes), "an empty mailbox")
        time.sleep(3)  # longer than `poll`

    def held(self):
        return [job for job in self.instance.json("queue", "list", "--state", "held") if job["queue"] == "replies"]

    def test_each_form_of_bounce_ends_there_and_holds_the_answer(self):
        request = self.request("dev1").read_bytes()
        self.instance.serve()
        for number, form in enumerate((report, qmail, exchange), start=1):
            self.react = lambda sender, to, data, form=form: sender and self.box.deliver(form(sender, to, data), "")
            self.box.deliver(self.mail(request), "dev1@site.example")
            eventually(lambda n=number: len(self.smtp.mails) >= n, "the answer")
            self.settle()
            self.assertEqual(number, len(self.smtp.mails), form.__name__)
            self.assertEqual(number, len(self.held()), form.__name__)

    def test_who_replies_to_everything_with_everything_gets_one_answer(self):
        request = self.request("dev1").read_bytes()

        def reply(sender, to, data):
            answer = email.message_from_bytes(data, policy=email.policy.default)
            for marks in ({"Auto-Submitted": "auto-replied"}, {"Precedence": "bulk"}, {}):
                for message in (request, message_in(data)):
                    raw = self.mail(message, to, answer["Message-ID"])
                    marked = "".join(f"{name}: {value}\r\n" for name, value in marks.items()).encode() + raw
                    self.box.deliver(marked, to)
            forwarded = EmailMessage()
            forwarded["From"], forwarded["To"] = to, "pki@ca.example"
            forwarded.set_content("see below")
            forwarded.add_attachment(answer)
            self.box.deliver(forwarded.as_bytes(policy=email.policy.SMTP), to)

        self.react = reply
        self.instance.serve()
        self.box.deliver(self.mail(request), "dev1@site.example")
        eventually(lambda: self.smtp.mails, "the answer")
        self.settle()
        self.assertEqual(1, len(self.smtp.mails))

    def test_two_instances_that_write_to_each_other_come_to_rest(self):
        other = Instance(self.workshop / "other", self.workshop / "other.log")
        self.addCleanup(other.stop)
        other_box = self.give_channel(other, "pki@other.example")
        boxes = {"ca.example": self.box, "other.example": other_box}
        self.react = lambda sender, to, data: boxes[to.split("@")[1]].deliver(data, sender)
        requests = [self.request("dev1").read_bytes()]
        requests.append(requests[0][:-1] + bytes([requests[0][-1] ^ 1]))  # is refused
        self.instance.serve()
        other.serve()
        for request in requests:
            self.box.deliver(self.mail(request, "pki@other.example"), "pki@other.example")
        eventually(lambda: len(self.smtp.mails) >= len(requests), "the answers")
        self.settle(self.box, other_box)
        self.assertEqual(len(requests), len(self.smtp.mails))

    def unconfirmed(self, name):
        """An ir whose certificate waits for a certConf."""
        file = self.workshop / f"{name}.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey", self.key(name), "-subject", f"/CN={name}",
            "-recipient", "/CN=CA", *self.with_secret(), "-certout", self.workshop / "never",
            "-rspin", "/dev/null", "-reqout", file, check=False)
        return file.read_bytes()

    def wrappings(self, message):
        """Mails that carry `message`, in each way that requests come in."""
        yield self.mail(message)
        plain = EmailMessage()
        plain["From"], plain["To"], plain["Subject"] = "dev1@site.example", "pki@ca.example", "Re: CMP"
        plain["Message-ID"] = f"<{time.monotonic_ns()}.plain@site.example>"
        plain.set_content(message, maintype="application", subtype="octet-stream", filename="a.pki")
        yield plain.as_bytes(policy=email.policy.SMTP)
        forwarded = EmailMessage()
        forwarded["From"], forwarded["To"] = "dev1@site.example", "pki@ca.example"
        forwarded["Message-ID"] = f"<{time.monotonic_ns()}.forwarded@site.example>"
        forwarded.set_content("see below")
        forwarded.add_attachment(email.message_from_bytes(self.mail(message), policy=email.policy.default))
        yield forwarded.as_bytes(policy=email.policy.SMTP)
        yield report("pki@ca.example", "dev1@site.example", self.mail(message))

    def test_no_response_is_answered_whatever_its_body_its_transaction_and_its_wrapping(self):
        ended = self.request("dev1").read_bytes()
        unconfirmed = self.unconfirmed("dev2")
        self.instance.serve()
        for request in (ended, unconfirmed):
            self.box.deliver(self.mail(request), "dev1@site.example")
        eventually(lambda: len(self.smtp.mails) == 2, "the answers")
        answer = message_in(self.smtp.mails[0][2])
        transactions = [transaction_of(ended), transaction_of(unconfirmed), os.urandom(16)]
        given = 0
        for name, body in RESPONSES.items():
            for transaction in transactions:
                for mail in self.wrappings(response_of(answer, body, transaction)):
                    with self.subTest(body=name, transaction=transaction.hex()):
                        self.box.deliver(mail, "dev1@site.example")
                        given += 1
        self.settle()
        self.assertEqual(len(RESPONSES) * len(transactions) * 4, given)
        self.assertEqual(2, len(self.smtp.mails), [mail[:2] for mail in self.smtp.mails[2:]])
        self.assertEqual([], self.instance.json("queue", "list", "--state", "deferred"))


if __name__ == "__main__":
    unittest.main()
