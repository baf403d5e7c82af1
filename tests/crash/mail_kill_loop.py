#!/usr/bin/env python3
"""Kills the service again and again while it works on mails, and looks whether anything was lost.

    mail_kill_loop.py --mails 500 --kills 50 [--source imap|pop3|maildir] [--keep 1h] [--seed N]

Prepared requests lie as mails in a Dovecot mailbox; `cmpost serve` fetches them by IMAP, by POP3 or
from the Maildir itself, answers through Postfix, and gets SIGKILL at random moments. In the end each mail must have an answer and
each request exactly one certificate. An answer may have been sent twice: then both mails have one
Message-ID and one content. Needs CMPOST and MAKE_REQUESTS in the environment, and root.
"""

import argparse
import collections
import email
import email.policy
import os
import random
import signal
import smtplib
import sys
import tempfile
import time
import unittest
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import Instance, eventually, run  # noqa: E402
from mail_servers import FETCH, MailServers  # noqa: E402

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 20


def mail_with(request):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ee@test", "ra@test", "request"
    mail["Message-ID"] = f"<{request.stem}@site.test>"
    mail.set_content("a request")
    mail.add_attachment(request.read_bytes(), maintype="application", subtype="pkixcmp",
                        filename=request.name)
    return mail


class MailKillLoop:
    def __init__(self, directory, mails, kills, seed, source="imap", keep="0"):
        self.mails, self.kills, self.random = mails, kills, random.Random(seed)
        self.servers = MailServers(Path(directory) / "servers")
        self.prepared = Path(directory) / "prepared"
        run(MAKE_REQUESTS, self.prepared, mails, "signature", DEVICES)
        self.instance = Instance(Path(directory) / "ca", Path(directory) / "log")
        self.servers.give_channel(
            self.instance, FETCH[source], "smtp://localhost:{smtp}", "1s",
            trust=f'["{self.prepared / "vendor.pem"}"]',
            more=f'per_sender_per_hour = 1000000\nkeep = "{keep}"')

    def deliver(self, requests):
        with smtplib.LMTP("127.0.0.1", self.servers.dovecot.lmtp) as lmtp:
            for request in requests:
                lmtp.send_message(mail_with(request))

    def run(self):
        waiting = sorted(self.prepared.glob("*.pki"))
        portion = -(-self.mails // self.kills)
        while waiting:
            self.deliver(waiting[:portion])
            del waiting[:portion]
            self.instance.serve()
            time.sleep(self.random.uniform(0.05, 0.8))
            self.instance.stop(signal.SIGKILL)
        self.instance.serve()
        eventually(lambda: len(self.answers()) >= self.mails, f"{self.mails} answers", 240)
        eventually(self.settled, "nothing waits any more", 60)
        self.instance.stop()

    def settled(self):
        jobs = self.instance.json("queue", "list", "--limit", 100000)
        return all(job["state"] == "done" for job in jobs)

    def answers(self):
        """Message-ID -> contents of the mails that have it."""
        found = collections.defaultdict(list)
        inbox = self.servers.dovecot.mail / "ee@test"
        for file in [*inbox.glob("new/*"), *inbox.glob("cur/*")]:
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.SMTP)
            attachment = [part.get_payload(decode=True) for part in mail.walk()
                          if part.get_content_type() == "application/pkixcmp"]
            found[mail["Message-ID"]].append((mail["In-Reply-To"], mail["Date"], *attachment))
        return found

    def verdict(self):
        answers = self.answers()
        faults = []
        if len(answers) != self.mails:
            faults.append(f"{len(answers)} answers to {self.mails} mails")
        faults += [f"{name} has two contents" for name, mails in answers.items()
                   if len(set(mails)) != 1]
        answered = {mails[0][0] for mails in answers.values()}
        faults += [f"no answer to {file.stem}" for file in self.prepared.glob("*.pki")
                   if f"<{file.stem}@site.test>" not in answered]
        certificates = self.instance.json("cert", "list", "--channel", "depots", "--limit", 1000000)
        if len(certificates) != self.mails:
            faults.append(f"{len(certificates)} certificates for {self.mails} requests")
        twice = sum(len(mails) - 1 for mails in answers.values())
        return faults, twice


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mails", type=int, default=500)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--source", choices=sorted(FETCH), default="imap")
    parser.add_argument("--keep", default="0", help="as in the settings; POP3")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cmpost-mail-kill-") as directory:
        Path(directory).chmod(0o755)
        (Path(directory) / "servers").mkdir()
        try:
            loop = MailKillLoop(directory, options.mails, options.kills, options.seed,
                                options.source, options.keep)
        except unittest.SkipTest as why:
            print(f"skipped: {why}")
            return 77
        try:
            loop.run()
            faults, twice = loop.verdict()
        except BaseException:
            print((Path(directory) / "log").read_text()[-4000:])
            raise
        finally:
            loop.instance.stop(signal.SIGKILL)
            loop.servers.stop()
    for fault in faults[:20]:
        print(fault)
    if faults:
        return 1
    print(f"{options.kills} kills, {options.mails} mails answered, {twice} answers sent twice with "
          "the same Message-ID and contents: nothing lost, no certificate twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
