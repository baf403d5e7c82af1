// Rows of the list of devices by which nobody can ever ask, and what vendors are known by.
#include <algorithm>
#include <set>

#include "app/looking/inspection.h"
#include "processor/devices/device_survey.h"

namespace cmpost {
namespace {

constexpr auto kSoon = std::chrono::hours(24 * 60);

std::string in_quotes(std::string_view text) { return "'" + printable(text, 60) + "'"; }

class DevicesLook {
 public:
  DevicesLook(const Settings& settings, Connection& connection, Remarks& findings)
      : settings_(settings), survey_(connection), findings_(findings) {}

  Result<void> look() {
    TRY(look_for(DeviceColumn::vendor, names_of(settings_.vendors)));
    TRY(look_for(DeviceColumn::profile, names_of(settings_.profiles)));
    TRY(look_for(DeviceColumn::channel, names_of(settings_.channels)));
    TRY(look_at_nameless());
    for (const auto& vendor : settings_.vendors) TRY(look_at_numbers(vendor));
    for (const auto& channel : settings_.channels) {
      if (channel.listed_devices) TRY(look_at_rows_of(channel));
    }
    return {};
  }

 private:
  template <typename List>
  static std::set<std::string> names_of(const List& list) {
    std::set<std::string> names;
    for (const auto& one : list) names.insert(one.name);
    return names;
  }

  // "gw-1", "gw-1 and 11 others"
  static std::string in_words(const SomeDevices& some) {
    auto text = "the device " + printable(some.first, 60);
    if (some.count > 1) text += " and " + std::to_string(some.count - 1) + " others";
    return text;
  }

  void say(const RemarkSubject& subject, std::string text, std::string hint) {
    findings_.add(
        {Severity::warning, RemarkKind::device, subject, std::move(text), std::move(hint), {}});
  }

  // What a row names was there when it was imported.
  Result<void> look_for(DeviceColumn at, const std::set<std::string>& known) {
    ASSIGN_OR_RETURN(const auto named, survey_.named(at));
    const std::string column(to_string(at));
    for (const auto& [name, some] : named) {
      if (known.contains(name)) continue;
      say("devices",
          in_words(some) + " can never ask: there is no " + column + " " + in_quotes(name) +
              " in the settings any more",
          "put it into the settings again, or import the rows with another " + column);
    }
    return {};
  }

  Result<void> look_at_nameless() {
    ASSIGN_OR_RETURN(const auto some, survey_.without_vendor());
    if (some.count == 0) return {};
    say("devices",
        in_words(some) + " can never ask: no secret, and no vendor that certifies a number",
        "import the rows with a vendor, or without `none` in the column `secret`");
    return {};
  }

  Result<void> look_at_numbers(const VendorSettings& vendor) {
    const bool by_mac = vendor.column == VendorSettings::Column::mac;
    const std::string column = by_mac ? "mac" : "serial";
    ASSIGN_OR_RETURN(const auto some, survey_.without_number(vendor));
    if (some.count == 0) return {};
    say("vendor " + vendor.name,
        in_words(some) + " can never ask: no secret, and no " + column +
            ", which is what this vendor certifies",
        "import the rows with their " + column);
    return {};
  }

  Result<void> look_at_rows_of(const ChannelSettings& channel) {
    ASSIGN_OR_RETURN(const auto some, survey_.listed_for(channel.name));
    if (some.count > 0) return {};
    say(RemarkSubject::of_channel(channel.name),
        "devices = \"listed\", and no device is listed for it: whoever asks waits",
        "`cmpost device import FILE.csv`");
    return {};
  }

  const Settings& settings_;
  DeviceSurvey survey_;
  Remarks& findings_;
};

// Nobody is told by a certificate of the vendor that its root is over.
void look_at_root(const std::string& vendor, const Certificate& root, Time now, Remarks& findings) {
  if (root.not_after() > now + kSoon) return;
  const bool over = root.not_after() <= now;
  findings.add({Severity::warning,
                RemarkKind::lifetime,
                "vendor " + vendor,
                "its root " + printable(root.subject_text()) +
                    (over ? " is over since " : " ends at ") + to_iso8601(root.not_after()),
                "no device of this vendor is believed by it then: take its successor into `roots`",
                {}});
}

}  // namespace

void look_at_devices(Instance& instance, Remarks& findings) {
  if (const auto services = instance.services()) {
    // Each channel that requests come by has all of them.
    const auto& channels = services->channels;
    const auto found = std::ranges::find_if(
        channels, [](const auto& channel) { return !channel.second.listed.empty(); });
    if (found != channels.end()) {
      for (const auto& vendor : found->second.listed) {
        for (const auto& root : vendor.roots.anchors()) {
          look_at_root(vendor.settings.name, root, instance.clock().now(), findings);
        }
      }
    }
  }
  const auto reader = instance.look_into_ledger();
  if (!reader) return;  // told of the settings
  const auto looked = DevicesLook(instance.settings(), (*reader)->connection(), findings).look();
  if (!looked) findings.add(RemarkKind::database, "the ledger", looked.error());
}

}  // namespace cmpost
