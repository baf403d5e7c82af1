// What certificates and CRLs have in common; for this folder only.
#pragma once

#include "base/clock.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/signature.h"

namespace cmpost {

// Time ::= CHOICE { utcTime, generalTime }.
der::Parsed<Time> read_x509_time(der::Reader& reader);

// SEQUENCE { toBeSigned, signatureAlgorithm, signature }, as certificates, CRLs and PKCS#10 have
// it. Views into the reader's input.
struct Signed {
  der::Element whole;
  der::Element toBeSigned;
  AlgorithmIdentifier signatureAlgorithm;
  ByteView signature;
};
der::Parsed<Signed> read_signed(der::Reader& reader);
Result<Bytes> assemble_signed(ByteView to_be_signed, const Signer& signer);

}  // namespace cmpost
