"""A peer that exchanges files without any care, as some do (LightweightCmpRa's file mode).

It takes any file that it sees in `theirs`, whatever its name and however much of it is there, and
removes it before it does anything with it. What it writes to `ours` it writes in place and in pieces,
under names that change once a second.
"""

import threading
import time
from pathlib import Path


class CarelessPeer:
    def __init__(self, ours, theirs):
        self.ours, self.theirs = Path(ours), Path(theirs)
        self.taken = {}  # name -> octets, as found
        self.overwritten = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.take_for_ever, daemon=True)
        self.thread.start()

    def end(self):
        self.stop.set()
        self.thread.join()

    def take_for_ever(self):
        while not self.stop.wait(0.001):
            for file in list(self.theirs.iterdir()):
                if not file.is_file():
                    continue
                try:
                    octets = file.read_bytes()
                    file.unlink()
                except FileNotFoundError:
                    continue
                self.taken[file.name] = octets

    def write(self, octets, pieces=4, pause=0.05):
        """The name that the octets got, if nothing came in between."""
        name = time.strftime("REQ_%y%m%d%H%M%SZ.der", time.gmtime())
        self.overwritten += (self.ours / name).exists()
        size = -(-len(octets) // pieces)
        with open(self.ours / name, "wb", buffering=0) as file:
            for start in range(0, len(octets), size):
                file.write(octets[start:start + size])
                time.sleep(pause)
        return name
