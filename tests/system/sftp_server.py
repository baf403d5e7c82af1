"""An OpenSSH server of the test's own on loopback, and a slow way to it.

The server runs as an ordinary user. When the tests run as root that is the account `cmpost-test`,
which is made once; its password is PASSWORD. Only a server of root's can check passwords. Where the
package is missing the test is skipped.
"""

import fcntl
import os
import pwd
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

from instance import eventually, run

ACCOUNT, PASSWORD = "cmpost-test", "a secret for tests"
SSHD = "/usr/sbin/sshd"


def account():
    """The name of the user that the server runs as."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    with open("/tmp/cmpost-test-account.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            pwd.getpwnam(ACCOUNT)
        except KeyError:
            run("useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent",
                "--shell", "/bin/sh", ACCOUNT)
            hashed = run("openssl", "passwd", "-6", PASSWORD).stdout.strip()
            run("usermod", "--password", hashed, ACCOUNT)
    return ACCOUNT


def descendants(pid):
    """Process ids of all children of `pid` and theirs."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


class SftpServer:
    """`files`/in and `files`/out are its directories; self.key logs in."""

    def __init__(self, directory, passwords=False, files=None):
        if not os.access(SSHD, os.X_OK):
            raise unittest.SkipTest("openssh-server is not installed")
        if passwords and os.getuid() != 0:
            raise unittest.SkipTest("only a server of root's can check passwords")
        self.directory, self.passwords, self.process = Path(directory), passwords, None
        self.user = account()
        self.files = Path(files or self.directory / "files")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.directory.mkdir(parents=True, exist_ok=True)
        for place in (self.files, self.files / "in", self.files / "out"):
            place.mkdir(exist_ok=True)
            self.own(place)
        self.own(self.directory)
        # Beside the server's directory: its account could exchange what lies in there.
        client = self.directory.with_name(self.directory.name + "-client")
        client.mkdir(mode=0o700)
        self.key = client / "id"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        shutil.copy(client / "id.pub", self.directory / "authorized_keys")
        self.new_host_key()
        self.start()

    def own(self, path):
        if os.getuid() == 0:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)

    def new_host_key(self):
        self.host_key = self.directory / "host_key"
        self.host_key.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.host_key)
        if not self.passwords:
            self.own(self.host_key)

    def start(self):
        config = self.directory / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.host_key}\nPidFile none\n"
            f"AuthorizedKeysFile {self.directory}/authorized_keys\nStrictModes no\nUsePAM no\n"
            f"PasswordAuthentication {'yes' if self.passwords else 'no'}\n"
            "KbdInteractiveAuthentication no\nUseDNS no\nPrintMotd no\nMaxStartups 200\n"
            f"MaxAuthTries 20\nLogLevel VERBOSE\nSubsystem sftp internal-sftp -d {self.files}\n")
        command = [SSHD, "-D", "-e", "-f", str(config)]
        if self.passwords:
            Path("/run/sshd").mkdir(exist_ok=True)
        elif os.getuid() == 0:
            gid = pwd.getpwnam(self.user).pw_gid
            command = ["setpriv", f"--reuid={self.user}", f"--regid={gid}", "--clear-groups",
                       *command]
        with open(self.directory / "sshd.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self.answers, f"sshd: {self.log()}")

    def log(self):
        return (self.directory / "sshd.log").read_text()[-2000:]

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as peer:
                return peer.recv(4) == b"SSH-"
        except OSError:
            return False

    def signal(self, number):
        """To the server and to what it runs for each connection."""
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        if self.process:
            self.signal(signal.SIGKILL)
            self.process.wait(timeout=30)
            self.process = None

    def known_hosts(self, port=None):
        """The line that names the server's key."""
        words = (self.directory / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{port or self.port} {words[0]} {words[1]}\n"

    def fingerprint(self):
        return run("ssh-keygen", "-l", "-f", f"{self.host_key}.pub").stdout.split()[1]

    def url(self, folder, port=None):
        return f"sftp://{self.user}@127.0.0.1:{port or self.port}{self.files}/{folder}"

    def put(self, name, contents, folder="in"):
        """A file that is there at once, as if uploaded with care."""
        file = self.files / folder / f".{name}"
        file.write_bytes(contents)
        self.own(file)
        file.rename(self.files / folder / name)

    def client_options(self):
        known = self.directory / "client_known_hosts"
        known.write_text(self.known_hosts())
        return ["-q", "-i", self.key, "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes",
                "-o", "IdentitiesOnly=yes", "-F", "none", "-P", self.port]

    def sftp(self, *commands):
        """OpenSSH's own client."""
        run("sftp", *self.client_options(), "-b", "-", f"{self.user}@127.0.0.1",
            text_in="\n".join(commands) + "\n")

    def scp(self, source, target):
        run("scp", *self.client_options(), source, target)

    def remote(self, path):
        return f"{self.user}@127.0.0.1:{self.files}/{path}"


class SlowWay:
    """A proxy on loopback that holds every octet back for half of `round_trip` seconds."""

    def __init__(self, port, round_trip):
        self.target, self.half = port, round_trip / 2
        self.dead = self.ends = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.wake, wakes = socket.socketpair()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.selector.register(wakes, selectors.EVENT_READ, None)
        self.queue = []  # (due, socket, octets), oldest first: the delay is the same for all
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ends:
            timeout = max(0, self.queue[0][0] - time.monotonic()) if self.queue else 1
            for key, _ in self.selector.select(timeout):
                self.on_ready(key)
            while self.queue and self.queue[0][0] <= time.monotonic():
                _, peer, octets = self.queue.pop(0)
                self.forward(peer, octets)

    def on_ready(self, key):
        if key.fileobj is self.listener:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.target))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.selector.register(one, selectors.EVENT_READ, other)
        elif key.data is not None:
            try:
                octets = key.fileobj.recv(1 << 16)
            except OSError:
                octets = b""
            if not octets:
                self.selector.unregister(key.fileobj)
            if not self.dead:
                self.queue.append((time.monotonic() + self.half, key.data, octets))

    def forward(self, peer, octets):
        try:
            peer.sendall(octets) if octets else peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.ends = True
        self.wake.send(b"x")
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
