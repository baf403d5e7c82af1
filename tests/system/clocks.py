"""The clocks of a machine and of the world around it, moved by a library in front of the C library."""

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from instance import run


class Clocks:
    """Time passes for everybody who has self.world, and is wrong for who has self.machine: what to
    add to the environment."""

    def __init__(self, directory):
        library = Path(directory) / "wrong_clock.so"
        run("cc", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("wrong_clock.c"))
        self.wrong_file, self.passed_file = Path(directory) / "wrong", Path(directory) / "passed"
        self.passed = 0
        self.let_pass()
        self.be_wrong_by()
        # A sanitizer's runtime would like to be the first library.
        options = os.environ.get("ASAN_OPTIONS", "")
        self.world = {
            "LD_PRELOAD": str(library), "TIME_PASSED": str(self.passed_file),
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0",
        }
        self.machine = {**self.world, "WRONG_CLOCK": str(self.wrong_file)}

    def let_pass(self, **duration):
        self.passed += int(timedelta(**duration).total_seconds())
        write(self.passed_file, self.passed)

    def be_wrong_by(self, **duration):
        write(self.wrong_file, int(timedelta(**duration).total_seconds()))

    def now(self):
        """In the world."""
        return datetime.now(timezone.utc) + timedelta(seconds=self.passed)


def write(file, seconds):
    new = file.with_suffix(".new")
    new.write_text(f"{seconds}\n")
    new.rename(file)
