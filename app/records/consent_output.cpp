#include "app/records/consent_output.h"

#include <map>
#include <nlohmann/json.hpp>

#include "app/terminal/output.h"
#include "processor/transaction/consent_object.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::size_t kWidth = 80, kIndent = 4, kNames = 24;
constexpr std::size_t kMostOfAKind = 4;  // brief
constexpr std::size_t kLongestText = 100'000;

// One line's share of `text`: whole characters, at least one.
std::size_t share_of(std::string_view text, std::size_t width) {
  std::size_t taken = 0;
  while (taken < text.size()) {
    const auto next = std::max<std::size_t>(utf8_length(text.substr(taken)), 1);
    if (taken > 0 && taken + next > width) break;
    taken += next;
  }
  return taken;
}

// "    subject             CN=dev1", and below it what does not fit.
void print_item(std::string_view what, std::string_view text) {
  std::string begin(kIndent, ' ');
  begin += what;
  begin.append(begin.size() < kNames - 1 ? kNames - begin.size() : 1, ' ');
  if (begin.size() > kNames) {  // a long name has a line of its own
    print_line(begin);
    begin = std::string(kNames, ' ');
  }
  do {
    const auto share = share_of(text, kWidth - kNames);
    print_line(begin + std::string(text.substr(0, share)));
    text.remove_prefix(share);
    begin = std::string(kNames, ' ');
  } while (!text.empty());
}

void print_object(const ConsentObject& object, Detail detail) {
  std::map<std::string, std::size_t> of_a_kind;
  for (const auto& item : object.items) ++of_a_kind[item.what];
  std::map<std::string, std::size_t> shown;
  for (const auto& item : object.items) {
    const auto count = ++shown[item.what];
    const auto left = of_a_kind[item.what] - std::min(of_a_kind[item.what], kMostOfAKind);
    if (detail == Detail::whole || left == 0 || count <= kMostOfAKind) {
      print_item(printable(item.what), printable(item.text, kLongestText));
    } else if (count == kMostOfAKind + 1) {
      print_item(printable(item.what),
                 "... and " + std::to_string(left) + " more: `cmpost transaction show`");
    }
  }
}

json to_json(const ConsentObject& object) {
  auto items = json::array();
  for (const auto& item : object.items) {
    json one = {{"what", printable(item.what)}, {"text", printable(item.text, kLongestText)}};
    if (!item.exact.empty()) one["exact"] = to_hex(item.exact);
    items.push_back(std::move(one));
  }
  return items;
}

bool is_told(const WaitingPart& part) {
  return part.state == PartState::ready || part.state == PartState::delivered;
}

}  // namespace

json to_json(const WaitingPart& part) {
  json value = {{"certReqId", part.certReqId},
                {"state", to_string(part.state)},
                {"subject", printable(part.subject, 1000)},
                {"round", part.round},
                {"rule", part.rule.empty() ? json() : json(part.rule)},
                {"people", part.people},
                {"digest", nullptr},
                {"object", nullptr}};
  if (!part.why.empty()) value["why"] = printable(part.why, 2000);
  if (const auto digest = part.digest()) value["digest"] = to_hex(*digest);
  if (const auto object = read_consent_object(part.object)) value["object"] = to_json(*object);
  return value;
}

void print_part(const WaitingPart& part, Detail detail) {
  print_line("  part " + std::to_string(part.certReqId) + ": " +
             std::string(to_string(part.state)) +
             (part.subject.empty() ? "" : ", " + printable(part.subject, 60)));
  if (!part.rule.empty() && !is_told(part)) {
    print_item("rule", printable(part.rule) +
                           (part.state == PartState::held
                                ? " holds it"
                                : ": " + std::to_string(part.people) + " people have to agree"));
  }
  const auto digest = part.digest();
  if (!digest) {
    if (!is_told(part)) print_item("digest", "not recorded; look at `transaction show`");
    return;
  }
  print_line("    " + to_hex(*digest));
  if (part.round > 0) {
    print_item("asked again", std::to_string(part.round) + ": " + printable(part.why, 2000));
  }
  if (const auto object = read_consent_object(part.object)) {
    print_object(*object, detail);
  } else {
    print_item("object", object.error().what);
  }
}

}  // namespace cmpost
