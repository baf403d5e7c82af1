"""An RA and a CA that write mails to each other, by real servers."""

import re
import tempfile
import threading
import unittest
from pathlib import Path

from instance import eventually
from mail_servers import PASSWORD, MailServers
from mail_test import Mailbox
from ra_deciding_test import DecidingTest

UPSTREAM = """
[[channel]]
name      = "vault"
direction = "upstream"
kind      = "mail"
fetch     = "imaps://localhost:{imaps}/INBOX"
send      = "smtps://localhost:{smtps}"
login     = {{ user = "ee@test", password_file = "secrets/mail" }}
send_login = {{ }}
tls       = {{ ca = "{ca}" }}
from      = "ee@test"
to        = "ra@test"
poll      = "1s"
check_after = "1s"
trust     = ["trust/ca.pem"]
"""


class ByMail(DecidingTest):
    """The CA reads the mailbox ra@test, the RA ee@test."""

    senders = 'senders = ["ee@test"]'

    def prepare(self):
        super().prepare()
        place = tempfile.TemporaryDirectory(prefix="cmpost-mail-")
        self.addCleanup(place.cleanup)
        self.servers = MailServers(Path(place.name))
        self.addCleanup(self.servers.stop)
        self.servers.give_channel(
            self.vault, "imaps://localhost:{imaps}/INBOX", "smtps://localhost:{smtps}", "1s",
            trust=f'["{self.vendor.root}"]' if self.known_above else "[]",
            more=f'roles = {{ ra = ["trust/ra.pem"] }}\n{self.senders}')
        self.give_upstream()

    def give_upstream(self):
        password = self.instance.directory / "secrets/mail"
        password.touch(mode=0o600)
        password.write_text(PASSWORD + "\n")
        file = self.instance.directory / "cmpost.toml"
        parts = re.split(r"(?m)^(?=\[)", file.read_text())
        kept = "".join(part for part in parts if 'direction = "upstream"' not in part)
        file.write_text(kept + UPSTREAM.format(
            imaps=self.servers.dovecot.imaps, smtps=self.servers.postfix.smtps,
            ca=self.servers.pki / "ca.pem"))

    def mails_of(self, user, folder="INBOX"):
        box = Mailbox(self.servers, user)
        try:
            return box.mails(folder)
        finally:
            box.close()


class Reprotected(ByMail):
    def test_enrols_renews_and_revokes(self):
        old, key = self.enrol("one", *self.device("one"))
        self.assertEqual(["ip", "pkiconf"], self.bodies())
        self.check_noted("one")
        self.openssl_cmp("rr", "-oldcert", old, "-revreason", "1", *self.signed_by(old, key))
        self.check_noted("one", "revoked")
        (asked, *_) = self.mails_of("ra", "CMPost/Done")
        self.assertEqual("auto-generated", asked["Auto-Submitted"])
        self.assertEqual("ee@test", asked["Reply-To"].addresses[0].addr_spec)
        (answered, *_) = self.mails_of("ee", "CMPost/Done")
        self.assertEqual("auto-replied", answered["Auto-Submitted"])
        self.assertEqual(asked["Message-ID"], answered["In-Reply-To"])
        for one in (self.instance, self.vault):
            self.assertEqual(0, one.cmpost("check").returncode)
            self.assertEqual([], one.json("queue", "list", "--state", "held"))

    def test_a_ca_that_lets_people_decide_is_polled_by_mail(self):
        self.vault.stop()
        for key, value in {"approve": '"one"', "waiting": '"always"'}.items():
            self.vault.set_in("[[channel]]", key, value, 1)
        self.vault.serve()
        self.when_it_waits(self.vault, "approve")
        self.enrol_and_check("two", *self.device("two"))


class Forwarded(ByMail):
    mode, known_above = "forward", True

    def test_enrols(self):
        certificate, _ = self.enrol("one", *self.device("one"))
        self.verify(certificate)
        self.check_noted("one")


class NobodyNamed(ByMail):
    senders = ""

    def held(self):
        return self.vault.json("queue", "list", "--state", "held")

    def release_each(self, count):
        """What the mails of the RA say that are put aside; each is let in."""
        self.reasons = []
        for _ in range(count):
            (mail, *_) = eventually(self.held, "a mail that waits for an operator", 60)
            self.reasons.append(mail["reason"])
            self.vault.cmpost("queue", "release", mail["id"])

    def test_the_ca_says_why_it_does_not_hear_and_a_release_lets_it(self):
        operator = threading.Thread(target=self.release_each, args=[2])  # ir, certConf
        operator.start()
        self.addCleanup(operator.join)
        self.enrol_and_check("one", *self.device("one"))
        self.assertEqual(2, sum("`senders`" in reason for reason in self.reasons))


if __name__ == "__main__":
    unittest.main()
