"""What a disk has after a loss of power: a model from the trace that faults/ writes.

Only contents that were synced survive. Of the names, `strict` keeps those whose directory was
synced (what POSIX promises); `names` keeps every one (what a file system may do: the name is there
before the octets are).
"""

import os
import shutil
from pathlib import Path


class File:
    def __init__(self, contents=b""):
        self.contents, self.synced = bytearray(contents), bytes(contents)

    def sync(self):
        self.synced = bytes(self.contents)


class Directory:
    def __init__(self):
        self.entries, self.synced = {}, {}

    def sync(self):
        self.synced = dict(self.entries)


def records(trace):
    """The records of a trace; a last one that is cut off counts as none."""
    data, at = trace.read_bytes() if trace.exists() else b"", 0
    while at < len(data):
        words = []
        for _ in range(4):
            colon = data.find(b":", at)
            if colon < 0:
                return
            end = colon + 1 + int(data[at:colon])
            if end >= len(data):
                return
            words.append(data[colon + 1:end])
            at = end + 1
        yield words


class Disk:
    """`root` as it is now, all of it synced."""

    def __init__(self, root):
        self.root = Path(root)
        self.top = self.read(self.root)

    def read(self, place):
        directory = Directory()
        for entry in os.scandir(place):
            if entry.is_dir(follow_symlinks=False):
                directory.entries[entry.name] = self.read(entry.path)
            elif entry.is_file(follow_symlinks=False):
                directory.entries[entry.name] = File(Path(entry.path).read_bytes())
        directory.sync()
        return directory

    def find(self, path):
        node = self.top
        for name in Path(path).relative_to(self.root).parts:
            node = node.entries.get(name) if isinstance(node, Directory) else None
        return node

    def parent(self, path):
        return self.find(Path(path).parent)

    def replay(self, trace):
        for what, *words in records(trace):
            getattr(self, "on_" + what.decode())(*words)

    def on_create(self, path, *_):
        path = os.fsdecode(path)
        self.parent(path).entries[os.path.basename(path)] = File()

    def on_mkdir(self, path, *_):
        path = os.fsdecode(path)
        self.parent(path).entries[os.path.basename(path)] = Directory()

    def on_write(self, path, offset, octets):
        file, offset = self.find(os.fsdecode(path)), int(offset)
        if not isinstance(file, File):
            return  # has no name any more
        if len(file.contents) < offset:
            file.contents.extend(bytes(offset - len(file.contents)))
        file.contents[offset:offset + len(octets)] = octets

    def on_truncate(self, path, size, *_):
        file, size = self.find(os.fsdecode(path)), int(size)
        if isinstance(file, File):
            del file.contents[size:]
            file.contents.extend(bytes(size - len(file.contents)))

    def on_sync(self, path, *_):
        node = self.find(os.fsdecode(path))
        if node is not None:
            node.sync()

    def on_rename(self, old, new, *_):
        old, new = os.fsdecode(old), os.fsdecode(new)
        node = self.parent(old).entries.pop(os.path.basename(old))
        self.parent(new).entries[os.path.basename(new)] = node

    def on_link(self, old, new, *_):
        old, new = os.fsdecode(old), os.fsdecode(new)
        self.parent(new).entries[os.path.basename(new)] = self.find(old)

    def on_unlink(self, path, *_):
        path = os.fsdecode(path)
        self.parent(path).entries.pop(os.path.basename(path), None)

    def lose_power(self, names):
        """Makes `root` what a machine finds that starts again."""
        self.write(self.top, self.root, names)

    def write(self, directory, place, names):
        kept = directory.entries if names == "names" else directory.synced
        for entry in list(os.scandir(place)):
            # Shared memory of SQLite; made again.
            if entry.name not in kept or entry.name.endswith("-shm"):
                remove(entry)
        for name, node in kept.items():
            if name.endswith("-shm"):
                continue
            path = place / name
            if isinstance(node, Directory):
                path.mkdir(exist_ok=True)
                self.write(node, path, names)
            elif not path.exists() or path.read_bytes() != node.synced:
                new = not path.exists()
                path.write_bytes(node.synced)
                if new:
                    path.chmod(0o600)


def remove(entry):
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    elif entry.is_file(follow_symlinks=False):
        os.unlink(entry.path)
