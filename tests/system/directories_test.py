"""Directories as they are in the field: rules of completeness, careless peers, media, limits."""

import hashlib
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

from careless_peer import CarelessPeer
from instance import InstanceTest, eventually, run


class DirectoryTest(InstanceTest):
    def set(self, **settings):
        for key, value in settings.items():
            self.instance.set_in_channel(key, value)

    def notes(self):
        return " ".join(self.instance.json("status")["channels"][0]["notes"])


class AmongCarelessPeers(DirectoryTest):
    def prepare(self):
        stage = self.instance.directory / "stage"
        stage.mkdir()
        self.set(ready='"stable"', settle='"300ms"', poll='"500ms"', staging='"stage"', pace='"1s"')

    def test_a_careless_peer_gets_whole_answers_and_is_understood(self):
        peer = CarelessPeer(self.instance.drop, self.instance.answers)
        self.addCleanup(peer.end)
        names = []
        for number in range(3):
            request = self.request(f"dev{number}").read_bytes()
            # One request a second is what its names can tell apart.
            time.sleep(1.05 - time.time() % 1)
            names.append(peer.write(request))
        self.assertEqual(0, peer.overwritten)
        self.assertEqual(3, len(set(names)))
        eventually(lambda: len(peer.taken) >= 3, "three answers")
        for name, octets in peer.taken.items():
            self.assertRegex(name, r"^REQ_\d{12}Z\.ip\.pki$", "no other name was ever there")
            file = self.workshop / "answer.pki"
            file.write_bytes(octets)
            self.assertIn("ip", self.instance.cmpost("inspect", file).stdout)
        self.assertEqual(3, len(self.certificates()))
        self.assertFalse(any(self.instance.quarantine.iterdir()), "nothing was taken half written")


class WithMarkers(DirectoryTest):
    def prepare(self):
        self.set(ready='"marker"', settle='"500ms"', poll='"1s"')

    def test_a_file_waits_for_its_marker_and_its_hash_is_checked(self):
        good, bad = self.request("good").read_bytes(), self.request("bad").read_bytes()
        (self.instance.drop / "good.pki").write_bytes(good)
        (self.instance.drop / "bad.pki").write_bytes(bad)
        (self.instance.drop / "bad.pki.done").write_text(hashlib.sha256(good).hexdigest())
        eventually(lambda: (self.instance.quarantine / "bad.pki").exists(), "the quarantine")
        self.assertTrue((self.instance.drop / "good.pki").exists())
        sums = run("sha256sum", "good.pki", cwd=self.instance.drop).stdout
        (self.instance.drop / "good.pki.done").write_text(sums)
        self.instance.answer("good")


class WithLists(DirectoryTest):
    def prepare(self):
        self.set(ready='"manifest"', settle='"500ms"', poll='"1s"')

    def test_a_list_of_sha256sum_is_taken_whole(self):
        for name in ("a", "b"):
            self.instance.put(f"{name}.pki", self.request(name).read_bytes())
        sums = run("sha256sum", "a.pki", "b.pki", cwd=self.instance.drop).stdout
        held_back = (self.instance.drop / "b.pki").read_bytes()
        (self.instance.drop / "b.pki").unlink()
        self.instance.put("all.sha256", sums.encode())
        eventually(lambda: "waits for 1 of 2 files: b.pki" in self.instance.log.read_text(),
                   "the log to say what is missing")
        self.assertFalse(self.certificates())
        self.instance.put("b.pki", held_back)
        self.instance.answer("a")
        self.instance.answer("b")


class PolledFileSystem(DirectoryTest):
    """`in` is behind FUSE, where nobody tells of what others write."""

    def prepare(self):
        if not self.mount():
            raise unittest.SkipTest("needs bindfs and the right to mount")

    def mount(self):
        self.behind = self.workshop / "behind"
        self.behind.mkdir()
        try:
            done = subprocess.run(["bindfs", self.behind, self.instance.drop], capture_output=True)
        except FileNotFoundError:
            return False
        if done.returncode == 0:
            self.addCleanup(run, "umount", "--lazy", self.instance.drop)
            self.set(poll='"300ms"')
        return done.returncode == 0

    def test_is_polled_by_itself(self):
        eventually(lambda: "file_system=fuse by=polling" in self.instance.log.read_text(), "the log")
        request = self.request("dev").read_bytes()
        (self.behind / ".dev.pki").write_bytes(request)
        (self.behind / ".dev.pki").rename(self.behind / "dev.pki")
        self.instance.answer("dev")


class UnderLimits(DirectoryTest):
    def prepare(self):
        self.set(min_free='"1024GiB"')

    def test_a_full_disk_leaves_input_where_it_is(self):
        self.instance.put("dev.pki", self.request("dev").read_bytes())
        eventually(lambda: "nearly full" in self.notes(), "the status to tell")
        self.assertTrue((self.instance.drop / "dev.pki").exists())
        self.assertEqual(1, self.instance.log.read_text().count("channel.paused"))
        self.instance.stop()
        self.set(min_free='"1MiB"')
        self.instance.serve()
        self.instance.answer("dev")
        eventually(lambda: "full" not in self.notes(), "the note to go")


class ManyFiles(DirectoryTest):
    """The short form of tests/bench/many_files.py."""

    serve = False

    def test_a_full_directory_is_worked_off_from_its_first_moment(self):
        bench = Path(__file__).resolve().parents[1] / "bench/many_files.py"
        done = run(sys.executable, bench, "--files", "400", "--answers", "20", env=os.environ)
        self.assertIn("first answer", done.stdout)


if __name__ == "__main__":
    unittest.main()
