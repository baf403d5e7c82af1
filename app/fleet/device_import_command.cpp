#include "app/fleet/device_import_command.h"

#include <map>
#include <nlohmann/json.hpp>

#include "app/fleet/device_list_file.h"
#include "app/fleet/device_secret.h"
#include "app/instance/operator_act.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "processor/devices/device_import.h"
#include "processor/officers/officer.h"
#include "processor/timers.h"

namespace cmpost {
namespace {

using nlohmann::json;

// Who else wants to write waits ten seconds at most.
constexpr std::size_t kRowsInACommit = 20'000;
// Of each kind so many are shown, unless all are wanted.
constexpr std::int64_t kShown = 20;
constexpr std::size_t kLeastSecret = 14;  // octets; shorter ones can be guessed

std::string_view to_string(RowNews news) {
  switch (news) {
    case RowNews::added:
      return "new";
    case RowNews::same:
      return "same";
    case RowNews::changed:
      return "changed";
    case RowNews::conflict:
      return "conflict";
  }
  return "";
}

ImportNames names_in(const Settings& settings) {
  ImportNames names;
  for (const auto& profile : settings.profiles) names.profiles.push_back(profile.name);
  for (const auto& channel : settings.channels) names.channels.push_back(channel.name);
  for (const auto& vendor : settings.vendors) names.vendors.push_back(vendor.name);
  return names;
}

// What is counted, and the first rows of each kind for people.
class Findings {
 public:
  Findings(bool all, const CommonOptions& common) : all_(all), common_(common) {}

  void add(const ImportedRow& row) {
    const auto count = ++counts_[row.news];
    if (!row.secret.empty() && row.news != RowNews::conflict && row.secret.size() < kLeastSecret) {
      ++short_secrets_;
    }
    if (row.news == RowNews::same) return;
    if (common_.json) {
      if (all_ || count <= kShown) rows_.push_back(json_of(row));
      return;
    }
    if (!common_.quiet && (all_ || count <= kShown)) print_line(line_of(row));
  }

  std::int64_t count(RowNews news) const {
    const auto found = counts_.find(news);
    return found == counts_.end() ? 0 : found->second;
  }

  void finish(std::int64_t missing, const std::vector<std::string>& some_missing, bool done) const {
    if (short_secrets_ > 0) {
      print_warning("cmpost: " + in_groups(short_secrets_) +
                    " secrets in the list have fewer than 14 octets and can be guessed from one "
                    "request; leave the cell empty and a good one is made");
    }
    if (common_.json) {
      json value = {{"done", done}, {"missing", missing}, {"rows", rows_}};
      for (const auto news : {RowNews::added, RowNews::same, RowNews::changed, RowNews::conflict}) {
        value[std::string(to_string(news))] = count(news);
      }
      value["missing_names"] = some_missing;
      print_json(value);
      return;
    }
    if (common_.quiet) return;
    for (const auto news : {RowNews::added, RowNews::changed, RowNews::conflict}) {
      const auto left = count(news) - kShown;
      if (!all_ && left > 0) {
        print_line("... and " + in_groups(left) + " more " + std::string(to_string(news)) +
                   ": --all shows them");
      }
    }
    for (const auto& name : some_missing) print_line("missing   " + printable(name));
    if (const auto left = missing - static_cast<std::int64_t>(some_missing.size()); left > 0) {
      print_line("... and " + in_groups(left) + " more missing: --all shows them");
    }
    print_line(in_groups(count(RowNews::added)) + " new, " + in_groups(count(RowNews::same)) +
               " the same, " + in_groups(count(RowNews::changed)) + " changed, " +
               in_groups(count(RowNews::conflict)) + " in conflict; " + in_groups(missing) +
               " listed before and not in this file" +
               (missing > 0 ? ", which stay as they are" : ""));
    if (!done) print_line("nothing is done yet: --yes does it");
  }

 private:
  static std::string line_of(const ImportedRow& row) {
    auto line = std::string(to_string(row.news));
    line.resize(10, ' ');
    line += row.device.name.empty() ? "?" : printable(row.device.name);
    if (row.news == RowNews::conflict) {
      return line + ", line " + std::to_string(row.line) + ": " + printable(row.fault, 400) +
             (row.hint.empty() ? "" : " (" + printable(row.hint, 400) + ")");
    }
    for (const auto& change : row.changes) {
      line += "\n          " + std::string(to_string(change.column)) + ": \"" +
              printable(change.before) + "\" -> \"" + printable(change.after) + "\"";
    }
    if (row.device.retired) line += "\n          retired, and stays so";
    return line;
  }

