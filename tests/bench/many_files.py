#!/usr/bin/env python3
"""One directory with very many requests: how soon the first answer comes, and what memory that takes.

    many_files.py --files 100000 --answers 20000 [--overflow 40000]

Prepares FILES requests in `in`, starts the service and measures until so many answers are there. Then,
with --overflow, more files come while the service stands still, so that more events are lost than the
kernel keeps. Needs CMPOST, and MAKE_REQUESTS or CMPOST_TOOLS.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import Instance, eventually, run  # noqa: E402

TOOLS = os.environ.get("CMPOST_TOOLS", os.path.join(os.environ.get("CMPOST_BUILD", "."),
                                                    "tests/bench"))
MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", os.path.join(TOOLS, "make_requests"))
DEVICES = 100


def memory(pid):
    """MiB in use now, and at the peak."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))


def answers(instance):
    return sum(name.endswith(".pki") for name in os.listdir(instance.answers))


def move(files, drop):
    for file in files:
        file.rename(drop / file.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=20_000, help="to wait for; 0: all")
    parser.add_argument("--overflow", type=int, default=0, help="files that come in a standstill")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cmpost-many-") as place:
        instance = Instance(Path(place) / "ca")
        prepared = Path(place) / "prepared"
        run(MAKE_REQUESTS, prepared, options.files + options.overflow, "signature", DEVICES,
            timeout=3600)
        instance.trust(prepared / "vendor.pem")
        files = sorted(prepared.glob("*.pki"))
        move(files[:options.files], instance.drop)
        try:
            measure(instance, options, files[options.files:])
        finally:
            instance.stop(signal.SIGKILL)


def measure(instance, options, late):
    wanted = options.answers or options.files
    start = time.monotonic()
    instance.serve()
    eventually(lambda: answers(instance), "the first answer", timeout=120)
    print(f"first answer after {time.monotonic() - start:.2f} s with {options.files} files waiting")
    for part in (wanted // 4, wanted // 2, wanted):
        eventually(lambda: answers(instance) >= part, f"{part} answers", timeout=3600)
        now, peak = memory(instance.process.pid)
        print(f"{part} answers after {time.monotonic() - start:.1f} s, {now:.0f} MiB, peak {peak:.0f}",
              flush=True)
    if not late:
        return
    instance.process.send_signal(signal.SIGSTOP)
    move(late, instance.drop)
    instance.process.send_signal(signal.SIGCONT)
    everything = options.files + options.overflow
    eventually(lambda: answers(instance) >= everything, "every answer", timeout=3600)
    lost = instance.log.read_text().count("channel.events_lost")
    print(f"{everything} answers after {time.monotonic() - start:.1f} s, events were lost {lost} times,"
          f" peak {memory(instance.process.pid)[1]:.0f} MiB")


if __name__ == "__main__":
    main()
