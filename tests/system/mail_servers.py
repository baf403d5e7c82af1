"""A Dovecot and a Postfix of the test's own, on loopback ports, from Debian's packages.

Users ra@test and ee@test, password "secret". Postfix (tests/mail/fixtures/postfix.sh) delivers mail
for them by LMTP into Dovecot; what is sent to gone@test is taken and then comes back. Needs root:
both servers change users. Where a package or root is missing the test is skipped.
"""

import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import unittest
from pathlib import Path

from instance import eventually

PASSWORD = "secret"
FETCH = {"imap": "imaps://localhost:{imaps}/INBOX", "pop3": "pop3s://localhost:{pop3s}",
         "maildir": "maildir:{mail}/ra@test"}

CHANNEL = """
[[channel]]
name     = "depots"
kind     = "mail"
fetch    = "{fetch}"
send     = "{send}"
login    = {{ user = "ra@test", password_file = "secrets/mail" }}
send_login = {{ }}
tls      = {{ ca = "{ca}" }}
from     = "ra@test"
poll     = "{poll}"
profiles = ["device"]
trust    = {trust}
{more}
"""
POSTFIX = Path(__file__).resolve().parents[1] / "mail/fixtures/postfix.sh"


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


# 2.4 takes no settings that do not say for which version they are.
VERSIONS = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
"""


def before_2_4():
    version = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True)
    return version.stdout.startswith("2.3")


class Dovecot:
    def __init__(self, directory, pki, lmtp):
        self.directory, self.pki, self.lmtp, self.process = Path(directory), pki, lmtp, None
        self.imap, self.imaps, self.pop3, self.pop3s = free_ports(4)
        self.mail = self.directory / "mail"
        self.mail.mkdir(parents=True)
        shutil.chown(self.mail, "nobody", "nogroup")
        users = "".join(f"{user}@test:{{PLAIN}}{PASSWORD}\n" for user in ("ra", "ee"))
        (self.directory / "users").write_text(users)
        (self.directory / "dovecot.conf").write_text(self.configuration())
        self.start()

    def accounts(self):
        here = self.directory
        return f"""
disable_plaintext_auth = yes
ssl_cert = <{self.pki}/server.pem
ssl_key = <{self.pki}/server.key
mail_location = maildir:{self.mail}/%u
passdb {{
  driver = passwd-file
  args = {here}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={self.mail}/%u allow_all_users=yes
}}
""" if before_2_4() else f"""
auth_allow_cleartext = no
ssl_server_cert_file = {self.pki}/server.pem
ssl_server_key_file = {self.pki}/server.key
mail_driver = maildir
mail_path = {self.mail}/%{{user}}
passdb passwd-file {{
  passwd_file_path = {here}/users
}}
userdb static {{
  allow_all_users = yes
  fields {{
    uid = nobody
    gid = nogroup
    home = {self.mail}/%{{user}}
  }}
}}
"""

    def configuration(self):
        here = self.directory
        return f"""{"" if before_2_4() else VERSIONS}
base_dir = {here}/run
state_dir = {here}/run
log_path = {here}/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
first_valid_uid = 0
last_valid_uid = 0
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
recipient_delimiter = +
{self.accounts()}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = {self.imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {self.pop3}
  }}
  inet_listener pop3s {{
    port = {self.pop3s}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.lmtp}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""

    def start(self):
        (self.directory / "run").mkdir(exist_ok=True)
        with open(self.directory / "stdout", "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/dovecot", "-c", self.directory / "dovecot.conf", "-F"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(lambda: answers(self.imaps) and answers(self.lmtp), "Dovecot")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=20)


class RefusingLmtp(socketserver.StreamRequestHandler):
    """Knows nobody: what Postfix has taken for gone@test has to go back."""

    def handle(self):
        self.wfile.write(b"220 localhost LMTP\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                self.wfile.write(b"550 5.1.1 nobody of that name\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Postfix:
    def __init__(self, directory, lmtp):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.refusing = socketserver.ThreadingTCPServer(("127.0.0.1", 0), RefusingLmtp)
        self.refusing.daemon_threads = True
        threading.Thread(target=self.refusing.serve_forever, daemon=True).start()
        self.smtp, self.smtps = free_ports(2)
        ports = (self.smtp, self.smtps, self.refusing.server_address[1], lmtp)
        self.process = subprocess.Popen([POSTFIX, self.directory, *map(str, ports)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline()
        if words == "ready\n":
            return
        self.stop()
        if self.process.returncode == 77:
            raise unittest.SkipTest(words.strip())
        raise AssertionError(f"postfix.sh: {words}{(self.directory / 'errors').read_text()}")

    def stop(self):
        self.process.stdin.close()  # which is what it runs for
        self.process.stdout.close()
        self.process.wait(timeout=20)
        self.refusing.shutdown()
        self.refusing.server_close()


class MailServers:
    """Both, below `directory`, which every user must be able to enter."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.chmod(0o755)
        lmtp, = free_ports(1)
        self.postfix = Postfix(self.directory / "postfix", lmtp)
        self.pki = self.postfix.directory
        try:
            self.dovecot = Dovecot(self.directory / "dovecot", self.pki, lmtp)
        except BaseException:
            self.postfix.stop()
            raise

    def give_channel(self, instance, fetch, send, poll, trust="[]", more=""):
        """Adds the channel "depots" to an instance, or exchanges it."""
        ports = {"imap": self.dovecot.imap, "imaps": self.dovecot.imaps,
                 "pop3": self.dovecot.pop3, "pop3s": self.dovecot.pop3s,
                 "smtp": self.postfix.smtp, "smtps": self.postfix.smtps, "mail": self.dovecot.mail}
        password = instance.directory / "secrets/mail"
        password.touch(mode=0o600)
        password.write_text(PASSWORD + "\n")
        file = instance.directory / "cmpost.toml"
        head = file.read_text().split(CHANNEL[:CHANNEL.index("kind")])[0]
        file.write_text(head + CHANNEL.format(
            fetch=fetch.format(**ports), send=send.format(**ports), poll=poll,
            ca=self.pki / "ca.pem", trust=trust, more=more))

    def stop(self):
        self.postfix.stop()
        self.dovecot.stop()
