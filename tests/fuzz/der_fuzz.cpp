// The DER reader, names and algorithm identifiers on hostile octets; what was accepted is written
// again and must be the same octets.
#include "crypto/certificate.h"
#include "crypto/mac.h"
#include "crypto/name.h"
#include "crypto/signature.h"
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

// Each typed reader on each element; those with one encoding per value must give it back.
void read_typed(const Element& element) {
  if (const auto value = Reader(element.whole).integer(element.tag)) {
    Writer writer;
    writer.integer(*value, element.tag);
    check_rewritten(element, writer);
  }
  if (const auto value = Reader(element.whole).boolean(element.tag)) {
    Writer writer;
    writer.boolean(*value, element.tag);
    check_rewritten(element, writer);
  }
  if (const auto value = Reader(element.whole).bit_string(element.tag)) {
    Writer writer;
    writer.bit_string(value->octets, value->unused_bits, element.tag);
    check_rewritten(element, writer);
  }
  if (const auto value = Reader(element.whole).object_identifier(element.tag)) {
    Writer writer;
    writer.object_identifier(*value, element.tag);
    check_rewritten(element, writer);
    CHECK(cmpost::Oid::from_dotted(value->dotted()) == *value || value->dotted().size() > 50);
  }
  (void)Reader(element.whole).utf8_string(element.tag);
  (void)Reader(element.whole).generalized_time(element.tag);
  (void)Reader(element.whole).utc_time(element.tag);
}

void read_structures(ByteView whole) {
  Reader names(whole);
  if (const auto name = cmpost::Name::read(names)) {
    (void)name->text();
    (void)name->comparison_key();
    CHECK(name->same(*name));
  }
  Reader general_names(whole);
  if (const auto name = cmpost::read_general_name(general_names)) {
    (void)name->text();
    (void)name->directory_name();
  }
  Reader algorithms(whole);
  if (const auto algorithm = cmpost::read_algorithm(algorithms)) {
    (void)cmpost::signature_scheme(*algorithm);
    (void)cmpost::pbm_parameter(*algorithm, {});
  }
}

void walk(Reader reader, int depth) {
  while (!reader.at_end()) {
    const auto element = reader.any();
    if (!element) return;
    read_typed(*element);
    if (depth < 4) read_structures(element->whole);
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
