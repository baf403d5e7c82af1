"""Enrolment by mail: stock client, stock mail program, real mail servers."""

import email
import email.policy
import email.utils
import imaplib
import smtplib
import ssl
import tempfile
import time
import unittest
from email.message import EmailMessage
from pathlib import Path

from instance import InstanceTest, eventually, run
from mail_servers import FETCH, PASSWORD, MailServers


class Certificates:
    """A CA for mail certificates, in a directory."""

    def __init__(self, directory):
        self.directory = directory
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", "/CN=mail CA", "-keyout", directory / "mail-ca.key",
            "-out", directory / "mail-ca.pem")

    def issue(self, name, address, algorithm):
        """NAME.mail.pem and NAME.mail.key."""
        key, csr, ext = (self.directory / f"{name}.mail.{end}" for end in ("key", "csr", "ext"))
        run("openssl", "req", "-newkey", *algorithm.split(), "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", csr)
        key.chmod(0o600)
        ext.write_text(f"subjectAltName=email:{address}\n")
        run("openssl", "x509", "-req", "-in", csr, "-CA", self.directory / "mail-ca.pem", "-days", "200",
            "-CAkey", self.directory / "mail-ca.key", "-CAcreateserial", "-extfile", ext,
            "-out", self.directory / f"{name}.mail.pem")


class Mailbox:
    """Mails of one user, read the way a site would."""

    def __init__(self, servers, user):
        context = ssl.create_default_context(cafile=servers.pki / "ca.pem")
        self.imap = imaplib.IMAP4_SSL("localhost", servers.dovecot.imaps, ssl_context=context)
        self.imap.login(f"{user}@test", PASSWORD)

    def count(self, folder="INBOX"):
        status, found = self.imap.select(f'"{folder}"', readonly=True)
        return int(found[0]) if status == "OK" else 0

    def mails(self, folder="INBOX"):
        if not self.count(folder):
            return []
        _, numbers = self.imap.search(None, "ALL")
        fetched = [self.imap.fetch(number, "(RFC822)")[1][0][1] for number in numbers[0].split()]
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in fetched]

    def close(self):
        self.imap.logout()


class MailTest(InstanceTest):
    serve = False
    fetch, send, poll, more = FETCH["imap"], "smtps://localhost:{smtps}", "30s", ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = tempfile.TemporaryDirectory(prefix="cmpost-mail-")
        cls.addClassCleanup(cls.place.cleanup)

    def setUp(self):
        directory = Path(tempfile.mkdtemp(prefix="servers-", dir=self.place.name))
        Path(self.place.name).chmod(0o755)
        self.servers = MailServers(directory)
        self.addCleanup(self.servers.stop)
        super().setUp()
        self.site = Mailbox(self.servers, "ee")
        self.addCleanup(self.site.close)

    def prepare(self):
        self.configure(self.more)

    def configure(self, more):
        self.servers.give_channel(self.instance, self.fetch, self.send, self.poll, more=more)

    def send_by_mail_program(self, *files, subject="please certify", sender="ee@test"):
        attachments = [word for file in files for word in ("-a", file)]
        # Headers like this are what a person's mail program makes.
        run("s-nail", "-:/", "-S", "v15-compat", "-S", f"mta=smtp://127.0.0.1:{self.servers.postfix.smtp}",
            "-S", "smtp-auth=none", "-S", "smtp-config=-all", "-r", sender, "-s", subject,
            *attachments, "ra@test", text_in="Dear CA, here is our request.\n")

    def answer_mails(self, count, timeout=20):
        eventually(lambda: self.site.count() >= count, f"{count} answers by mail", timeout)
        return self.site.mails()

    def attachment(self, mail):
        parts = [part for part in mail.walk() if part.get_content_type() == "application/pkixcmp"]
        self.assertEqual(1, len(parts))
        return parts[0]

    def accept(self, name, mail):
        file = self.workshop / f"{name}.answer.pki"
        file.write_bytes(self.attachment(mail).get_payload(decode=True))
        self.accept_file(name, file)

    def enrol_by_mail(self):
        request = self.request("dev1")
        self.instance.serve()
        self.send_by_mail_program(request)
        (mail,) = self.answer_mails(1)
        self.accept("dev1", mail)
        return mail


