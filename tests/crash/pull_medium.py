#!/usr/bin/env python3
"""Pulls a medium out again and again while CMPost copies from it and writes to it.

    pull_medium.py --requests 300 --pulls 50 [--seed N] [--medium ext4|fat|exfat|ntfs|renamed]

The medium is a file system in a file. To pull it out it is stopped at a random moment, and mounted
again: ext4 is shut down as by a loss of power (what was not synced is gone, every call fails); the
others, as sticks have them, are served by programs (FUSE), which are killed (what they had not
written is gone, every call fails). In the end each request that was put on it must have exactly one
answer on it and exactly one certificate. Where mounting is not allowed the medium is a directory that
is renamed away and back: then nothing written is lost, but it goes as suddenly. Needs CMPOST and
MAKE_REQUESTS.
"""

import argparse
import collections
import errno
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import Instance, eventually, run  # noqa: E402

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 10
SHUT_DOWN, WITHOUT_FLUSHING = 0x8004587D, struct.pack("I", 2)  # EXT4_IOC_SHUTDOWN


class MountedMedium:
    """A file system in a file, which a pull leaves as a loss of power does."""

    def __init__(self, directory):
        self.image, self.place = Path(directory) / "image", Path(directory) / "medium"
        self.place.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(16 << 20)
        run("mkfs.ext4", "-q", self.image)
        self.put_in()

    def put_in(self):
        run("mount", "-o", "loop", self.image, self.place)

    def pull(self):
        root = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(root, SHUT_DOWN, WITHOUT_FLUSHING)
        os.close(root)
        # Mounted again too early it would be the dead one still; nobody may keep it open for long.
        eventually(lambda: run("umount", self.place, check=False).returncode == 0,
                   "nobody to use the medium any more", timeout=60)

    def end(self):
        run("umount", "--lazy", self.place, check=False)


class ServedMedium:
    """A file system in a file that a program serves."""

    MAKE = {"fat": ["mkfs.vfat", "-F", "32"], "exfat": ["mkfs.exfat"],
            "ntfs": ["mkfs.ntfs", "--force", "--fast", "--quiet"]}

    def __init__(self, directory, kind):
        self.kind, self.server, self.device = kind, None, None
        self.image, self.place = Path(directory) / "image", Path(directory) / "medium"
        self.place.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(64 << 20)
        run(*self.MAKE[kind], self.image)
        if kind == "exfat":  # its program takes nothing but a device
            self.device = run("losetup", "--find", "--show", self.image).stdout.strip()
        self.put_in()

    def command(self):
        if self.kind == "fat":
            return ["fusefat", "-f", "-o", "rw+", self.image, self.place]
        if self.kind == "exfat":
            return ["mount.exfat-fuse", "-d", self.device, self.place]
        return ["ntfs-3g", "-o", "no_detach", self.image, self.place]

    def put_in(self):
        self.server = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.place.is_mount, f"{self.kind} to be mounted", timeout=10)

    def pull(self):
        self.server.kill()
        self.server.wait()
        run("umount", "--lazy", self.place)

    def end(self):
        self.server.kill()
        self.server.wait()
        run("umount", "--lazy", self.place, check=False)
        if self.device:
            run("losetup", "--detach", self.device, check=False)


class RenamedMedium:
    """A directory that goes and comes."""

    def __init__(self, directory):
        self.place, self.away = Path(directory) / "medium", Path(directory) / "away"
        self.place.mkdir()

    def put_in(self):
        self.away.rename(self.place)

    def pull(self):
        self.place.rename(self.away)

    def end(self):
        pass


def make_medium(directory, kind):
    if kind != "renamed":
        try:
            mounted = MountedMedium(directory) if kind == "ext4" else ServedMedium(directory, kind)
            mounted.pull()
            mounted.put_in()
            return mounted
        except (AssertionError, OSError) as error:
            print(f"no mounting here, so the medium is renamed: {error}", flush=True)
            shutil.rmtree(Path(directory) / "medium", ignore_errors=True)
    return RenamedMedium(directory)


