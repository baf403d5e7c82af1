// Encrypted values in words: for whom and how, never what.
#include "cmp/inspect/inspect_facts.h"
#include "cmp/reading.h"

namespace cmpost::inspect {
namespace {

// RecipientInfo ::= CHOICE (RFC 5652 6.2)
Facts recipient_kind(der::Tag tag) {
  switch (tag) {
    case der::kSequence:
      return "ktri";
    case der::context_constructed(1):
      return "kari";
    case der::context_constructed(2):
      return "kekri";
    case der::context_constructed(3):
      return "pwri";
    case der::context_constructed(4):
      return "ori";
    default:
      return "unknown";
  }
}

// The content of an EnvelopedData (RFC 5652 6.1), behind its tag.
der::Parsed<Facts> enveloped_data(der::Reader at) {
  constexpr std::size_t kMostRecipients = 100;
  Facts facts;
  ASSIGN_OR_RETURN(const auto version, at.integer());
  facts["version"] = version;
  TRY(at.optional(der::context_constructed(0)));  // originatorInfo
  const auto recipient = [](der::Reader& in) -> der::Parsed<Facts> {
    ASSIGN_OR_RETURN(const auto element, in.any());
    return recipient_kind(element.tag);
  };
  ASSIGN_OR_RETURN(const auto recipients, codec::list(at, kMostRecipients, recipient, der::kSet));
  facts["recipients"] = recipients;
  ASSIGN_OR_RETURN(auto content, at.enter(der::kSequence));
  ASSIGN_OR_RETURN(const auto type, content.object_identifier());
  ASSIGN_OR_RETURN(const auto cipher, read_algorithm(content));
  facts["contentType"] = type.name();
  facts["contentEncryptionAlgorithm"] = algorithm(cipher);
  facts["octets"] = content.rest().size();
  return facts;
}

// EncryptedValue (RFC 4211 2.1), all but two of whose fields are optional.
der::Parsed<Facts> encrypted_value(der::Reader at) {
  Facts facts;
  for (unsigned number = 0; number <= 4; ++number) {
    constexpr const char* kNames[] = {"intendedAlg", "symmAlg", "encSymmKey", "keyAlg",
                                      "valueHint"};
    const bool bits = number == 2, hint = number == 4;
    const auto tag = bits || hint ? der::context(number) : der::context_constructed(number);
    if (at.peek() != tag) continue;
    if (bits || hint) {
      ASSIGN_OR_RETURN(const auto element, at.any());
      facts[kNames[number]] = octets(element.content);
    } else {
      ASSIGN_OR_RETURN(const auto found, read_algorithm(at, tag));
      facts[kNames[number]] = algorithm(found);
    }
  }
  ASSIGN_OR_RETURN(const auto value, at.bit_string());
  facts["encValue"] = octets(value.octets);
  return facts;
}

}  // namespace

der::Parsed<Facts> encrypted_key_facts(ByteView element) {
  der::Reader reader(element);
  if (reader.peek() == der::context_constructed(0)) {
    ASSIGN_OR_RETURN(auto inside, reader.enter(der::context_constructed(0)));
    // Implicit in CRMF; a popdecc has it explicit, around the universal tag.
    if (inside.peek() == der::kSequence) {
      ASSIGN_OR_RETURN(inside, inside.enter(der::kSequence));
    }
    ASSIGN_OR_RETURN(auto facts, enveloped_data(inside));
    return Facts{{"envelopedData", std::move(facts)}};
  }
  ASSIGN_OR_RETURN(auto inside, reader.enter(der::kSequence));
  ASSIGN_OR_RETURN(auto facts, encrypted_value(inside));
  return Facts{{"encryptedValue", std::move(facts)}};
}

Facts encrypted_key(ByteView element) {
  auto facts = encrypted_key_facts(element);
  return facts ? *std::move(facts) : Facts{{"unreadable", octets(element)}};
}

}  // namespace cmpost::inspect
