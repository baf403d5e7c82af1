#!/usr/bin/env python3
"""Runs what a profile is made of: a batch, single requests by signature, and some by MAC.

Called by scripts/build-tuned.sh, whose program writes down what it does.
"""

import os
import tempfile
from pathlib import Path

from bench import PROGRAM, Fleet, run

COUNTS = {"nested": 2000, "signature": 1000, "mac": 300}


def main():
    with tempfile.TemporaryDirectory(prefix="cmpost-train-") as place:
        # The tool that makes requests is not what the profile is for.
        os.environ["GCOV_PREFIX"] = place
        fleets = [Fleet(place, kind, count) for kind, count in COUNTS.items()]
        del os.environ["GCOV_PREFIX"]
        for fleet in fleets:
            instance = fleet.new_instance(Path(place) / f"instance-{fleet.kind}")
            fleet.put_into(instance.drop)
            run(PROGRAM, "run", "--quiet", cwd=instance.directory, timeout=600)
            answers = len(list(instance.answers.glob("*.pki")))
            assert answers == (1 if fleet.kind == "nested" else fleet.count), f"{answers} answers"


if __name__ == "__main__":
    main()