  static json json_of(const ImportedRow& row) {
    json value = {
        {"line", row.line}, {"news", to_string(row.news)}, {"name", printable(row.device.name)}};
    if (row.news == RowNews::conflict) {
      value["reason"] = row.fault;
      if (!row.hint.empty()) value["hint"] = row.hint;
    }
    for (const auto& change : row.changes) {
      value["changes"][std::string(to_string(change.column))] = {{"before", change.before},
                                                                 {"after", change.after}};
    }
    return value;
  }

  bool all_;
  const CommonOptions& common_;
  std::map<RowNews, std::int64_t> counts_;
  std::int64_t short_secrets_ = 0;
  json rows_ = json::array();
};

// A secret in a row that is not the one in the ledger is a change; neither is ever shown.
Result<void> compare_secret(ImportedRow& row, Instance& instance, Connection& connection) {
  if (row.secret.empty() || row.news == RowNews::conflict) return {};
  ASSIGN_OR_RETURN(const auto namesake, SecretStore::namesake(connection, row.device.name));
  if (namesake) {
    row.news = RowNews::conflict;
    row.fault = "there is a secret '" + *namesake + "', and as names compare the two are the same";
    row.hint = "choose another name, or `cmpost secret remove` the other one first";
    return {};
  }
  ASSIGN_OR_RETURN(const auto* const key, instance.sealing_key());
  ASSIGN_OR_RETURN(auto known, SecretStore(connection, *key).find(row.device.name));
  if (row.news == RowNews::added) {
    if (!known) return {};
    row.news = RowNews::conflict;
    row.fault = "there is a secret of this name, and it is no device's";
    row.hint = "choose another name, or `cmpost secret remove` it first";
    return {};
  }
  if (known && equal(known->value, view_of(row.secret))) return {};
  row.news = RowNews::changed;
  row.changes.push_back({DeviceColumn::secret, known ? "(as it was)" : "", "(a new one)"});
  return {};
}

Result<std::vector<std::string>> some_missing(DeviceImport& rows, std::size_t most,
                                              std::int64_t& count) {
  std::vector<std::string> names;
  ASSIGN_OR_RETURN(count, rows.missing([&](const std::string& name) {
    if (names.size() < most) names.push_back(name);
    return names.size() < most;
  }));
  return names;
}

// Whoever works on the instance would find them a little later.
Result<std::size_t> wake_listed(Instance& instance, Ledger& ledger) {
  ASSIGN_OR_RETURN(const auto released, release_listed(ledger, instance.sure_clock().now()));
  if (released == 0) return released;
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  TRY(wake_waiting(*spool, ledger, instance.sure_clock()));
  return released;
}

ExitCode code_of(const Findings& findings) {
  if (findings.count(RowNews::conflict) == 0) return ExitCode::ok;
  const auto taken = findings.count(RowNews::added) + findings.count(RowNews::changed) +
                     findings.count(RowNews::same);
  return taken == 0 ? ExitCode::failed : ExitCode::partly;
}

Result<ExitCode> preview(const ImportOptions& options, Instance& instance,
                         const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(auto file, DeviceListFile::open(options.file));
  ASSIGN_OR_RETURN(auto rows, DeviceImport::open(file.stream(), names_in(instance.settings()),
                                                 reader->connection()));
  Findings findings(options.all, common);
  while (true) {
    ASSIGN_OR_RETURN(auto row, rows.next());
    if (!row) break;
    TRY(compare_secret(*row, instance, reader->connection()));
    if (row->news == RowNews::conflict) TRY(rows.withdraw(*row));
    findings.add(*row);
  }
  std::int64_t missing = 0;
  ASSIGN_OR_RETURN(const auto names,
                   some_missing(rows, options.all ? SIZE_MAX : std::size_t{kShown}, missing));
  findings.finish(missing, names, false);
  return code_of(findings);
}

// Takes a file in commits that are large and can be repeated.
class Taking {
 public:
  Taking(Instance& instance, DeviceImport& rows, Findings& findings, Bytes digest)
      : instance_(instance), import_(rows), findings_(findings), digest_(std::move(digest)) {}

