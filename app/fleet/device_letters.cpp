#include "app/fleet/device_letters.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/fleet/device_secret.h"
#include "app/fleet/letter_file.h"
#include "app/fleet/letter_page.h"
#include "app/instance/operator_act.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "base/files.h"
#include "config/text/units.h"
#include "processor/devices/letter_secret.h"
#include "processor/devices/sought_device.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestTyped = 1000;

// Why a device gets no letter; nullopt: it gets one.
std::optional<std::string> reason_against(const Device& device, bool has_secret, bool again,
                                          Time now) {
  if (device.retired) return "it is retired";
  if (device.secret == DeviceSecret::none) return "its row says secret = none";
  if (device.secret == DeviceSecret::given) return "its secret was in the list";
  if (device.valid_until && *device.valid_until <= now) return "its valid_until has passed";
  if (again) return std::nullopt;
  if (device.letters > 0) return "its letter was printed before; --again makes a new secret";
  if (has_secret) return "it has a secret that is of no letter; --again replaces it";
  return std::nullopt;
}

// Certificates that its row leaves; nullopt: it does not say how many there may be.
Result<std::optional<std::int64_t>> left_of(const Device& device, Connection& connection) {
  if (!device.uses) return std::nullopt;
  ASSIGN_OR_RETURN(const auto known, KnownDevices(connection).find({.name = device.name}));
  return *device.uses - (known ? known->taken() : 0);
}

class Printing {
 public:
  Printing(Instance& instance, const LetterOptions& options, Duration valid)
      : instance_(instance), options_(options), valid_(valid), now_(instance.clock().now()) {}

  // In one commit, of which the file is the last step.
  Result<void> print(LedgerWriter& writer) {
    ASSIGN_OR_RETURN(const auto devices, chosen(writer.connection()));
    for (const auto& device : devices) TRY(add(device, writer));
    if (letters_.empty()) return {};
    ASSIGN_OR_RETURN(const auto page, page_of_letters());
    ASSIGN_OR_RETURN(file_, LetterFile::write(options_.to, view_of(page)));
    auto detail =
        by(instance_.person(),
           {{"count", letters_.size()}, {"again", again_}, {"file", printable(options_.to, 1000)}});
    if (!options_.filter.batch.empty()) detail["batch"] = printable(options_.filter.batch);
    return writer.audit("device.letters", detail.dump());
  }

  LetterFile& file() { return file_; }
  std::size_t printed() const { return letters_.size(); }
  std::size_t left_out() const { return left_out_; }

 private:
  Result<std::vector<Device>> chosen(Connection& connection) {
    DeviceTable table(connection);
    std::vector<Device> devices;
    for (const auto& name : options_.names) {
      ASSIGN_OR_RETURN(auto device, table.find(name));
      if (device) {
        devices.push_back(*std::move(device));
      } else {
        leave_out(name, "no such device is listed");
      }
    }
    if (!options_.names.empty()) return devices;
    TRY(table.for_each(options_.filter, [&](const ListedDevice& listed) -> Result<void> {
      devices.push_back(listed.device);
      return {};
    }));
    return devices;
  }

  void leave_out(const std::string& name, const std::string& why) {
    ++left_out_;
    print_error(Error{Recovery::hold, "no letter for " + printable(name) + ": " + why, {}});
  }

  Result<void> add(const Device& device, LedgerWriter& writer) {
    ASSIGN_OR_RETURN(const bool has_secret, SecretStore::exists(writer.connection(), device.name));
    ASSIGN_OR_RETURN(const auto left, left_of(device, writer.connection()));
    auto why = reason_against(device, has_secret, options_.again, now_);
    if (!why && left && *left <= 0) {
      why = "it has all the certificates that its row allows; raise its `uses` first";
    }
    if (why) {
      leave_out(device.name, *why);
      return {};
    }
    ASSIGN_OR_RETURN(const auto namesake, SecretStore::namesake(writer.connection(), device.name));
    if (namesake) {
      leave_out(device.name, "the secret " + printable(*namesake) +
                                 " has the same name, as names compare; remove it first");
      return {};
    }
    auto dated = device;
    dated.letter_until = now_ + valid_;
    const auto expires = secret_ends(dated);
    ASSIGN_OR_RETURN(auto secret, secret_of(device, instance_.settings(), now_, expires));
    auto text = make_letter_secret(instance_.random());
    secret.value = to_bytes(std::string_view(text));
    secret.is_key = true;
    TRY(put_secret(writer, instance_, secret));
    TRY(DeviceTable(writer.connection()).invite(device.id, now_, *dated.letter_until));
    again_ += device.letters > 0 || has_secret ? 1 : 0;
    letters_.push_back({device, std::move(text), expires, left.value_or(1)});
    return {};
  }

