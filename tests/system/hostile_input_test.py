"""What must not stop the service: bad files, files that cannot be read, a disk without room."""

import os
import random
import shutil
import subprocess
import unittest
from pathlib import Path

from instance import PROGRAM, InstanceTest, eventually, run
from small_disk import SmallDisk, can_mount

NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def der(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x84]) + size.to_bytes(4, "big")
    return bytes([tag]) + length + content


def nested_sequences(depth):
    message = b""
    for _ in range(depth):
        message = der(0x30, message)
    return message


class HostileInputTest(InstanceTest):
    def one_good_request(self):
        certificate, _ = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        self.verify(certificate)

    def held_job(self, name):
        """The job that `cmpost queue list` shows for a file."""
        jobs = self.instance.json("queue", "list", "--state", "held")
        return next((job for job in jobs if name in job["source"]), None)

    def check_refusal(self, name, reason):
        """It is listed with its reason, it is in the log, and good requests go on."""
        job = eventually(lambda: self.held_job(name), f"{name} among the held jobs")
        self.assertIn(reason, job["reason"])
        self.assertIn(reason, self.instance.log.read_text())
        self.one_good_request()

    def check_quarantine(self, name, reason):
        self.check_refusal(name, reason)
        file = self.instance.quarantine / f"{name}.reason.txt"
        self.assertIn(reason, eventually(lambda: file.exists() and file.read_text(), file))
        self.assertTrue(os.path.lexists(self.instance.quarantine / name))
        self.assertFalse(os.path.lexists(self.instance.drop / name))


class BadFiles(HostileInputTest):
    def test_an_empty_file(self):
        self.instance.put("empty.pki", b"")
        self.check_quarantine("empty.pki", "empty")

    def test_random_octets(self):
        self.instance.put("noise.pki", b"\x9b" + random.Random(1).randbytes(5000))
        self.check_quarantine("noise.pki", "neither DER nor PEM")

    def test_a_message_that_is_cut_off(self):
        self.one_good_request()
        request = self.relay.exchanges[0][0]
        self.instance.put("half.pki", request[: len(request) // 2])
        self.check_quarantine("half.pki", "cut off")

    def test_octets_behind_a_message(self):
        self.one_good_request()
        self.instance.put("more.pki", self.relay.exchanges[0][0] + b"\0")
        self.check_quarantine("more.pki", "follow")

    def test_two_gibibytes_of_nothing(self):
        hidden = self.instance.drop / ".huge"
        with open(hidden, "wb") as file:
            file.truncate(2 << 30)
        hidden.rename(self.instance.drop / "huge.pki")
        self.check_quarantine("huge.pki", "2147483648")
        self.assertLess(self.peak_memory_kib(), 600 * 1024)

    def peak_memory_kib(self):
        status = Path(f"/proc/{self.instance.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])

    def test_der_that_is_no_pkimessage(self):
        self.instance.put("other.pki", der(0x30, der(0x02, b"\5") + der(0x04, b"hello")))
        self.check_refusal("other.pki", "PKIMessage")

    def test_sequences_in_sequences_without_end(self):
        self.instance.put("deep.pki", nested_sequences(20_000))
        self.check_refusal("deep.pki", "PKIMessage")

    def test_an_indefinite_length(self):
        self.instance.put("ber.pki", b"\x30\x80" * 1000 + b"\0\0" * 1000)
        self.check_quarantine("ber.pki", "indefinite length")

    def test_a_private_key_is_put_aside_with_a_warning(self):
        self.instance.put("key.pki", self.key("key").read_bytes())
        self.check_quarantine("key.pki", "private key")


class NoFiles(HostileInputTest):
    """Other things that have the name of a request."""

    def test_a_directory(self):
        (self.instance.drop / "folder.pki").mkdir()
        self.check_quarantine("folder.pki", "directory")

    def test_a_fifo(self):
        os.mkfifo(self.instance.drop / "pipe.pki")
        self.check_quarantine("pipe.pki", "FIFO")

    def test_a_symbolic_link_is_not_followed(self):
        outside = self.workshop / "outside.txt"
        outside.write_text("not for the CA")
        (self.instance.drop / "link.pki").symlink_to(outside)
        self.check_quarantine("link.pki", "symbolic link")
        self.assertEqual("not for the CA", outside.read_text())


@unittest.skipUnless(
    os.geteuid() == 0 and shutil.which("setpriv")
    and subprocess.run([*AS_NOBODY, PROGRAM, "--version"], capture_output=True).returncode == 0,
    "needs root, to run the service as somebody whom file modes bind",
)
class UnreadableFile(HostileInputTest):
    serve = False

    def test_is_reported_and_does_not_stop_the_others(self):
        os.chmod(self.workshop.parent, 0o755)
        run("chown", "-R", f"{NOBODY}:{NOBODY}", self.instance.directory)
        self.instance.serve(AS_NOBODY)
        hidden = self.instance.drop / ".locked"
        hidden.touch(mode=0o000)
        hidden.rename(self.instance.drop / "locked.pki")
        eventually(
            lambda: "locked.pki" in self.instance.log.read_text(), "the file in the log"
        )
        self.assertIn("Permission denied", self.instance.log.read_text())
        self.one_good_request()


@unittest.skipUnless(can_mount(), "needs the right to mount a small file system")
class FullDisk(SmallDisk, HostileInputTest):
    """The whole instance is on a disk of 16 MiB that somebody fills up."""

    def test_loses_nothing_and_goes_on_when_there_is_room_again(self):
        self.one_good_request()
        requests = self.prepared_requests(5)
        ballast = self.fill_disk()
        # The sender wrote these before the disk was full; only renaming is left to do.
        for name, hidden in requests.items():
            hidden.rename(self.instance.drop / f"{name}.pki")
        eventually(lambda: "No space left" in self.instance.log.read_text()
                   or "full" in self.instance.log.read_text(), "the trouble in the log")
        self.assertIsNone(self.instance.process.poll(), "the service must live on")
        ballast.unlink()
        for name in requests:
            self.assertTrue(self.instance.answer(name, timeout=90).stat().st_size > 0)
        self.assertEqual(1 + len(requests), len(self.certificates()))

    def prepared_requests(self, count):
        """Requests in hidden files of the drop directory."""
        files = {}
        for number in range(count):
            request = self.workshop / f"{number}.pki"
            run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey", self.key(f"k{number}"),
                "-subject", f"/CN=dev{number}", "-recipient", "/CN=CA", "-implicit_confirm",
                "-certout", self.workshop / "none.pem", "-reqout", request, "-rspin", "/dev/null",
                *self.with_secret(), check=False)
            hidden = self.instance.drop / f".full-{number}"
            hidden.write_bytes(request.read_bytes())
            files[f"full-{number}"] = hidden
        return files


if __name__ == "__main__":
    unittest.main()
