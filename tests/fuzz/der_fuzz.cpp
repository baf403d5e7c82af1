// The DER reader, names and algorithm identifiers on hostile octets; what was accepted is written
// again and must be the same octets.
#include "asn1/name.h"
#include "crypto/keys/signature.h"
#include "crypto/secrets/mac_parameters.h"
#include "crypto/x509/certificate.h"
#include "fuzz.h"

namespace {

using cmpost::ByteView;
using cmpost::der::Element;
using cmpost::der::Reader;
using cmpost::der::Writer;

constexpr int kMaxDepth = 20;

void check_rewritten(const Element& element, const Writer& writer) {
  CHECK(cmpost::equal(writer.bytes(), element.whole));
}

// A reader is tried where its type may be meant: on its own tag and on every implicit one.
bool may_be(const Element& element, cmpost::der::Tag tag) {
  return element.tag == tag || (element.tag & 0xe0) == 0x80;
}

// Types with one encoding for each value must give back the same octets.
void rewrite(const Element& element) {
  using namespace cmpost::der;
  Reader reader(element.whole);
  Writer writer;
  if (may_be(element, kInteger)) {
    if (const auto value = Reader(reader).integer(element.tag)) {
      writer.integer(*value, element.tag);
      check_rewritten(element, writer);
    }
  }
  if (element.tag == kBoolean) {
    if (const auto value = Reader(reader).boolean()) {
      writer.boolean(*value);
      check_rewritten(element, writer);
    }
  }
  if (element.tag == kBitString) {
    if (const auto value = Reader(reader).bit_string()) {
      writer.bit_string(value->octets, value->unused_bits);
      check_rewritten(element, writer);
    }
  }
  if (element.tag == kOid) {
    if (const auto value = Reader(reader).object_identifier()) {
      writer.object_identifier(*value);
      check_rewritten(element, writer);
      CHECK(value->dotted().size() > 50 || cmpost::Oid::from_dotted(value->dotted()) == *value);
    }
  }
}

void read_texts(const Element& element) {
  using namespace cmpost::der;
  if (may_be(element, kUtf8String)) (void)Reader(element.whole).utf8_string(element.tag);
  if (may_be(element, kGeneralizedTime)) (void)Reader(element.whole).generalized_time(element.tag);
  if (element.tag == kUtcTime) (void)Reader(element.whole).utc_time();
}

void read_structures(const Element& element) {
  Reader names(element.whole), general_names(element.whole), algorithms(element.whole);
  if (element.tag != cmpost::der::kSequence) {
    const auto name = cmpost::read_general_name(general_names);
    if (!name) return;
    (void)name->text();
    (void)name->directory_name();
    return;
  }
  if (const auto name = cmpost::Name::read(names)) {
    (void)name->text();
    (void)name->comparison_key();
    CHECK(name->same(*name));
  }
  if (const auto algorithm = cmpost::read_algorithm(algorithms)) {
    (void)cmpost::signature_scheme(*algorithm);
    if (const auto mac = cmpost::mac_parameters(*algorithm, {})) {
      CHECK(cmpost::mac_parameters(cmpost::to_algorithm(*mac), {}).has_value());
    }
  }
}

void walk(Reader reader, int depth) {
  while (!reader.at_end()) {
    const auto element = reader.any();
    if (!element) return;
    rewrite(*element);
    read_texts(*element);
    if ((element->tag & 0xc0) != 0 || element->tag == cmpost::der::kSequence) {
      read_structures(*element);
    }
    if ((element->tag & 0x20) != 0 && depth < kMaxDepth) walk(reader.inside(*element), depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  walk(Reader(input), 0);
  (void)cmpost::Name::from_text(cmpost::text_of(input));
  (void)cmpost::GeneralName::from_text(cmpost::text_of(input));
  return 0;
}