  // False at the end of the file.
  Result<bool> take_some(LedgerWriter& writer) {
    DeviceTable table(writer.connection());
    if (number_ == 0) {
      ASSIGN_OR_RETURN(
          number_, table.begin_import(digest_, instance_.person().name(), instance_.clock().now()));
      TRY(MakerTable(writer.connection()).note_import(number_, instance_.person()));
    }
    std::int64_t added = 0, changed = 0, refused = 0;
    bool more = true;
    for (std::size_t i = 0; i < kRowsInACommit && more; ++i) {
      ASSIGN_OR_RETURN(auto row, import_.next());
      if (!row) {
        more = false;
        break;
      }
      TRY(compare_secret(*row, instance_, writer.connection()));
      if (row->news == RowNews::conflict) TRY(import_.withdraw(*row));
      added += row->news == RowNews::added ? 1 : 0;
      changed += row->news == RowNews::changed ? 1 : 0;
      refused += row->news == RowNews::conflict ? 1 : 0;
      if (row->news == RowNews::added) TRY(table.add(row->device, number_));
      if (row->news == RowNews::changed) TRY(table.replace(row->device, number_));
      TRY(change_secret(*row, writer));
      findings_.add(*row);
    }
    if (added + changed + refused == 0) return more;
    const auto detail = by(instance_.person(), {{"import", number_},
                                                {"sha256", to_hex(digest_)},
                                                {"new", added},
                                                {"changed", changed},
                                                {"refused", refused}});
    TRY(writer.audit("device.imported", detail.dump()));
    return more;
  }

 private:
  Result<void> change_secret(const ImportedRow& row, LedgerWriter& writer) {
    if (row.news != RowNews::added && row.news != RowNews::changed) return {};
    const bool changes = std::ranges::any_of(row.changes, [](const FieldChange& change) {
      return change.column == DeviceColumn::secret;
    });
    // One that stays keeps what it has been used for.
    if (!row.secret.empty() && (changes || row.news == RowNews::added)) {
      const auto now = instance_.clock().now();
      ASSIGN_OR_RETURN(auto secret,
                       secret_of(row.device, instance_.settings(), now, row.device.valid_until));
      secret.value = to_bytes(std::string_view(row.secret));
      return put_secret(writer, instance_, secret);
    }
    if (row.news == RowNews::added) return {};
    const bool had = row.device.secret == DeviceSecret::none && changes;
    return had ? drop_secret(writer, instance_, row.device.name)
               : restate_secret(writer, instance_, row.device);
  }

  Instance& instance_;
  DeviceImport& import_;
  Findings& findings_;
  const Bytes digest_;
  std::int64_t number_ = 0;
};

}  // namespace

Result<ExitCode> import_devices(const ImportOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  if (!options.yes) return preview(options, *instance, common);
  ASSIGN_OR_RETURN(auto file, DeviceListFile::open(options.file));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  std::optional<DeviceImport> rows;
  Findings findings(options.all, common);
  std::optional<Taking> taking;
  for (bool more = true; more;) {
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      if (!rows) {
        ASSIGN_OR_RETURN(
            auto opened,
            DeviceImport::open(file.stream(), names_in(instance->settings()), writer.connection()));
        rows.emplace(std::move(opened));
        taking.emplace(*instance, *rows, findings, file.digest());
      }
      ASSIGN_OR_RETURN(more, taking->take_some(writer));
      return {};
    }));
  }
  std::int64_t missing = 0;
  std::vector<std::string> names;
  TRY(ledger->write([&](LedgerWriter&) -> Result<void> {
    ASSIGN_OR_RETURN(names,
                     some_missing(*rows, options.all ? SIZE_MAX : std::size_t{kShown}, missing));
    return {};
  }));
  ASSIGN_OR_RETURN(const auto woken, wake_listed(*instance, *ledger));
  findings.finish(missing, names, true);
  if (woken > 0 && !common.json && !common.quiet) {
    print_line(in_groups(static_cast<std::int64_t>(woken)) +
               " requests have waited for a row that is there now: they are judged again");
  }
  return code_of(findings);
}

}  // namespace cmpost
