#include "processor/transaction/consent_object.h"

#include <algorithm>

#include "asn1/der.h"

namespace cmpost {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMostDifferences = 6, kLongestText = 200;

void write(der::Writer& writer, const ConsentItem& item) {
  writer.constructed(der::kSequence, [&] {
    writer.octet_string(view_of(item.what));
    writer.octet_string(view_of(item.text));
    writer.octet_string(item.exact);
  });
}

der::Parsed<ConsentItem> read_item(der::Reader& reader) {
  ASSIGN_OR_RETURN(auto inside, reader.enter(der::kSequence));
  ASSIGN_OR_RETURN(const auto what, inside.octet_string());
  ASSIGN_OR_RETURN(const auto text, inside.octet_string());
  ASSIGN_OR_RETURN(const auto exact, inside.octet_string());
  TRY(inside.finish());
  return ConsentItem{std::string(text_of(what)), std::string(text_of(text)), to_bytes(exact)};
}

der::Parsed<ConsentObject> read_object(der::Reader reader) {
  ASSIGN_OR_RETURN(auto inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  ASSIGN_OR_RETURN(const auto version, inside.integer());
  if (version != kVersion) return inside.fault("another version");
  ConsentObject object;
  while (!inside.at_end()) {
    ASSIGN_OR_RETURN(auto item, read_item(inside));
    object.items.push_back(std::move(item));
  }
  return object;
}

bool contains(const ConsentObject& object, const ConsentItem& item) {
  return std::ranges::find(object.items, item) != object.items.end();
}

}  // namespace

void ConsentObject::add(std::string what, std::string text, ByteView exact) {
  items.push_back({std::move(what), std::move(text), to_bytes(exact)});
}

// SEQUENCE { version, SEQUENCE { what, text, exact OCTET STRING } ... }
Bytes encode_consent_object(const ConsentObject& object) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(kVersion);
    for (const auto& item : object.items) write(writer, item);
  });
  return std::move(writer).take();
}

Result<ConsentObject> read_consent_object(ByteView encoded) {
  auto object = read_object(der::Reader(encoded));
  if (object) return std::move(*object);
  return hold("what waits cannot be read: " + object.error().what,
              "restore the ledger from a backup, or reject the request");
}

std::string difference(const ConsentObject& before, const ConsentObject& after) {
  std::string words;
  std::size_t count = 0;
  const auto note = [&](std::string_view how, const ConsentItem& item) {
    if (++count > kMostDifferences) return;
    words += (words.empty() ? "" : "; ") + std::string(how) + item.what + " " +
             printable(item.text, kLongestText);
  };
  for (const auto& item : before.items) {
    if (!contains(after, item)) note("no longer ", item);
  }
  for (const auto& item : after.items) {
    if (!contains(before, item)) note("now ", item);
  }
  if (count > kMostDifferences) words += "; and more";
  if (words.empty() && before != after) words = "the order of its parts";
  return words;
}

}  // namespace cmpost
