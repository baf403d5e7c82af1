"""A CMPost instance in a directory of its own, and a stock OpenSSL client to try it with."""

import faulthandler
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from http_to_files import Relay, Server

# ctest hands the program over; by hand: CMPOST=build/dev/app/cmpost python3 ..._test.py
PROGRAM = os.path.abspath(os.environ.get("CMPOST", "cmpost"))
SECRET = "one secret for tests"
# What `secret add` takes for a secret that may ask for any name on any channel.
ANYTHING = ("--subject", "any", "--san", "any", "--channel", "any")


def run(*command, check=True, timeout=120, text_in="", **more):
    done = subprocess.run(
        [str(word) for word in command],
        input=text_in, capture_output=True, text=True, timeout=timeout, **more,
    )
    if check and done.returncode != 0:
        raise AssertionError(
            f"exit code {done.returncode} of {command}\n{done.stdout}\n{done.stderr}"
        )
    return done


def eventually(found, what, timeout=20):
    """What `found()` says as soon as it is true."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {timeout} s in vain for {what}")


class Instance:
    def __init__(self, directory, log=None, ca=None):
        """`ca`: the certificate of the CA that this one is the RA of."""
        self.directory = Path(directory)
        role = ("--role", "ra", "--ca", ca) if ca else ()
        run(PROGRAM, "init", *role, self.directory)
        self.ca = self.directory / ("trust/ca.pem" if ca else "ca/ca.pem")
        self.drop, self.answers = self.directory / "in", self.directory / "out"
        self.quarantine = self.drop / ".quarantine"
        self.log = Path(log or self.directory / "serve.log")
        self.process = None
        self.environment = {}  # of the program, beside that of the test

    def cmpost(self, *arguments, check=True):
        # The configuration is found in the working directory.
        return run(PROGRAM, *arguments, check=check, cwd=self.directory,
                   env={**os.environ, **self.environment})

    def json(self, *arguments):
        # These two say by their exit code what they have found.
        looks = arguments[0] in ("status", "check")
        return json.loads(self.cmpost(*arguments, "--json", check=not looks).stdout)

    def add_secret(self, reference, secret=SECRET, *more):
        file = self.directory / f"{reference}.secret"
        file.touch(mode=0o600)
        file.write_text(secret)
        self.cmpost("secret", "add", reference, "--secret-file", file, *more)

    def set_in_channel(self, key, value):
        """Sets `key` of the first channel to a TOML `value`, whether or not it is there."""
        self.set_in("[[channel]]", key, value)

    def set_in(self, table, key, value, number=0):
        """The same for the table of that `number` with this head."""
        file = self.directory / "cmpost.toml"
        parts = re.split(r"(?m)^(?=\[)", file.read_text())
        place = [i for i, part in enumerate(parts) if part.startswith(table)][number]
        head, rest = parts[place].split("\n", 1)
        rest = re.sub(rf"(?m)^{key}\s*=.*\n", "", rest, count=1)
        parts[place] = f"{head}\n{key} = {value}\n{rest}"
        file.write_text("".join(parts))

    def trust(self, *certificates):
        paths = ", ".join(f'"{path}"' for path in certificates)
        self.set_in_channel("trust", f"[{paths}]")

    def serve(self, prefix=()):
        """`prefix`: a command that runs the service in another way."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, PROGRAM, "serve"], cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment},
            )

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def put(self, name, contents):
        """Drops a request the way a user should: whole, under its name at once."""
        hidden = self.drop / f".{name}"
        hidden.write_bytes(contents)
        hidden.rename(self.drop / name)

    def answer(self, stem, timeout=20):
        """The answer to the request file `stem`.pki, when it is there."""
        found = eventually(
            lambda: list(self.answers.glob(f"{stem}.*.pki")), f"the answer to {stem}", timeout
        )
        return found[0]


