#include <nlohmann/json.hpp>

#include "app/fleet/batch_commands.h"
#include "app/fleet/batch_work.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct ConfirmedItem {
  std::int64_t item = 0;
  std::string file, name;
  ConfirmedCertificate certificate;
};

json to_json(const ConfirmedItem& one) {
  const auto& [serial, what, at, reason] = one.certificate;
  return {{"item", one.item},         {"file", one.file},
          {"name", one.name},         {"serial", serial},
          {"state", to_string(what)}, {"at", at ? json(to_iso8601(*at)) : json()},
          {"reason", reason}};
}

std::vector<std::string> cells_of(const ConfirmedItem& one) {
  const auto& [serial, what, at, reason] = one.certificate;
  return {one.file, one.name, serial, std::string(to_string(what)), at ? to_iso8601(*at) : "",
          reason};
}

}  // namespace

Result<ExitCode> show_confirmations(const BatchWords& words, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto spool, instance->look_into_spool());
  ASSIGN_OR_RETURN(const auto batch, batch_named(reader->connection(), words.name));
  ASSIGN_OR_RETURN(const auto filter, words.confirmed.read(*instance));
  BatchLook look(*reader, spool->requests(), instance->clock().now(),
                 remembered(instance->settings()));
  const auto only = confirmation(words.state);
  std::array<std::size_t, kConfirmations> counts{};
  std::size_t certificates = 0, matched = 0;
  std::vector<ConfirmedItem> shown;
  TRY(BatchTable(reader->connection())
          .for_each(
              batch.id,
              [&](const BatchEntry& item) -> Result<void> {
                ASSIGN_OR_RETURN(const auto standing, look.standing(item));
                if (standing.serials.empty()) return {};
                ASSIGN_OR_RETURN(const auto all, look.confirmations(standing));
                for (const auto& one : all) {
                  ++certificates;
                  ++counts[static_cast<std::size_t>(one.what)];
                  if (only && one.what != *only) continue;
                  const auto place = matched++;
                  const bool within = place >= filter.offset &&
                                      (!filter.limit || place - filter.offset < *filter.limit);
                  if (within) shown.push_back({item.number, item.request.file, item.name, one});
                }
                return {};
              },
              filter.newest));
  const auto left = left_out(filter, static_cast<std::int64_t>(matched));
  const auto form = words.confirmed.form(common);
  json states = json::object();
  std::string sentence;
  for (std::size_t i = 0; i < kConfirmations; ++i) {
    const std::string word(to_string(static_cast<Confirmation>(i)));
    states[word] = counts[i];
    if (counts[i] > 0) {
      sentence += (sentence.empty() ? "" : ", ") + in_groups(static_cast<std::int64_t>(counts[i])) +
                  " " + word;
    }
  }
  if (form == ListForm::json_array) {
    auto rows = json::array();
    for (const auto& one : shown) rows.push_back(to_json(one));
    print_json({{"batch", batch.name},
                {"certificates", certificates},
                {"states", states},
                {"shown", rows},
                {"left", left}});
    return ExitCode::ok;
  }
  if (form == ListForm::table) {
    print_line("batch " + batch.name + ", " + in_groups(static_cast<std::int64_t>(certificates)) +
               " certificates" + (sentence.empty() ? "" : ": " + sentence));
  }
  RowSink sink({"file", "name", "certificate", "confirmation", "at", "reason"}, form,
               "no certificate is like that");
  for (const auto& one : shown) {
    sink.add([&] { return cells_of(one); }, [&] { return to_json(one); });
  }
  sink.finish(left);
  return ExitCode::ok;
}

}  // namespace cmpost
