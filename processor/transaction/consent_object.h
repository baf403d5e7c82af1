// What people are asked to agree to. It is made when a request begins to wait and stored with it;
// its digest stands in every verdict, and what is granted later is exactly this or nothing
// (docs/formats.md has the encoding).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

// One line of it.
struct ConsentItem {
  std::string what;  // "subject", "revokes"
  std::string text;  // for people; of strangers, so printable() comes before any terminal
  Bytes exact;       // the value itself, where the text is only its picture
  friend bool operator==(const ConsentItem&, const ConsentItem&) = default;
};

struct ConsentObject {
  std::vector<ConsentItem> items;
  void add(std::string what, std::string text, ByteView exact = {});
  friend bool operator==(const ConsentObject&, const ConsentObject&) = default;
};

// Equal objects have equal octets, and different ones different octets.
Bytes encode_consent_object(const ConsentObject& object);
// An Error for what encode_consent_object() has not made.
Result<ConsentObject> read_consent_object(ByteView encoded);

// How they differ, in words; empty when they are equal.
std::string difference(const ConsentObject& before, const ConsentObject& after);

}  // namespace cmpost
