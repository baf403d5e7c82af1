#include "cmp/crmf.h"

#include <algorithm>

#include "cmp/reading.h"
#include "cmp/writing.h"

namespace cmpost {

const Attribute* find(const Controls& controls, const Oid& type) {
  const auto found = std::find_if(controls.begin(), controls.end(),
                                  [&](const auto& control) { return control.type == type; });
  return found == controls.end() ? nullptr : &*found;
}

namespace {

// The value of a control is one element and nothing behind it.
template <typename Read>
der::Parsed<codec::ValueOf<Read>> only(ByteView value, Read&& read) {
  der::Reader reader(value);
  auto parsed = read(reader);
  if (!parsed) return parsed;
  TRY(reader.finish());
  return parsed;
}

}  // namespace

der::Parsed<CertId> read_cert_id(ByteView value) {
  return only(value, [](der::Reader& at) { return codec::read_cert_id(at); });
}

der::Parsed<PKIPublicationInfo> read_publication_info(ByteView value) {
  return only(value, [](der::Reader& at) { return codec::read_publication_info(at); });
}

der::Parsed<CertTemplate> read_cert_template(ByteView value) {
  return only(value, [](der::Reader& at) { return codec::read_cert_template(at, {}); });
}

void write(der::Writer& writer, const CertId& id, der::Tag tag) {
  writer.constructed(tag, [&] {
    codec::write_general_name(writer, id.issuer);
    writer.big_integer(id.serialNumber);
  });
}

Bytes encode(const CertRequest& request) {
  der::Writer writer;
  codec::write_cert_request(writer, request);
  return std::move(writer).take();
}

Bytes encode(const POPOSigningKeyInput& input) {
  der::Writer writer;
  codec::write_signing_key_input(writer, input, der::kSequence);
  return std::move(writer).take();
}

Bytes encode(const CertTemplate& certTemplate) {
  der::Writer writer;
  codec::write_cert_template(writer, certTemplate);
  return std::move(writer).take();
}

}  // namespace cmpost
