"""The other side of a courier, after docs/formats.md and with nothing of CMPost's code: its
signatures are made and looked at by `openssl cms`."""

import re
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from instance import run
from one_way_peer import NAME, sha256

CREATED = "2026-11-21T08:00:00Z"


def credential(directory, name, *extensions):
    """A key and a certificate of its own for it, as files."""
    key, certificate = Path(directory) / f"{name}.key", Path(directory) / f"{name}.pem"
    more = [word for one in extensions for word in ("-addext", one)]
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", key, "-out", certificate, "-subj", f"/CN={name}", "-days", "30", *more)
    key.chmod(0o600)
    return certificate, key


def sign(octets, certificate, key, *more):
    with tempfile.TemporaryDirectory() as place:
        content, signature = Path(place) / "content", Path(place) / "signature"
        content.write_bytes(octets)
        run("openssl", "cms", "-sign", "-binary", "-in", content, "-signer", certificate,
            "-inkey", key, "-outform", "DER", "-out", signature, *more)
        return signature.read_bytes()


def is_signed(octets, signature, anchor):
    with tempfile.TemporaryDirectory() as place:
        content, file = Path(place) / "content", Path(place) / "signature"
        content.write_bytes(octets)
        file.write_bytes(signature)
        return run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", file,
                   "-content", content, "-CAfile", anchor, "-purpose", "any", "-out", "/dev/null",
                   check=False).returncode == 0


@dataclass
class Bundle:
    stream: str
    number: int
    manifest: bytes
    signature: bytes
    fields: dict = field(default_factory=dict)  # key -> values of its lines
    kinds: dict = field(default_factory=dict)  # name -> kind
    files: dict = field(default_factory=dict)  # name -> octets, of those that are whole


class Sender:
    def __init__(self, out, name, certificate, key):
        self.out, self.name = Path(out), name
        self.certificate, self.key = certificate, key
        self.stream, self.number, self.previous = secrets.token_hex(8), 0, "0" * 64

    def manifest(self, files, to, purpose="requests", received=None, kind=None):
        lines = [f"cmpost-batch 2\nstream: {self.stream}\nnumber: {self.number}",
                 f"previous: {self.previous}\ncreated: {CREATED}\nfrom: {self.name}\nto: {to}",
                 f"purpose: {purpose}\nsealed: no"]
        lines += [f"received: {stream} {ranges}" for stream, ranges in (received or {}).items()]
        lines += [f"files: {len(files)}"]
        lines += [f"{sha256(octets)} {len(octets)} {kind or purpose} {name}"
                  for name, octets in files.items()]
        body = "\n".join(lines) + "\n"
        return (body + f"end: {sha256(body.encode())}\n").encode()

    def pack(self, files, to, copy=1, **more):
        """`files`: name -> octets. The paths of what was written, the manifest's last."""
        self.number += 1
        manifest = self.manifest(files, to, **more)
        self.previous = sha256(manifest)
        prefix = f"{self.stream}-{self.number:010}-{copy}"
        written = {f"{prefix}-{name}": octets for name, octets in files.items()}
        written[f"{prefix}-manifest.p7s"] = sign(manifest, self.certificate, self.key)
        written[f"{prefix}.manifest"] = manifest
        for name, octets in written.items():
            (self.out / name).write_bytes(octets)
        return [self.out / name for name in written]


def unpack(directory):
    """The bundles in it, by number; of several copies the last."""
    bundles = {}
    for path in sorted(Path(directory).iterdir()):
        name = NAME.fullmatch(path.name)
        if not name or not name[4]:
            continue
        prefix = path.name[:-len(".manifest")]
        text = path.read_bytes().decode()
        body, _, end = text.rpartition("end: ")
        assert end == sha256(body.encode()) + "\n", path
        lines = body.splitlines()
        assert lines[0] == "cmpost-batch 2", path
        count = next(i for i, line in enumerate(lines) if line.startswith("files: "))
        signature = path.parent / f"{prefix}-manifest.p7s"
        bundle = Bundle(name[1], int(name[2]), path.read_bytes(),
                        signature.read_bytes() if signature.exists() else b"")
        for line in lines[1:count]:
            key, value = line.split(": ", 1)
            bundle.fields.setdefault(key, []).append(value)
        assert len(lines) == count + 1 + int(lines[count].split()[1]), path
        for line in lines[count + 1:]:
            digest, size, kind, part = re.fullmatch(r"(\S+) (\d+) (\S+) (.+)", line).groups()
            bundle.kinds[part] = kind
            file = path.parent / f"{prefix}-{part}"
            if file.exists() and sha256(file.read_bytes()) == digest:
                assert len(file.read_bytes()) == int(size)
                bundle.files[part] = file.read_bytes()
        bundles[bundle.number] = bundle
    return bundles
