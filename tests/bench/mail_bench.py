#!/usr/bin/env python3
"""Measures how fast mails are worked through: from a Dovecot mailbox by IMAP to answers by SMTP.

    mail_bench.py [--mails 5000] [--answers sink|postfix]

With `sink` the answers go to Postfix's smtp-sink, which takes mails and forgets them: the mailbox
is the only server that writes to the disk. With `postfix` they are delivered into a mailbox again,
and both servers share the machine. What Dovecot does alone, for a client that only fetches and
moves, is printed beside. Needs CMPOST and MAKE_REQUESTS in the environment, and root.
"""

import argparse
import imaplib
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("system", "crash")]
from instance import PROGRAM, eventually  # noqa: E402
from mail_kill_loop import MailKillLoop, mail_with  # noqa: E402
from mail_servers import PASSWORD, answers, free_ports  # noqa: E402

SET = 500  # mails in a command, as the channel does it


class MailBench(MailKillLoop):
    def inbox(self, user):
        inbox = self.servers.dovecot.mail / f"{user}@test"
        return sum(len(list(inbox.glob(place))) for place in ("new/*", "cur/*"))

    def fill(self):
        """Into the Maildir itself: Dovecot's delivery is not what is measured."""
        new = self.servers.dovecot.mail / "ra@test/new"
        for place in ("new", "cur", "tmp"):
            (new.parent / place).mkdir(parents=True, exist_ok=True)
        for request in sorted(self.prepared.glob("*.pki")):
            (new / f"1700000000.{request.stem}.bench").write_bytes(mail_with(request).as_bytes())
        subprocess.run(["chown", "-R", "nobody:nogroup", new.parent], check=True)

    def send_to_sink(self):
        port, = free_ports(1)
        sink = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "100"])
        eventually(lambda: answers(port), "smtp-sink")
        settings = self.instance.directory / "cmpost.toml"
        text = settings.read_text().replace(f"smtp://localhost:{self.servers.postfix.smtp}",
                                            f"smtp://localhost:{port}")
        settings.write_text(text.replace("{ ca =", "{ required = false, ca ="))
        return sink

    def dovecot_alone(self):
        """Mails per second for a client that fetches all and moves all, and does nothing else."""
        context = ssl.create_default_context(cafile=self.servers.pki / "ca.pem")
        with imaplib.IMAP4_SSL("localhost", self.servers.dovecot.imaps, ssl_context=context) as imap:
            imap.login("ra@test", PASSWORD)
            imap.create("Alone")
            start = time.monotonic()
            imap.select()
            uids = imap.uid("SEARCH", "UNDELETED")[1][0].decode().split()
            assert len(uids) == self.mails, len(uids)
            for at in range(0, len(uids), SET):
                part = f"{uids[at]}:{uids[min(at + SET, len(uids)) - 1]}"
                assert imap.uid("FETCH", part, "(UID BODY.PEEK[])")[0] == "OK"
                assert imap.uid("MOVE", part, "Alone")[0] == "OK"
            return self.mails / (time.monotonic() - start)

    def measure(self):
        start = time.monotonic()
        process = subprocess.Popen([PROGRAM, "run", "--quiet"], cwd=self.instance.directory,
                                   stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.monotonic() - start
        if status != 0:
            raise SystemExit(f"status {status}")
        done = sum(job["state"] == "done" for job in
                   self.instance.json("queue", "list", "--limit", 10 * self.mails))
        if done != 2 * self.mails:
            raise SystemExit(f"{done} jobs done, not {2 * self.mails}")
        return self.mails / elapsed, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--answers", choices=["sink", "postfix"], default="sink")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cmpost-mail-bench-") as directory:
        Path(directory).chmod(0o755)
        (Path(directory) / "servers").mkdir()
        bench = MailBench(directory, options.mails, 1, 0)
        sink = None
        try:
            bench.fill()
            alone = bench.dovecot_alone()
            bench.fill()
            if options.answers == "sink":
                sink = bench.send_to_sink()
            rate, peak = bench.measure()
            if options.answers == "postfix":
                eventually(lambda: bench.inbox("ee") >= bench.mails, "all answers", 300)
        finally:
            if sink:
                sink.kill()
                sink.wait()
            bench.servers.stop()
    print("| mails | answers to | worked through, per second | Dovecot alone, fetch and move "
          "| peak memory |\n| --- | --- | --- | --- | --- |\n"
          f"| {options.mails} | {options.answers} | {rate:.0f} | {alone:.0f}/s | {peak:.0f} MiB |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