  Result<std::string> page_of_letters() {
    Sender sender;
    sender.instance = instance_.settings().instance.name;
    sender.printed = now_;
    if (instance_.is_ca()) {
      ASSIGN_OR_RETURN(const auto certificate, instance_.ca_certificate());
      sender.fingerprint = to_hex(certificate.fingerprint());
    }
    return letter_page(letters_, sender);
  }

  Instance& instance_;
  const LetterOptions& options_;
  const Duration valid_;
  const Time now_;
  std::vector<Letter> letters_;
  LetterFile file_;
  std::size_t left_out_ = 0, again_ = 0;
};

bool says_which(const LetterOptions& options) {
  const auto& filter = options.filter;
  return !options.names.empty() || !filter.batch.empty() || !filter.site.empty() ||
         !filter.vendor.empty();
}

}  // namespace

Result<ExitCode> print_letters(const LetterOptions& options, const CommonOptions& common) {
  if (!says_which(options)) {
    return wrong_usage("nobody says which devices get a letter",
                       "name them, or --batch, --site, --vendor");
  }
  ASSIGN_OR_RETURN(const auto valid, of_usage(parse_duration(options.valid)));
  if (exists(options.to)) {
    return hold(options.to + " exists", "letters are never written over; choose another name");
  }
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  Printing printing(*instance, options, valid);
  const auto done = ledger->write([&](LedgerWriter& writer) { return printing.print(writer); });
  if (!done) {
    printing.file().drop();  // its secrets do not count
    return failure(done.error());
  }
  TRY(printing.file().put_in_place());
  if (common.json) {
    print_json({{"letters", printing.printed()},
                {"left_out", printing.left_out()},
                {"file", printing.printed() > 0 ? options.to : ""}});
  } else if (printing.printed() == 0) {
    print_line("no letter is printed");
  } else if (!common.quiet) {
    print_line(in_groups(static_cast<std::int64_t>(printing.printed())) + " letters in " +
               options.to +
               ": print it from a browser, put each in its envelope, and delete the file; the "
               "secrets are shown nowhere else");
  }
  if (printing.left_out() == 0) return ExitCode::ok;
  return printing.printed() == 0 ? ExitCode::failed : ExitCode::partly;
}

Result<ExitCode> check_typed_secret(const CommonOptions& common) {
  std::string typed(kLongestTyped, '\0');
  std::cin.read(typed.data(), static_cast<std::streamsize>(typed.size()));
  typed.resize(static_cast<std::size_t>(std::cin.gcount()));
  const auto read = read_letter_secret(typed);
  if (common.json) {
    print_json({{"right", !read.secret.empty()},
                {"wrong_groups", read.wrong_groups},
                {"reason", read.fault}});
  } else if (!read.secret.empty()) {
    if (!common.quiet) print_line("it is typed as it was printed");
  } else if (!read.fault.empty()) {
    print_line(read.fault);
  } else {
    std::string groups;
    for (const int group : read.wrong_groups) {
      groups += (groups.empty() ? "" : ", ") + std::to_string(group);
    }
    print_line((read.wrong_groups.size() == 1 ? "there is a mistake in group "
                                              : "there are mistakes in the groups ") +
               groups + ", or in its check character in the last group");
  }
  return read.secret.empty() ? ExitCode::failed : ExitCode::ok;
}

}  // namespace cmpost
