#include "crypto/x509/x509_parts.h"

namespace cmpost {

der::Parsed<Time> read_x509_time(der::Reader& reader) {
  return reader.peek() == der::kUtcTime ? reader.utc_time() : reader.generalized_time();
}

der::Parsed<Signed> read_signed(der::Reader& reader) {
  Signed parts;
  const der::Reader before = reader;
  ASSIGN_OR_RETURN(parts.whole, reader.expect(der::kSequence));
  der::Reader inside = before.inside(parts.whole);
  ASSIGN_OR_RETURN(parts.toBeSigned, inside.expect(der::kSequence));
  ASSIGN_OR_RETURN(parts.signatureAlgorithm, read_algorithm(inside));
  ASSIGN_OR_RETURN(const der::Reader::BitString signature, inside.bit_string());
  if (signature.unused_bits != 0) return inside.fault("signature is not whole octets");
  parts.signature = signature.octets;
  TRY(inside.finish());
  return parts;
}

Result<Bytes> assemble_signed(ByteView to_be_signed, const Signer& signer) {
  ASSIGN_OR_RETURN(const Bytes signature, signer.sign(to_be_signed));
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.raw(to_be_signed);
    write(writer, signer.algorithm());
    writer.bit_string(signature);
  });
  return std::move(writer).take();
}

}  // namespace cmpost
