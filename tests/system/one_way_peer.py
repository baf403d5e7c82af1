"""The other side of a data diode, after docs/formats.md and with nothing of CMPost's code.

    one_way_peer.py pack OUT STATE FILE...     puts the files into OUT as the next batch
    one_way_peer.py unpack IN OUT              writes the files of all whole batches, tells the rest
"""

import hashlib
import re
import secrets
import sys
from datetime import datetime, timezone
from pathlib import Path

NAME = re.compile(r"([0-9a-f]{16})-(\d{10})-([1-9]\d{0,3})(?:\.(manifest)|-(.+))", re.DOTALL)


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


def make_manifest(stream, number, previous, files):
    created = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = (f"cmpost-batch 1\nstream: {stream}\nnumber: {number}\nprevious: {previous}\n"
            f"created: {created}\nfiles: {len(files)}\n")
    for name, octets in files.items():
        body += f"{sha256(octets)} {len(octets)} {name}\n"
    return (body + f"end: {sha256(body.encode())}\n").encode()


class Sender:
    """Makes batches; keeps its stream, its number and the last manifest's hash in a file."""

    def __init__(self, out, state):
        self.out, self.state = Path(out), Path(state)
        if not self.state.exists():
            self.state.write_text(f"{secrets.token_hex(8)} 0 {'0' * 64}")

    def pack(self, files, copy=1):
        """`files`: name -> octets. The names of what was written, the manifest's last."""
        stream, number, previous = self.state.read_text().split()
        number = int(number) + 1
        manifest = make_manifest(stream, number, previous, files)
        self.state.write_text(f"{stream} {number} {sha256(manifest)}")
        prefix = f"{stream}-{number:010}-{copy}"
        written = {f"{prefix}-{name}": octets for name, octets in files.items()}
        written[f"{prefix}.manifest"] = manifest
        for name, octets in written.items():
            (self.out / name).write_bytes(octets)
        return list(written)


def read_manifest(octets):
    """What the manifest says, or None when it is damaged."""
    text = octets.decode(errors="replace")
    body, _, end = text.rpartition("end: ")
    if end != sha256(body.encode()) + "\n":
        return None
    lines = body.splitlines()
    if lines[0] != "cmpost-batch 1":
        return None
    fields = dict(line.split(": ", 1) for line in lines[1:6])
    files = {name: (digest, int(size))
             for digest, size, name in (line.split(" ", 2) for line in lines[6:])}
    return fields | {"names": files}


def unpack(directory):
    """(stream, number) -> name -> octets of every whole batch; None for a torn one."""
    manifests, parts = {}, {}
    for file in Path(directory).iterdir():
        found = NAME.fullmatch(file.name)
        if not found:
            continue
        stream, number, _, is_manifest, part = found.groups()
        key = stream, int(number)
        parts.setdefault(key, {})
        if is_manifest:
            if manifest := read_manifest(file.read_bytes()):
                manifests[key] = manifest
        else:
            parts[key].setdefault(part, []).append(file)
    return {key: assemble(manifests.get(key), files) for key, files in parts.items()}


def assemble(manifest, parts):
    if manifest is None:
        return None
    whole = {}
    for name, (digest, _) in manifest["names"].items():
        copies = [file.read_bytes() for file in parts.get(name, [])]
        good = [octets for octets in copies if sha256(octets) == digest]
        if not good:
            return None
        whole[name] = good[0]
    return whole


def main():
    if len(sys.argv) > 4 and sys.argv[1] == "pack":
        files = {Path(file).name: Path(file).read_bytes() for file in sys.argv[4:]}
        print("\n".join(Sender(sys.argv[2], sys.argv[3]).pack(files)))
        return 0
    if len(sys.argv) == 4 and sys.argv[1] == "unpack":
        batches = unpack(sys.argv[2])
        last = 0
        for (stream, number), files in sorted(batches.items()):
            if number > last + 1:
                print(f"batch {last + 1} missing, {number} there", file=sys.stderr)
            last = number
            if files is None:
                print(f"batch {number} of {stream} is torn", file=sys.stderr)
            for name, octets in (files or {}).items():
                (Path(sys.argv[3]) / name).write_bytes(octets)
        return 0
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main())
