"""Asks Wireshark's CMP dissector, an independent reader, what it makes of a PKIMessage."""

import shutil
import struct
import subprocess
import tempfile
from xml.etree import ElementTree

LINKTYPE_RAW_IP = 101


def available():
    return shutil.which("tshark") is not None


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(sequence, payload):
    """An IPv4 packet with a piece of a TCP stream from a web server."""
    tcp = struct.pack("!HHIIBBHHH", 80, 50000, sequence, 1, 5 << 4, 0x18, 65535, 0, 0)
    size = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 1, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return ip + tcp + payload


def capture(der):
    """A capture file in which `der` is the body of an HTTP answer (RFC 9811)."""
    stream = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\n"
        b"Content-Length: %d\r\n\r\n" % len(der)
    ) + der
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, LINKTYPE_RAW_IP)
    step = 1400
    for start in range(0, len(stream), step):
        octets = packet(1 + start, stream[start : start + step])
        file += struct.pack("<IIII", 0, start, len(octets), len(octets)) + octets
    return file


def dissect(der):
    """(field, value as shown) pairs of everything that the dissector found."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(capture(der))
        file.flush()
        done = subprocess.run(
            ["tshark", "-r", file.name, "-T", "pdml", "-o", "tcp.check_checksum:FALSE"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True,
        )
    nodes = ElementTree.fromstring(done.stdout).iter()
    return [(node.get("name"), node.get("showname") or node.get("show")) for node in nodes
            if node.tag in ("proto", "field")]


def complaints(fields):
    """What the dissector found malformed; an OID that it has no dissector for is none."""
    return [
        (name, shown) for name, shown in fields
        if name == "_ws.malformed" or "BER Error" in (shown or "")
    ]


def body_number(fields):
    """The tag of the PKIBody, of a nested message the outer one; None when there is no CMP message."""
    shown = next((shown for name, shown in fields if name == "cmp.body"), None)
    return int(shown.rstrip(")").rsplit("(", 1)[1]) if shown else None