class PullLoop:
    def __init__(self, directory, options):
        self.directory, self.options = Path(directory), options
        self.random = random.Random(options.seed)
        self.instance = Instance(self.directory / "ca", self.directory / "log")
        self.medium = make_medium(directory, options.medium)
        self.prepared = self.directory / "prepared"

    def prepare(self):
        run(MAKE_REQUESTS, self.prepared, self.options.requests, "signature", DEVICES)
        self.instance.trust(self.prepared / "vendor.pem")
        self.inbox, self.outbox = self.medium.place / "in", self.medium.place / "out"
        for place in (self.inbox, self.outbox):
            place.mkdir()
        os.sync()
        for key, value in {"in": self.inbox, "out": self.outbox}.items():
            self.instance.set_in_channel(key, f'"{value}"')
        self.instance.set_in_channel("media", "true")
        self.instance.set_in_channel("settle", '"100ms"')
        self.instance.set_in_channel("poll", '"100ms"')
        self.waiting = sorted(self.prepared.glob("*.pki"))

    def put_on(self, count):
        """As somebody does who copies files to a stick elsewhere and lets it finish."""
        for file in self.waiting[:count]:
            self.copy(file)
        del self.waiting[:count]
        subprocess.run(["sync", "-f", self.medium.place], check=True)

    def copy(self, file):
        """The program that serves the medium may die by itself, which is one more pull."""
        for last in (False, False, True):
            try:
                shutil.copyfile(file, self.inbox / f".{file.name}")
                (self.inbox / f".{file.name}").rename(self.inbox / file.name)
                return
            except OSError as error:
                if last or error.errno != errno.ENOTCONN:
                    raise
                self.medium.pull()
                self.medium.put_in()

    def run(self):
        self.instance.serve()
        portion = -(-self.options.requests // self.options.pulls)
        for _ in range(self.options.pulls):
            self.medium.pull()
            self.medium.put_in()
            self.put_on(portion)
            time.sleep(self.random.uniform(0, 0.8))
        self.put_on(len(self.waiting))
        # The channel may rest from a failure at the moment of the last pull: seconds, not minutes.
        eventually(lambda: len(self.answers()) >= self.options.requests, "all answers", timeout=60)
        eventually(self.is_done, "all jobs to be done", timeout=60)
        time.sleep(0.5)  # for a second answer, if there were one

    def answers(self):
        """Empty files stay where a name was taken for an answer, see docs/configuration.md."""
        links = self.options.medium not in ("fat", "exfat")
        return [name for name in os.listdir(self.outbox) if not name.startswith(".")
                and (links or (self.outbox / name).stat().st_size > 0)]

    def is_done(self):
        """Also of an answer that lay there when its medium went, and that is looked at again."""
        jobs = self.instance.json("queue", "list", "--limit", "1000000")
        return all(job["state"] == "done" for job in jobs)

    def complaints(self):
        stems = collections.Counter(name.split(".")[0] for name in self.answers())
        expected = {f"{number:06}" for number in range(1, self.options.requests + 1)}
        issued = self.instance.json("cert", "list", "--all", "--channel", "drop")
        jobs = self.instance.json("queue", "list", "--limit", "1000000")
        requests = [job for job in jobs if job["queue"] == "requests"]
        left = [name for name in os.listdir(self.inbox) if not name.startswith(".")]
        return list(filter(None, [
            set(stems) != expected and f"{len(expected - set(stems))} answers are missing",
            max(stems.values()) > 1 and "answers were written twice",
            len(issued) != len(expected) and f"{len(issued)} certificates were issued",
            len(requests) != len(expected) and f"{len(requests)} jobs were made",
            left and f"left on the medium: {left[:5]}",
            [job for job in jobs if job["state"] != "done"] and "jobs are not done",
        ]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--pulls", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--medium", choices=["ext4", *ServedMedium.MAKE, "renamed"], default="ext4")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="cmpost-medium-")
    loop = PullLoop(directory, options)
    start = time.monotonic()
    complaints = ["it did not come to an end"]
    try:
        loop.prepare()
        loop.run()
        loop.instance.stop()
        complaints = loop.complaints()
    finally:
        loop.instance.stop()
        loop.medium.end()
        if complaints:
            print(Path(directory, "log").read_text()[-6000:])
    kind = type(loop.medium).__name__
    for complaint in complaints:
        print(complaint)
    print(f"{options.pulls} pulls of a {kind}, {options.requests} requests, "
          f"{time.monotonic() - start:.0f} s: "
          f"{'BAD, see ' + directory if complaints else 'nothing lost, nothing doubled'}")
    if not complaints:
        shutil.rmtree(directory)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
