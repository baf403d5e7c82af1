"""A Dovecot and a Postfix of the test's own, on loopback ports, from Debian's packages.

Users ra@test and ee@test, password "secret". Postfix delivers mail for them by LMTP into Dovecot;
permfail@test is refused with 550, tempfail@test with 451, bounce@test is taken and then comes back.
Needs root: both servers change users. Where a package or root is missing the test is skipped.
"""

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time
import unittest
from pathlib import Path

from instance import eventually, run

PASSWORD = "secret"
POSTFIX_PROGRAMS = "/usr/lib/postfix/sbin"


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


def make_pki(directory):
    directory.mkdir()
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "30", "-subj", "/CN=mail test CA", "-keyout", directory / "ca.key",
        "-out", directory / "ca.pem")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=localhost", "-keyout", directory / "srv.key", "-out", directory / "srv.csr")
    (directory / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("openssl", "x509", "-req", "-in", directory / "srv.csr", "-CA", directory / "ca.pem",
        "-CAkey", directory / "ca.key", "-CAcreateserial", "-days", "30",
        "-extfile", directory / "ext", "-out", directory / "srv.pem")


class Dovecot:
    def __init__(self, directory, pki):
        self.directory, self.pki, self.process = Path(directory), pki, None
        self.imap, self.imaps, self.pop3, self.pop3s, self.lmtp = free_ports(5)
        self.mail = self.directory / "mail"
        self.mail.mkdir(parents=True)
        shutil.chown(self.mail, "nobody", "nogroup")
        users = "".join(f"{user}@test:{{PLAIN}}{PASSWORD}\n" for user in ("ra", "ee"))
        (self.directory / "users").write_text(users)
        (self.directory / "dovecot.conf").write_text(self.configuration())
        self.start()

    def configuration(self):
        here = self.directory
        return f"""
base_dir = {here}/run
state_dir = {here}/run
log_path = {here}/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
first_valid_uid = 0
last_valid_uid = 0
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <{self.pki}/srv.pem
ssl_key = <{self.pki}/srv.key
mail_location = maildir:{self.mail}/%u
recipient_delimiter = +
passdb {{
  driver = passwd-file
  args = {here}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={self.mail}/%u allow_all_users=yes
}}
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
    """Knows nobody: what Postfix has taken for bounce@test has to go back."""

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
    def __init__(self, directory, pki, lmtp):
        self.directory, self.pki, self.lmtp, self.process = Path(directory), pki, lmtp, None
        self.refusing = socketserver.ThreadingTCPServer(("127.0.0.1", 0), RefusingLmtp)
        self.refusing.daemon_threads = True
        threading.Thread(target=self.refusing.serve_forever, daemon=True).start()
        self.smtp, self.smtps = free_ports(2)
        self.make_directories()
        etc = self.directory / "etc"
        (etc / "main.cf").write_text(self.main_cf())
        (etc / "master.cf").write_text(self.master_cf())
        long_ago = time.time() - 3600  # Postfix waits until its settings are some seconds old
        for file in ("main.cf", "master.cf"):
            os.utime(etc / file, (long_ago, long_ago))
        self.start()

    def make_directories(self):
        for name in ("etc", "data", "queue"):
            (self.directory / name).mkdir(parents=True)
        shutil.chown(self.directory / "data", "postfix")
        queue = self.directory / "queue"
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
                     "incoming", "private", "saved", "trace"):
            (queue / name).mkdir(mode=0o700)
            shutil.chown(queue / name, "postfix")
        (queue / "pid").mkdir()
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            (queue / name).mkdir()
            shutil.chown(queue / name, "postfix", "postdrop")
            (queue / name).chmod(mode)

    def main_cf(self):
        here, refusing = self.directory, self.refusing.server_address[1]
        return f"""
compatibility_level = 3.6
queue_directory = {here}/queue
data_directory = {here}/data
command_directory = /usr/sbin
daemon_directory = {POSTFIX_PROGRAMS}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {here}/mail.log
maillog_file_prefixes = {here}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.test
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
virtual_mailbox_domains = test
virtual_mailbox_maps = inline:{{ra@test=x, ee@test=x, bounce@test=x}}
virtual_transport = lmtp:inet:127.0.0.1:{self.lmtp}
transport_maps = inline:{{bounce@test=lmtp:inet:127.0.0.1:{refusing}}}
default_transport = error:nothing leaves this host
smtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{{{{tempfail@test=451 4.3.0 later}}, {{permfail@test=550 5.1.1 unknown}}}}
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = {self.pki}/srv.pem
smtpd_tls_key_file = {self.pki}/srv.key
message_size_limit = 2000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_rate_limit = 0
"""

    def master_cf(self):
        lines = [f"127.0.0.1:{self.smtp} inet n - n - - smtpd",
                 f"127.0.0.1:{self.smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",
                 "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup",
                 "qmgr unix n - n 300 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr",
                 "rewrite unix - - n - - trivial-rewrite", "verify unix - - n - 1 verify",
                 "flush unix n - n 1000? 0 flush", "showq unix n - n - - showq",
                 "proxymap unix - - n - - proxymap", "retry unix - - n - - error",
                 "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache",
                 "postlog unix-dgram n - n - 1 postlogd"]
        lines += [f"{name} unix - - n - 0 bounce" for name in ("bounce", "defer", "trace")]
        lines += [f"{name} unix - - n - - {name}" for name in ("smtp", "lmtp", "error", "discard")]
        return "\n".join(lines) + "\n"

    def start(self):
        with open(self.directory / "stdout", "ab") as log:
            self.process = subprocess.Popen(
                [f"{POSTFIX_PROGRAMS}/master", "-c", self.directory / "etc", "-d"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(lambda: answers(self.smtp), "Postfix")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        self.refusing.shutdown()
        self.refusing.server_close()


class MailServers:
    """Both, below `directory`, which every user must be able to enter."""

    def __init__(self, directory):
        for program in ("/usr/sbin/dovecot", f"{POSTFIX_PROGRAMS}/master"):
            if not Path(program).exists():
                raise unittest.SkipTest(f"{program} is not installed")
        if os.geteuid() != 0:
            raise unittest.SkipTest("Dovecot and Postfix need root to deliver mail")
        self.directory = Path(directory)
        self.directory.chmod(0o755)
        self.pki = self.directory / "pki"
        make_pki(self.pki)
        self.dovecot = Dovecot(self.directory / "dovecot", self.pki)
        try:
            self.postfix = Postfix(self.directory / "postfix", self.pki, self.dovecot.lmtp)
        except BaseException:
            self.dovecot.stop()
            raise

    def stop(self):
        self.postfix.stop()
        self.dovecot.stop()