class ByImap(MailTest):
    def test_a_site_enrols_with_its_mail_program(self):
        mail = self.enrol_by_mail()
        self.assertEqual("ra@test", email.utils.parseaddr(mail["From"])[1])
        self.assertTrue(mail["In-Reply-To"])
        self.assertEqual("auto-replied", mail["Auto-Submitted"])
        self.assertTrue(self.attachment(mail).get_filename().startswith("dev1"))
        mailbox = Mailbox(self.servers, "ra")
        self.addCleanup(mailbox.close)
        self.assertEqual(0, mailbox.count())
        self.assertEqual(1, mailbox.count("CMPost/Done"))

    def test_idle_fetches_at_once(self):
        request = self.request("dev1")
        self.instance.serve()
        eventually(lambda: "Logged in" in self.log_of_dovecot() or "Login" in self.log_of_dovecot(),
                   "CMPost's login")
        time.sleep(0.5)  # until it idles
        before = time.monotonic()
        self.send_by_mail_program(request)
        eventually(lambda: self.instance.json("queue", "list", "--channel", "depots"), "the job")
        # A mail program, Postfix and a job listing too, on a machine with other work; polling would
        # take a minute. That IDLE itself takes less than a second is tested in tests/mail.
        self.assertLess(time.monotonic() - before, 20)
        self.answer_mails(1)

    def log_of_dovecot(self):
        file = self.servers.dovecot.directory / "dovecot.log"
        return file.read_text() if file.exists() else ""

    def test_three_requests_in_one_mail_get_three_answers(self):
        names = ["dev1", "dev2", "dev3"]
        files = [self.request(name) for name in names]
        self.instance.serve()
        self.send_by_mail_program(*files)
        mails = self.answer_mails(3)
        by_name = {self.attachment(mail).get_filename().split(".")[0]: mail for mail in mails}
        for name in names:
            self.accept(name, by_name[name])

    def test_a_run_takes_in_answers_and_ends(self):
        self.send_by_mail_program(self.request("dev1"))
        ra = Mailbox(self.servers, "ra")
        self.addCleanup(ra.close)
        eventually(lambda: ra.count() == 1, "the mail's delivery")
        self.assertIn("taken in 1, answered 1", self.instance.cmpost("run").stdout)
        (mail,) = self.answer_mails(1)
        self.accept("dev1", mail)

    def test_foreign_mail_stays_where_it_is(self):
        self.instance.serve()
        self.send_by_mail_program(subject="lunch?")
        self.send_by_mail_program(self.request("dev1"))
        self.answer_mails(1)
        ra = Mailbox(self.servers, "ra")
        self.addCleanup(ra.close)
        self.assertEqual(["lunch?"], [mail["Subject"] for mail in ra.mails()])

    def test_quarantined_mail_is_listed_and_can_be_released(self):
        self.configure('senders = ["*@elsewhere"]')
        self.instance.serve()
        self.send_by_mail_program(self.request("dev1"))
        (job,) = eventually(lambda: self.instance.json("queue", "list", "--state", "held"), "the job")
        self.assertIn("ee@test", job["reason"])
        self.instance.cmpost("queue", "release", job["id"])
        (mail,) = self.answer_mails(1)
        self.accept("dev1", mail)
        self.send_by_mail_program(self.request("dev2"))
        (job,) = eventually(lambda: self.instance.json("queue", "list", "--state", "held"), "the job")
        self.instance.cmpost("queue", "retry", job["id"])
        self.accept("dev2", self.answer_mails(2)[1])
        self.assertFalse(self.instance.json("queue", "list", "--state", "held"))
        ra = Mailbox(self.servers, "ra")
        self.addCleanup(ra.close)
        self.assertEqual(2, ra.count("CMPost/Quarantine"))

    def test_an_answer_that_comes_back_is_held_again(self):
        self.instance.serve()
        self.send_by_mail_program(self.request("dev1"), sender="gone@test")
        (job,) = eventually(
            lambda: self.instance.json("queue", "list", "--queue", "replies", "--state", "held"),
            "the bounce")
        self.assertIn("came back", job["reason"])
        self.assertIn("5.1.1", job["reason"])

    def test_check_connect_and_channel_test(self):
        self.assertIn("depots: logged in", self.instance.cmpost("check", "--connect").stdout)
        self.assertIn("came back", self.instance.cmpost("channel", "test", "depots").stdout)
        (self.instance.directory / "secrets/mail").write_text("wrong\n")
        done = self.instance.cmpost("check", "--connect", check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("depots", done.stderr)


class WithSmime(MailTest):
    """Signed and encrypted by stock OpenSSL in both directions."""

    def prepare(self):
        certificates = Certificates(self.workshop)
        certificates.issue("ra", "ra@test", "rsa:2048")
        certificates.issue("ee", "ee@test", "ec -pkeyopt ec_paramgen_curve:P-256")
        self.configure(f"""
[channel.smime]
certificate = "{self.workshop}/ra.mail.pem"
key = "{self.workshop}/ra.mail.key"
trust = ["{self.workshop}/mail-ca.pem"]
require = "both"
sign_answers = true
""")

    def wrapped(self, request, encrypt=True):
        """The mail that a site's program makes of a request file."""
        part = EmailMessage()
        part.set_content(request.read_bytes(), maintype="application", subtype="pkixcmp",
                         filename=request.name)
        del part["MIME-Version"]
        part_file, signed = self.workshop / "part", self.workshop / "signed"
        part_file.write_bytes(part.as_bytes(policy=email.policy.SMTP))
        run("openssl", "cms", "-sign", "-in", part_file, "-out", signed, "-md", "sha256",
            "-signer", self.workshop / "ee.mail.pem", "-inkey", self.workshop / "ee.mail.key")
        if encrypt:
            run("openssl", "cms", "-encrypt", "-aes-256-gcm", "-in", signed,
                "-out", self.workshop / "wrapped", self.workshop / "ra.mail.pem")
            signed = self.workshop / "wrapped"
        head = f"From: ee@test\nTo: ra@test\nMessage-ID: <{request.stem}.{encrypt}@test>\n"
        return (head + signed.read_text()).replace("\r\n", "\n").replace("\n", "\r\n").encode()

    def send_raw(self, mail):
        with smtplib.SMTP("127.0.0.1", self.servers.postfix.smtp) as smtp:
            smtp.sendmail("ee@test", ["ra@test"], mail)

    def test_a_site_enrols_and_verifies_the_answer(self):
        # The secret of the tests is for anybody: no mistake, but told.
        self.assertIn("no mistakes", self.instance.cmpost("check").stdout)
        self.instance.serve()
        self.send_raw(self.wrapped(self.request("dev1")))
        (mail,) = self.answer_mails(1)
        self.assertEqual("multipart/signed", mail.get_content_type())
        inbox = self.servers.dovecot.mail / "ee@test"
        (answer,) = [*inbox.glob("new/*"), *inbox.glob("cur/*")]  # as it came, octet by octet
        run("openssl", "cms", "-verify", "-in", answer, "-CAfile", self.workshop / "mail-ca.pem",
            "-out", self.workshop / "verified")
        verified = email.message_from_bytes((self.workshop / "verified").read_bytes(),
                                            policy=email.policy.default)
        self.accept("dev1", verified)

    def test_what_is_only_signed_waits_for_an_operator(self):
        self.instance.serve()
        self.send_raw(self.wrapped(self.request("dev1"), encrypt=False))
        (job,) = eventually(lambda: self.instance.json("queue", "list", "--state", "held"), "the job")
        self.assertIn("not encrypted", job["reason"])

    def test_the_signature_of_a_mail_protects_no_request(self):
        """R-048: a request without protection is refused however well its mail is signed."""
        self.key("dev1")
        bare = self.workshop / "dev1.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey", self.workshop / "dev1.key",
            "-subject", "/CN=dev1", "-recipient", "/CN=CA", "-unprotected_requests",
            "-rspin", "/dev/null", "-reqout", bare, "-certout", "/dev/null", check=False)
        self.assertGreater(bare.stat().st_size, 100)
        self.instance.serve()
        self.send_raw(self.wrapped(bare))
        (mail,) = self.answer_mails(1)
        self.assertIn(".error.pki", self.attachment(mail).get_filename())
        self.assertFalse(self.instance.json("cert", "list", "--channel", "depots"))


class ByImapStartTls(MailTest):
    fetch, send = "imap://localhost:{imap}", "smtp://localhost:{smtp}"

    def test_a_site_enrols(self):
        self.enrol_by_mail()


class ByPop3(MailTest):
    fetch, poll = FETCH["pop3"], "1s"

    def test_a_site_enrols(self):
        self.enrol_by_mail()


class ByPop3StartTls(MailTest):
    fetch, send, poll = "pop3://localhost:{pop3}", "smtp://localhost:{smtp}", "1s"

    def test_a_site_enrols(self):
        self.enrol_by_mail()


class ByMaildir(MailTest):
    fetch, poll = FETCH["maildir"], "1s"

    def test_a_site_enrols(self):
        self.enrol_by_mail()


if __name__ == "__main__":
    unittest.main(verbosity=2)
