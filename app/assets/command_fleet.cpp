// `fleet diff`: what somebody else's list of things and the certificates in force say of one
// another. Writes nothing but the list that it is asked for.
#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "app/assets/asset_commands.h"
#include "app/assets/asset_diff.h"
#include "app/instance/instance.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "base/csv.h"
#include "base/files.h"
#include "ca/serial_number.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct DiffOptions {
  std::string assets;
  AssetColumns columns;
  std::string within = "30d";
  std::vector<std::string> channels, profiles;  // of the certificates; empty: all
  std::string batch, to;
  bool json_lines = false;
};

constexpr std::size_t kFindings = 6;

Result<std::ifstream> open_list(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return hold("cannot read " + path, "--assets names a CSV file");
  return in;
}

// Prints, counts, and keeps who has nothing.
class News {
 public:
  explicit News(ListForm form)
      : sink_({"finding", "name", "certificate", "profile", "notAfter", "detail"}, form,
              "the list and the certificates in force agree") {}

  void add(const AssetNews& news) {
    ++counts_[static_cast<std::size_t>(news.finding)];
    if (news.finding == AssetFinding::missing) missing_.push_back(news.name);
    sink_.add([&] { return cells(news); }, [&] { return object(news); });
  }
  void finish() { sink_.finish(0); }
  bool is_table() const { return sink_.is_table(); }
  const std::vector<std::string>& missing() const { return missing_; }
  std::size_t all() const {
    std::size_t sum = 0;
    for (const auto count : counts_) sum += count;
    return sum;
  }
  std::string in_words() const {
    std::string words;
    for (std::size_t i = 0; i < kFindings; ++i) {
      if (counts_[i] == 0) continue;
      words += (words.empty() ? "" : ", ") + in_groups(static_cast<std::int64_t>(counts_[i])) +
               " " + std::string(to_string(static_cast<AssetFinding>(i)));
    }
    return words;
  }

 private:
  static std::vector<std::string> cells(const AssetNews& news) {
    const auto& one = news.certificate;
    return {
        std::string(to_string(news.finding)),   news.name.empty() && one ? one->subject : news.name,
        one ? serial_text(one->serial) : "-",   one ? one->profile : "-",
        one ? to_iso8601(one->not_after) : "-", news.detail};
  }
  static json object(const AssetNews& news) {
    json value = {{"finding", to_string(news.finding)},
                  {"name", news.name},
                  {"detail", news.detail},
                  {"certificate", nullptr}};
    if (!news.certificate) return value;
    const auto& one = *news.certificate;
    value["certificate"] = {{"serial", serial_text(one.serial)},
                            {"subject", one.subject},
                            {"profile", one.profile},
                            {"channel", one.channel},
                            {"state", to_string(one.state)},
                            {"issued", to_iso8601(one.issued)},
                            {"notAfter", to_iso8601(one.not_after)}};
    return value;
  }

  RowSink sink_;
  std::array<std::size_t, kFindings> counts_{};
  std::vector<std::string> missing_;
};

bool is_among(const std::vector<std::string>& wanted, const std::string& one) {
  return wanted.empty() || std::ranges::find(wanted, one) != wanted.end();
}

// A list for `cmpost device import`.
Result<void> make_batch(const DiffOptions& options, const std::vector<Asset>& assets,
                        const std::vector<std::string>& missing) {
  std::unordered_map<std::string, std::string> profiles;
  for (const auto& asset : assets) profiles.emplace(asset.name, asset.profile);
  auto text = csv_line({"name", "profile", "batch"});
  for (const auto& name : missing) text += csv_line({name, profiles[name], options.batch});
  return write_file(options.to, view_of(text), 0644, IfExists::fail);
}

Result<void> check(const DiffOptions& options) {
  if (options.batch.empty() != options.to.empty()) {
    return wrong_usage("--make-batch and --to belong together",
                       "--make-batch NAME --to FILE: the list of those that have nothing, for "
                       "`cmpost device import`");
  }
  return {};
}

Result<ExitCode> diff(const DiffOptions& options, const CommonOptions& common) {
  TRY(check(options));
  ASSIGN_OR_RETURN(const auto within, of_usage(parse_duration(options.within)));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto in, open_list(options.assets));
  ASSIGN_OR_RETURN(const auto list, read_assets(in, options.columns));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  const auto now = instance->clock().now();
  AssetDiff differences(list.assets, now + within);
  News news(options.json_lines ? ListForm::json_lines
            : common.json      ? ListForm::json_array
                               : ListForm::table);
  const auto tell = [&](const AssetNews& one) { news.add(one); };
  TRY(for_each_in_force(reader->connection(), now, [&](const CertificateInForce& one) {
    if (one.channel.empty()) return;  // our own
    if (!is_among(options.channels, one.channel) || !is_among(options.profiles, one.profile))
      return;
    differences.look_at(one, tell);
  }));
  differences.finish(tell);
  news.finish();
  for (const auto& fault : list.faults) print_warning(fault + " (the row does not count)");
  if (!options.to.empty()) TRY(make_batch(options, list.assets, news.missing()));
  if (news.is_table() && !common.quiet && news.all() > 0) print_line(news.in_words());
  return news.all() == 0 && list.faults.empty() ? ExitCode::ok : ExitCode::partly;
}

}  // namespace

void add_fleet(CommandLine line) {
  auto* fleet =
      line.app.add_subcommand("fleet", "what should have a certificate, and what has one");
  fleet->require_subcommand(1);
  auto options = std::make_shared<DiffOptions>();
  auto* command = fleet->add_subcommand(
      "diff", "missing, expiring, of the wrong profile, on hold, orphaned: against another list");
  command->add_option("--assets", options->assets, "a CSV file with a column of names")->required();
  command->add_option("--name-column", options->columns.name, "which one (name)");
  command->add_option("--profile-column", options->columns.profile,
                      "... of the profiles that are wanted (profile; may be missing)");
  command->add_option("--expires-within", options->within, "what counts as expiring (30d)");
  command->add_option("--channel", options->channels, "certificates of this channel only");
  command->add_option("--profile", options->profiles, "certificates of this profile only");
  command->add_option("--make-batch", options->batch,
                      "write those that are missing as a list of devices of this batch");
  command->add_option("--to", options->to, "... into this new file");
  command->add_flag("--json-lines", options->json_lines, "one JSON object a line");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return diff(*options, *common); }; });
}

}  // namespace cmpost
