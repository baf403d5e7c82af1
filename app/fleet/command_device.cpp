// `device`: the list of devices.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/fleet/device_import_command.h"
#include "app/fleet/device_letters.h"
#include "app/fleet/device_retire.h"
#include "app/fleet/fleet_commands.h"
#include "app/instance/list_options.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "base/csv.h"
#include "processor/devices/device_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct DeviceOptions {
  ListOptions list;
  std::string name, batch, site, vendor;  // filters
};

std::vector<std::string> states() {
  std::vector<std::string> names;
  for (const auto state :
       {DeviceState::listed, DeviceState::invited, DeviceState::requested, DeviceState::issued,
        DeviceState::confirmed, DeviceState::revoked, DeviceState::retired}) {
    names.emplace_back(to_string(state));
  }
  return names;
}

json to_json(const ListedDevice& listed) {
  const auto& device = listed.device;
  json value = {{"state", to_string(listed.state)},
                {"certificates", listed.certificates},
                {"imported", to_iso8601(device.imported)},
                {"imported_by", device.imported_by},
                {"letters", device.letters}};
  for (std::size_t i = 0; i < kDeviceColumns; ++i) {
    const auto column = device_column_at(i);
    value[std::string(to_string(column))] = cell_of(device, column);
  }
  if (device.invited) value["invited"] = to_iso8601(*device.invited);
  if (device.retired) {
    value["retired"] = to_iso8601(*device.retired);
    value["retired_reason"] = device.retired_reason;
  }
  return value;
}

Result<DeviceFilter> filter_of(const DeviceOptions& options, const Instance& instance) {
  DeviceFilter filter;
  ASSIGN_OR_RETURN(filter.list, options.list.read(instance));
  filter.name = options.name;
  filter.batch = options.batch;
  filter.site = options.site;
  filter.vendor = options.vendor;
  return filter;
}

std::string identity_of(const Device& device) {
  std::string text = device.vendor;
  const auto mac = cell_of(device, DeviceColumn::mac);
  for (const auto& one : {device.serial, mac}) {
    if (!one.empty()) text += (text.empty() ? "" : " ") + one;
  }
  return text;
}

Result<ExitCode> list(const DeviceOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, filter_of(options, *instance));
  RowSink sink({"name", "state", "identity", "profile", "site", "batch", "certificates"},
               options.list.form(common), "no device is listed: `cmpost device import FILE.csv`");
  ASSIGN_OR_RETURN(const auto all,
                   DeviceTable(reader->connection())
                       .for_each(filter, [&](const ListedDevice& listed) -> Result<void> {
                         const auto& device = listed.device;
                         sink.add(
                             [&] {
                               return std::vector{device.name,
                                                  std::string(to_string(listed.state)),
                                                  identity_of(device),
                                                  device.profile,
                                                  device.site,
                                                  device.batch,
                                                  std::to_string(listed.certificates)};
                             },
                             [&] { return to_json(listed); });
                         return {};
                       }));
  sink.finish(left_out(filter.list, all));
  return ExitCode::ok;
}

Result<ExitCode> export_all(const DeviceOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, filter_of(options, *instance));
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < kDeviceColumns; ++i) {
    cells.emplace_back(to_string(device_column_at(i)));
  }
  print_line(csv_row(cells));
  ASSIGN_OR_RETURN(const auto all,
                   DeviceTable(reader->connection())
                       .for_each(filter, [&](const ListedDevice& listed) -> Result<void> {
                         for (std::size_t i = 0; i < kDeviceColumns; ++i) {
                           cells[i] = cell_of(listed.device, device_column_at(i));
                         }
                         print_line(csv_row(cells));
                         return {};
                       }));
  const auto left = left_out(filter.list, all);
  if (left > 0) print_warning("... and " + in_groups(left) + " more: --limit, --offset");
  return ExitCode::ok;
}

