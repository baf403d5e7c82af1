#!/usr/bin/env python3
"""Measures how fast mails are worked through: from a Dovecot mailbox by IMAP to answers by Postfix.

    mail_bench.py [--mails 5000]

Needs CMPOST and MAKE_REQUESTS in the environment, and root. The servers sync every mail, too: what
they do alone is printed beside.
"""

import argparse
import os
import smtplib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("system", "crash")]
from instance import PROGRAM, eventually  # noqa: E402
from mail_kill_loop import MailKillLoop, mail_with  # noqa: E402


class MailBench(MailKillLoop):
    def inbox_of_site(self):
        inbox = self.servers.dovecot.mail / "ee@test"
        return sum(len(list(inbox.glob(place))) for place in ("new/*", "cur/*"))

    def deliver_all(self):
        start = time.monotonic()
        self.deliver(sorted(self.prepared.glob("*.pki")))
        return self.mails / (time.monotonic() - start)

    def submit_alone(self, count=500):
        """Mails per second that Postfix takes over one connection, in front of nobody's mailbox."""
        request = next(self.prepared.glob("*.pki"))
        mail = mail_with(request)
        with smtplib.SMTP("127.0.0.1", self.servers.postfix.smtp) as smtp:
            start = time.monotonic()
            for _ in range(count):
                smtp.send_message(mail, "ee@test", ["bounce@test"])
            return count / (time.monotonic() - start)

    def measure(self):
        start = time.monotonic()
        process = subprocess.Popen([PROGRAM, "run", "--quiet"], cwd=self.instance.directory,
                                   stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.monotonic() - start
        if status != 0:
            raise SystemExit(f"status {status}")
        eventually(lambda: self.inbox_of_site() >= self.mails, "all answers", 300)
        return self.mails / elapsed, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mails", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cmpost-mail-bench-") as directory:
        Path(directory).chmod(0o755)
        (Path(directory) / "servers").mkdir()
        bench = MailBench(directory, options.mails, 1, 0)
        try:
            delivered = bench.deliver_all()
            rate, peak = bench.measure()
            submitted = bench.submit_alone()
        finally:
            bench.servers.stop()
    print("| mails | worked through, per second | peak memory | Dovecot alone takes by LMTP "
          "| Postfix alone takes by SMTP |\n| --- | --- | --- | --- | --- |\n"
          f"| {options.mails} | {rate:.0f} | {peak:.0f} MiB | {delivered:.0f}/s "
          f"| {submitted:.0f}/s |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
