#include "app/records/refused_output.h"

#include <nlohmann/json.hpp>

#include "app/terminal/output.h"
#include "processor/records/request_listing.h"

namespace cmpost {

using nlohmann::json;

json to_json(const RefusedRequest& refused) {
  return {{"tid", to_hex(refused.transactionID)},
          {"state", kRefusedState},
          {"channel", refused.channel},
          {"body", refused.body},
          {"opened", to_iso8601(refused.at)},
          {"requester", refused.requester},
          {"requester_known", refused.known},
          {"subject", refused.subject},
          {"serial", refused.serial},
          {"source", refused.source},
          {"job", to_hex(refused.job)},
          {"digest", to_hex(refused.digest)},
          {"stage", to_string(refused.stage)},
          {"failInfo", refused.failInfo},
          {"reason", refused.reason},
          {"note", refused.note},
          {"answer", refused.reply_body}};
}

std::string requester_in_words(const std::string& requester, bool known) {
  if (requester.empty()) return known ? "" : "unknown";
  return (known ? "" : "claims ") + requester;
}

void print_refused(const RefusedRequest& refused) {
  const auto line = [](const char* what, const std::string& text) {
    if (text.empty()) return;
    print_line(std::string(what) + std::string(12 - std::string_view(what).size(), ' ') +
               printable(text, 2000));
  };
  print_line("refused at " + to_iso8601(refused.at) + " on channel " + printable(refused.channel) +
             (refused.reply_body.empty() ? ", not answered" : ""));
  line("tid", to_hex(refused.transactionID));
  line("body", refused.body);
  line("requester", requester_in_words(refused.requester, refused.known));
  line("subject", refused.subject);
  line("serial", refused.serial);
  line("source", refused.source);
  line("job", to_hex(refused.job));
  line("reason", refused.failInfo + (refused.failInfo.empty() ? "" : ": ") + refused.reason);
  line("note", refused.note);
}

json to_json(const CheckVerdicts& verdicts) {
  auto all = json::array();
  for (const auto& one : verdicts) {
    all.push_back({{"check", printable(one.check)},
                   {"verdict", to_string(one.verdict)},
                   {"detail", printable(one.detail, 2000)}});
  }
  return all;
}

void print_verdicts(const CheckVerdicts& verdicts) {
  for (const auto& one : verdicts) {
    print_line("  " + std::string(to_string(one.verdict)) + "  " + printable(one.check) +
               (one.detail.empty() ? "" : ": " + printable(one.detail, 2000)));
  }
}

}  // namespace cmpost