void offer_filters(CLI::App& command, const std::shared_ptr<DeviceOptions>& options) {
  command.add_option("--name", options->name, "part of the name");
  command.add_option("--batch", options->batch, "only of this batch");
  command.add_option("--site", options->site, "only of this site");
  command.add_option("--vendor", options->vendor, "only of this vendor");
  options->list.offer(command, {.filters = {FilterBy::time, FilterBy::channel, FilterBy::profile,
                                            FilterBy::subject},
                                .states = states(),
                                .sorts = {"site", "batch", "vendor", "serial"}});
}

void add_import(CommandLine line, CLI::App& device) {
  const auto options = std::make_shared<ImportOptions>();
  auto* command = device.add_subcommand(
      "import", "take a list (CSV); without --yes only say what is new, changed or in conflict");
  command->add_option("FILE", options->file, "columns by their names in the first line")
      ->required();
  command->add_flag("--yes", options->yes, "do it");
  command->add_flag("--all", options->all, "show every row that is not the same");
  command->callback([=] {
    line.action = [=, common = &line.options] { return import_devices(*options, *common); };
  });
}

void add_lists(CommandLine line, CLI::App& device) {
  const auto listed = std::make_shared<DeviceOptions>();
  auto* listing = device.add_subcommand("list", "the devices, and how far they have come");
  offer_filters(*listing, listed);
  listing->callback(
      [=] { line.action = [=, common = &line.options] { return list(*listed, *common); }; });

  const auto exported = std::make_shared<DeviceOptions>();
  auto* exporting = device.add_subcommand(
      "export", "the list as CSV, without formulas and secrets; `import` takes it again");
  offer_filters(*exporting, exported);
  exporting->callback([=] {
    line.action = [=, common = &line.options] { return export_all(*exported, *common); };
  });
}

void add_letters(CommandLine line, CLI::App& device) {
  const auto options = std::make_shared<LetterOptions>();
  auto* letters = device.add_subcommand(
      "letters", "make one-time secrets, as pages to be printed (HTML, only for you to read)");
  letters->add_option("NAME", options->names, "devices (default: those of the filters)");
  letters->add_option("--batch", options->filter.batch, "only of this batch");
  letters->add_option("--site", options->filter.site, "only of this site");
  letters->add_option("--vendor", options->filter.vendor, "only of this vendor");
  letters->add_option("--to", options->to, "file to be made")->required();
  letters->add_option("--valid", options->valid, "how long the secrets are good (default: 90d)");
  letters->add_flag("--again", options->again,
                    "also who has a letter: a new secret, and the old one no longer counts");
  letters->callback([=] {
    line.action = [=, common = &line.options] { return print_letters(*options, *common); };
  });

  auto* checking = device.add_subcommand(
      "check-secret", "find mistakes in a secret that was typed from a letter (standard input)");
  checking->callback(
      [=] { line.action = [common = &line.options] { return check_typed_secret(*common); }; });
}

void add_retiring(CommandLine line, CLI::App& device) {
  const auto options = std::make_shared<RetireOptions>();
  auto* retiring =
      device.add_subcommand("retire", "refuse what devices ask for from now on, renewals too");
  retiring->add_option("NAME", options->names)->required();
  retiring->add_option("--reason", options->reason, "told to who asks for it")->required();
  retiring->add_option("--revoke", options->revoke,
                       "revoke what they have, too: keyCompromise, cessationOfOperation, ...");
  retiring->callback([=] {
    line.action = [=, common = &line.options] { return retire_devices(*options, *common); };
  });
  auto* reinstating = device.add_subcommand("reinstate", "take `retire` back");
  reinstating->add_option("NAME", options->names)->required();
  reinstating->callback([=] {
    line.action = [=, common = &line.options] { return reinstate_devices(*options, *common); };
  });
}

}  // namespace

void add_device(CommandLine line) {
  auto* device = line.app.add_subcommand("device", "the list of devices: who may come");
  device->require_subcommand(1);
  add_import(line, *device);
  add_lists(line, *device);
  add_letters(line, *device);
  add_retiring(line, *device);
}

}  // namespace cmpost
