"""An instance on a disk of its own, which is small, and which the test can fill."""

import os
import subprocess
import tempfile
from pathlib import Path

from instance import run


def can_mount():
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True)
        return done.returncode == 0 and run("umount", place).returncode == 0


class SmallDisk:
    """Before InstanceTest among the bases."""

    disk_size = "16m"

    def make_place(self, temporary):
        place = Path(temporary) / "disk"
        place.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={self.disk_size}", "tmpfs", place)
        self.addCleanup(run, "umount", "--lazy", place)
        return place / "ca"

    def fill_disk(self):
        """The file that makes room when it is removed."""
        ballast = self.instance.directory / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        return ballast
