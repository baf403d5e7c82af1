#include "cmp/inspect/inspect.h"
#include "cmp/inspect/inspect_facts.h"

namespace cmpost {
namespace {

using inspect::Facts;

// Octets as hexadecimal text. The depth is that of our own tree, which no input can change.
void spell_octets(Facts& facts) {
  if (facts.is_binary()) {
    facts = to_hex(facts.get_binary());
  } else if (facts.is_structured()) {
    for (auto& inner : facts) spell_octets(inner);
  }
}

std::string dumped(Facts facts) {
  spell_octets(facts);
  return facts.dump(2, ' ', false, Facts::error_handler_t::replace);
}

}  // namespace

std::string inspect_json(const PKIMessage& message) { return dumped(inspect::message(message)); }

std::string inspect_certificate_json(ByteView der) {
  return dumped(inspect::whole_certificate(der));
}

}  // namespace cmpost
