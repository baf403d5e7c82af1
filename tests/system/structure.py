"""RFC 4210's ASN.1 as python3-pyasn1-modules has it: a second opinion on the structure."""

import sys

# Debian's packages, which fit each other, whichever python3 runs the tests and whatever it has.
DEBIAN = "/usr/lib/python3/dist-packages"
sys.path.insert(0, DEBIAN)
from pyasn1.codec.der import decoder  # noqa: E402
from pyasn1_modules import rfc4210  # noqa: E402

sys.path.remove(DEBIAN)


def read(der):
    """The message; ValueError when it is not exactly one."""
    try:
        message, rest = decoder.decode(der, asn1Spec=rfc4210.PKIMessage())
    except Exception as fault:  # pyasn1 has many
        raise ValueError(str(fault)[:200]) from fault
    if rest:
        raise ValueError("more than a message")
    return message


def body_of(der):
    return read(der)["body"].getName()
