"""RFC 4210's ASN.1 as python3-pyasn1-modules has it: a second opinion on the structure."""

import sys

# Debian's package, whichever python3 runs the tests.
sys.path.append("/usr/lib/python3/dist-packages")
from pyasn1.codec.der import decoder, encoder  # noqa: E402
from pyasn1_modules import rfc4210  # noqa: E402


def read(der):
    """The message; ValueError when it is not exactly one, in DER."""
    try:
        message, rest = decoder.decode(der, asn1Spec=rfc4210.PKIMessage())
    except Exception as fault:  # pyasn1 has many
        raise ValueError(str(fault)) from fault
    if rest or encoder.encode(message) != der:
        raise ValueError("not what DER would be")
    return message


def body_of(der):
    return read(der)["body"].getName()
