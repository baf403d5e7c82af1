#include "http/judge_answer.h"

#include <algorithm>

#include "base/ascii.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

using What = HttpVerdict::What;

struct StatusRule {
  int first, last;
  What what;
  Recovery recovery;
  const char* meaning;
  const char* hint;
};
constexpr auto kUrlHint = "see url: /.well-known/cmp, or /.well-known/cmp/p/NAME (RFC 9811 3.4)";
constexpr auto kTlsHint = "does the peer want a certificate of ours? see tls.certificate";
// The first that fits; of answers without a PKIMessage.
constexpr StatusRule kRules[] = {
    {100, 199, What::unknown, Recovery::retry, "it has gone over to another protocol", kUrlHint},
    {200, 299, What::unknown, Recovery::retry, "it has sent no CMP message", kUrlHint},
    {300, 399, What::channel, Recovery::hold, "it sends us elsewhere",
     "redirects are not followed (RFC 9811 5): ask the operator there, and see url"},
    {401, 401, What::channel, Recovery::hold, "it wants a login", kTlsHint},
    {403, 403, What::channel, Recovery::hold, "it does not let us in", kTlsHint},
    {404, 405, What::channel, Recovery::hold, "there is no CMP server", kUrlHint},
    {407, 407, What::channel, Recovery::hold, "a proxy wants a login", kUrlHint},
    {408, 408, What::channel, Recovery::retry, "it has waited for the request in vain", ""},
    {410, 410, What::channel, Recovery::hold, "there is no CMP server any more", kUrlHint},
    {413, 413, What::refused, Recovery::hold, "it takes no message of this size",
     "its operator can raise the limit"},
    {415, 415, What::channel, Recovery::hold, "it knows no application/pkixcmp", kUrlHint},
    {421, 421, What::channel, Recovery::hold, "it is not the server of this URL", kUrlHint},
    {425, 425, What::later, Recovery::retry, "it does not take it yet", ""},
    {426, 426, What::channel, Recovery::hold, "it wants another protocol", kUrlHint},
    {429, 429, What::later, Recovery::retry, "it has got too many requests", ""},
    {400, 499, What::refused, Recovery::hold, "it refuses the message", "its log may say why"},
    {501, 501, What::channel, Recovery::hold, "it knows no POST", kUrlHint},
    {503, 503, What::later, Recovery::retry, "it has no time now", ""},
    {505, 505, What::channel, Recovery::hold, "it knows no HTTP/1.1", ""},
    {500, 599, What::unknown, Recovery::retry, "it has failed over it", "its log may say why"},
};
constexpr StatusRule kNoStatus = {
    0, 999, What::unknown, Recovery::retry, "there is no such status", kUrlHint};

const StatusRule& rule_of(int status) {
  for (const auto& rule : kRules) {
    if (status >= rule.first && status <= rule.last) return rule;
  }
  return kNoStatus;
}

std::string after_text(const std::optional<Duration>& after) {
  if (!after) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*after).count();
  return ", for " + std::to_string(seconds) + " s";
}

HttpVerdict by_status(const HttpAnswer& answer, const std::string& more) {
  const auto& rule = rule_of(answer.status);
  auto text = "HTTP status " + std::to_string(answer.status) + " (" + more + "): " + rule.meaning +
              after_text(answer.retry_after);
  if (!answer.location.empty()) text += ", to " + printable(answer.location, 200);
  return {rule.what, {}, Error{rule.recovery, std::move(text), rule.hint}, answer.retry_after};
}

std::string without_message(const HttpAnswer& answer) {
  if (answer.body.empty()) return "nothing in it";
  if (answer.content_type.empty()) return "of no type";
  return printable(answer.content_type, 60);
}

HttpVerdict judge_whole(HttpAnswer answer) {
  if (answer.body.empty() || !is_cmp_type(answer.content_type)) {
    return by_status(answer, without_message(answer));
  }
  // RFC 9811 3.1 knows nothing but DER; a frame or PEM of it is as good to whoever reads it.
  auto unwrapped = unwrap(std::move(answer.body));
  if (unwrapped.what == Unwrapped::What::message) {
    return {What::message, std::move(unwrapped.message), {}, {}};
  }
  return by_status(answer, "no DER: " + unwrapped.reason);
}

}  // namespace

bool is_cmp_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  constexpr std::string_view kTypes[] = {"application/pkixcmp", "application/pkixcmp-poll",
                                         "application/x-pkixcmp", "application/x-pkixcmp-poll"};
  return std::ranges::any_of(kTypes, [&](auto known) { return same_letters(type, known); });
}

HttpVerdict judge_answer(HttpOutcome outcome, std::size_t max_message) {
  switch (outcome.what) {
    case HttpOutcome::What::answered:
      return judge_whole(std::move(outcome.answer));
    case HttpOutcome::What::too_large:
      return {What::refused,
              {},
              Error{Recovery::hold,
                    "the answer has more than " + std::to_string(max_message) +
                        " octets (HTTP status " + std::to_string(outcome.answer.status) + ")",
                    "raise max_message of the channel, then `cmpost queue release` the job: the "
                    "peer may have issued a certificate"},
              {}};
    case HttpOutcome::What::not_sent:
      return {What::channel, {}, std::move(outcome.error), {}};
    case HttpOutcome::What::unknown:
      break;
  }
  return {What::unknown, {}, std::move(outcome.error), {}};
}

}  // namespace cmpost