class InstanceTest(unittest.TestCase):
    """Gives each test an instance with the secret `dev1` and a workshop for the client's files."""

    serve = True

    @classmethod
    def setUpClass(cls):
        # A test that hangs shall say where, before ctest ends it.
        faulthandler.dump_traceback_later(540, exit=True)
        cls.addClassCleanup(faulthandler.cancel_dump_traceback_later)

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cmpost-system-")
        self.addCleanup(temporary.cleanup)
        self.workshop = Path(temporary.name) / "client"
        self.workshop.mkdir()
        self.instance = self.make_instance(Path(temporary.name))
        self.addCleanup(self.show_log_of_a_failure)
        self.addCleanup(self.instance.stop)
        # Tests enrol devices of many names with it, on any channel.
        self.instance.add_secret("dev1", SECRET, *ANYTHING)
        self.prepare()
        if self.serve:
            self.instance.serve()
        self.relay = Relay(self.instance.drop, self.instance.answers)

    def make_instance(self, temporary):
        return Instance(self.make_place(temporary), temporary / "log")

    def make_place(self, temporary):
        """Where the instance's directory shall be."""
        return Path(temporary) / "ca"

    def prepare(self):
        """Before the service starts."""

    def show_log_of_a_failure(self):
        outcome = self._outcome
        failed = getattr(outcome, "result", None) and (
            outcome.result.failures or outcome.result.errors
        )
        if failed and self.instance.log.exists():
            print(f"--- log of {self.id()}", self.instance.log.read_text(), file=sys.stderr)

    def key(self, name, algorithm="ec:P-256"):
        file = self.workshop / f"{name}.key"
        kind, _, size = algorithm.partition(":")
        options = {
            "ec": ["EC", "-pkeyopt", f"ec_paramgen_curve:{size}"],
            "rsa": ["RSA", "-pkeyopt", f"rsa_keygen_bits:{size}"],
            "ed25519": ["ED25519"],
        }[kind]
        run("openssl", "genpkey", "-algorithm", *options, "-out", file)
        return file

    def with_secret(self, reference="dev1", secret=SECRET):
        return ["-ref", reference, "-secret", f"pass:{secret}"]

    def signed_by(self, certificate, key):
        return ["-cert", certificate, "-key", key, "-trusted", self.instance.ca]

    def openssl_cmp(self, command, *arguments, check=True):
        """One transaction of the stock client; its messages are in self.relay.exchanges."""
        with Server(self.relay) as server:
            return run(
                "openssl", "cmp", "-config", "", "-cmd", command, "-server", server.address,
                "-recipient", "/CN=CA", *arguments, check=check,
            )

    def enrol(self, name, *arguments, command="ir", key=None):
        """The certificate and key that `command` got for CN=`name`."""
        key = key or self.key(name)
        certificate = self.workshop / f"{name}.pem"
        self.openssl_cmp(
            command, "-newkey", key, "-subject", f"/CN={name}", "-certout", certificate, *arguments
        )
        return certificate, key

    def offline_client(self, name, *arguments, check=True):
        """The stock client for CN=`name`, whose messages are files."""
        return run("openssl", "cmp", "-config", "", "-cmd", "ir",
                   "-newkey", self.workshop / f"{name}.key", "-subject", f"/CN={name}",
                   "-recipient", "/CN=CA", *self.with_secret(), "-implicit_confirm",
                   "-certout", self.workshop / f"{name}.pem", *arguments, check=check)

    def request(self, name):
        """An ir for CN=`name` as a file, made offline."""
        self.key(name)
        file = self.workshop / f"{name}.pki"
        self.offline_client(name, "-rspin", "/dev/null", "-reqout", file, check=False)
        self.assertGreater(file.stat().st_size, 100)
        return file

    def accept_file(self, name, answer):
        """The stock client takes the answer to request(name), and the certificate is good."""
        self.offline_client(name, "-rspin", answer)
        self.verify(self.workshop / f"{name}.pem")

    def verify(self, certificate, *more, check=True):
        return run("openssl", "verify", "-CAfile", self.instance.ca, *more, certificate, check=check)

    def certificates(self):
        """What the ledger has issued to requesters."""
        return self.instance.json("cert", "list", "--channel", "drop")
