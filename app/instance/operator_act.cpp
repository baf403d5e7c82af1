#include "app/instance/operator_act.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "processor/transaction/operation_schema.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestName = 100, kLongestComment = 1000;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : printable(value, kLongestName);
}

}  // namespace

std::string account_of(uid_t uid) {
  const passwd* user = ::getpwuid(uid);
  return user != nullptr ? user->pw_name : std::to_string(uid);
}

Person present_person(const CommonOptions& options) {
  Person person;
  person.uid = ::getuid();
  person.account = account_of(::getuid());
  person.sudo_user = from_environment("SUDO_USER");
  person.as = printable(options.as, kLongestName);
  person.comment = printable(options.comment, kLongestComment);
  return person;
}

nlohmann::json by(const Person& person, nlohmann::json detail) {
  detail["account"] = person.account;
  detail["uid"] = person.uid;
  if (!person.sudo_user.empty()) detail["sudo_user"] = person.sudo_user;
  if (!person.as.empty()) detail["as"] = person.as;
  if (!person.comment.empty()) detail["comment"] = person.comment;
  return detail;
}

Result<void> record_act(Instance& instance, std::string_view event, nlohmann::json detail) {
  const auto text = by(instance.person(), std::move(detail))
                        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  auto ledger = instance.ledger();
  if (!ledger) return failure(std::move(ledger).error().within("the audit log"));
  return (*ledger)->write([&](LedgerWriter& writer) { return writer.audit(event, text); });
}

Result<void> record_settings(Instance& instance, const std::string& digest,
                             const std::string& asked_by) {
  const auto octets = from_hex(digest);
  Sha256 present{};
  if (!octets || octets->size() != present.size()) return {};  // an instance without a file
  std::ranges::copy(*octets, present.begin());
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto known, SettingsSeen(reader->connection()).newest());
  if (known && equal(*known, present)) return {};
  auto detail = by(instance.person(), {{"file", printable(instance.settings().file, 1000)},
                                       {"sha256", digest},
                                       {"before", known ? to_hex(*known) : ""}});
  if (!asked_by.empty()) detail["asked_by"] = asked_by;
  return ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(SettingsSeen(writer.connection()).put(present));
    return writer.audit("settings.changed", detail.dump());
  });
}

}  // namespace cmpost
