// Whether DER that is copied from others is DER inside, too, and such that others can read it: the
// contents of every value as far as the universal tags tell what it is. What a `der::Reader` of a
// known type checks on its way is checked here for types that nobody here knows.
#pragma once

#include "asn1/der.h"

namespace cmpost::der {

constexpr Tag kNumericString = 0x12, kVisibleString = 0x1a, kUniversalString = 0x1c,
              kBmpString = 0x1e, kEnumerated = 0x0a;

// The characters of a string type: UTF-8 that is none, a BMPString of odd length, a PrintableString
// with an '@'. A Fault (without offset) says what is wrong. Of other types nothing is said.
Parsed<void> check_string(const Element& element);

// All elements of `input`, whatever is nested in them, but for what is wrapped in strings.
Parsed<void> check_form(ByteView input);

// The elements of a SET OF, in the order of X.690 11.6 and no one twice.
Parsed<void> check_set_of(Reader set);

// Go keeps the arcs of an OBJECT IDENTIFIER in 31 bits, Python's cryptography did in 28, and they
// read nothing of a certificate with a larger one where they look at it.
bool has_readable_arcs(const Oid& oid);

}  // namespace cmpost::der
