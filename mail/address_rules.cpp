#include "mail/address_rules.h"

#include <algorithm>

#include "base/ascii.h"

namespace cmpost {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool domain_matches(std::string_view pattern, std::string_view domain) {
  if (!pattern.starts_with("*.")) return pattern == domain;
  return domain.size() > pattern.size() - 1 && domain.ends_with(pattern.substr(1));
}

// "method=result", then "ptype.property=value ...": one result of RFC 8601 2.2. Comments make it
// unreadable, which counts as no pass.
struct MethodResult {
  std::string method, result;
  std::vector<std::pair<std::string, std::string>> properties;
};

std::optional<MethodResult> read_result(std::string_view text) {
  MethodResult read;
  while (!(text = trimmed(text)).empty()) {
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(end);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos || word.find_first_of("()\"") != std::string_view::npos) {
      return std::nullopt;
    }
    auto name = lower_ascii(word.substr(0, equals)), value = lower_ascii(word.substr(equals + 1));
    if (read.method.empty()) {
      read.method = std::move(name);
      read.result = std::move(value);
    } else {
      read.properties.emplace_back(std::move(name), std::move(value));
    }
  }
  return read;
}

std::string without_comments(std::string_view text) {
  std::string result;
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (depth == 0) result += c;
    if (c == ')' && depth > 0) --depth;
  }
  return result;
}

// The domain that a method vouches for: "smtp.mailfrom=a@b", "header.d=b", "header.i=@b".
bool vouches_for(const MethodResult& result, const std::string& domain) {
  return std::any_of(result.properties.begin(), result.properties.end(), [&](const auto& property) {
    const auto& [name, value] = property;
    const bool tells =
        result.method == "spf" ? name == "smtp.mailfrom" : name == "header.d" || name == "header.i";
    return tells && value.substr(value.rfind('@') + 1) == domain;
  });
}

bool passes(const MethodResult& result, const std::string& domain) {
  if (result.result != "pass") return false;
  if (result.method == "dmarc") {
    return std::all_of(result.properties.begin(), result.properties.end(), [&](const auto& one) {
      return one.first != "header.from" || one.second.substr(one.second.rfind('@') + 1) == domain;
    });
  }
  return (result.method == "spf" || result.method == "dkim") && vouches_for(result, domain);
}

// A full address before a pattern, patterns in their order. Anybody can write any From; the answer
// then goes to who is registered for it, and not to the one who wrote.
std::optional<Mailbox> registered_address(const IncomingMail& mail, const MailSettings& settings) {
  if (!mail.from) return std::nullopt;
  const RegisteredAddress* found = nullptr;
  for (const auto& entry : settings.registered) {
    if (!matches(entry.sender, *mail.from)) continue;
    const bool whole = entry.sender.find('*') == std::string::npos;
    if (whole || found == nullptr) found = &entry;
    if (whole) break;
  }
  return found == nullptr ? std::nullopt : read_mailbox(found->answers_to);
}

}  // namespace

bool same_address(const Mailbox& a, const Mailbox& b) {
  return lower_ascii(a.local) == lower_ascii(b.local) &&
         lower_ascii(a.domain) == lower_ascii(b.domain);
}

bool matches(std::string_view pattern, const Mailbox& mailbox) {
  const auto at = pattern.rfind('@');
  if (at == std::string_view::npos) return false;
  const auto local = pattern.substr(0, at);
  return (local == "*" || lower_ascii(local) == lower_ascii(mailbox.local)) &&
         domain_matches(lower_ascii(pattern.substr(at + 1)), lower_ascii(mailbox.domain));
}

bool matches_any(const std::vector<std::string>& patterns, const Mailbox& mailbox) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return matches(pattern, mailbox); });
}

bool is_authenticated(const std::vector<std::string>& results, std::string_view authserv_id,
                      const Mailbox& from) {
  const auto domain = lower_ascii(from.domain);
  for (const auto& field : results) {
    const auto text = without_comments(field);
    std::string_view rest = text;
    auto end = std::min(rest.find(';'), rest.size());
    const auto id = trimmed(rest.substr(0, end));
    // "example.com 1": a version may follow.
    if (lower_ascii(id.substr(0, id.find_first_of(" \t"))) != lower_ascii(authserv_id)) continue;
    while (end < rest.size()) {
      rest.remove_prefix(end + 1);
      end = std::min(rest.find(';'), rest.size());
      const auto result = read_result(rest.substr(0, end));
      if (result && passes(*result, domain)) return true;
    }
    return false;  // the topmost of our server counts; one further down may be forged
  }
  return false;
}

std::optional<std::string> sender_refusal(const IncomingMail& mail, const MailSettings& settings) {
  const bool open = settings.senders.empty() && settings.authserv_id.empty();
  if (open) return std::nullopt;
  if (!mail.from) return "From is not a single plain address";
  const auto from = printable(mail.from->text(), 100);
  if (!settings.senders.empty() && !matches_any(settings.senders, *mail.from)) {
    return "the sender " + from + " is not among `senders`";
  }
  if (!settings.authserv_id.empty() &&
      !is_authenticated(mail.authentication_results, settings.authserv_id, *mail.from)) {
    return "the server " + printable(settings.authserv_id, 60) + " does not vouch for the sender " +
           from;
  }
  return std::nullopt;
}

std::optional<Mailbox> reply_address(const IncomingMail& mail, const MailSettings& settings) {
  const auto own = read_mailbox(settings.from);
  const auto usable = [&](const std::optional<Mailbox>& address) {
    return address && !(own && same_address(*address, *own));
  };
  // Without a list Reply-To may only stay in the sender's own domain.
  const auto reply_to_allowed = [&] {
    if (!settings.reply_to.empty()) return matches_any(settings.reply_to, *mail.reply_to);
    return mail.from && lower_ascii(mail.from->domain) == lower_ascii(mail.reply_to->domain);
  };
  for (const auto rule : settings.reply) {
    switch (rule) {
      case ReplyRule::registered:
        if (auto address = registered_address(mail, settings); usable(address)) return address;
        break;
      case ReplyRule::reply_to:
        if (usable(mail.reply_to) && reply_to_allowed()) return mail.reply_to;
        break;
      case ReplyRule::return_path:
        if (usable(mail.return_path)) return mail.return_path;
        break;
      case ReplyRule::from:
        if (usable(mail.from)) return mail.from;
        break;
    }
  }
  return std::nullopt;
}

}  // namespace cmpost
