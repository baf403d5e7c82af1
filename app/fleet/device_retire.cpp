#include "app/fleet/device_retire.h"

#include <nlohmann/json.hpp>

#include "app/instance/operator_act.h"
#include "app/looking/restore.h"
#include "app/terminal/output.h"
#include "ca/serial_number.h"
#include "processor/devices/device_certificates.h"
#include "processor/devices/device_table.h"
#include "processor/devices/device_text.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::size_t kCertificatesShown = 20;

// It is told to everybody who asks as the device.
Result<std::string> read_reason(const std::string& text) {
  auto reason = without_outer_blanks(text);
  if (reason.empty()) {
    return wrong_usage("--reason is empty", "it is told to who asks: \"stolen, ticket 4711\"");
  }
  if (auto fits = check_text(reason, TextUse::key, kLongestRetiredReason); !fits) {
    return wrong_usage("--reason " + fits.error().what, "it is told to who asks");
  }
  return reason;
}

Result<std::optional<CRLReason>> read_revocation(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto reason = crl_reason(text);
  if (reason && *reason != CRLReason::removeFromCRL) return reason;
  return wrong_usage(
      "\"" + printable(text, 40) + "\" is no reason to revoke",
      "one of unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, "
      "cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise");
}

Result<void> check_can_revoke(Instance& instance) {
  if (!instance.is_ca()) {
    return hold("a registration authority revokes nothing by itself",
                "retire without --revoke, and let the CA above revoke what is listed then");
  }
  TRY(instance.authority());  // a new CRL needs it
  ASSIGN_OR_RETURN(const auto behind, find_newer_crl(instance));
  return behind ? failure(*behind) : Result<void>();
}

class Retiring {
 public:
  Retiring(Instance& instance, std::string reason, std::optional<CRLReason> revokes)
      : instance_(instance), reason_(std::move(reason)), revokes_(revokes) {}

  Result<void> retire(const std::vector<std::string>& names, LedgerWriter& writer) {
    DeviceTable table(writer.connection());
    for (const auto& name : names) {
      ASSIGN_OR_RETURN(const bool done, table.retire(name, reason_, instance_.clock().now()));
      ASSIGN_OR_RETURN(auto device, table.find(name));
      if (!done && (!device || !revokes_)) {
        print_error(Error{Recovery::hold,
                          device ? printable(name) + " is retired already"
                                 : "no device is called " + printable(name),
                          device ? "" : "`cmpost device list` has the names"});
        continue;
      }
      if (done) TRY(note("device.retired", name, writer));
      retired_ += done ? 1 : 0;
      devices_.push_back(*std::move(device));
    }
    return {};
  }

  Result<void> look(Connection& connection) {
    ASSIGN_OR_RETURN(certificates_, certificates_of(connection, devices_, instance_.clock().now()));
    for (const auto& device : devices_) {
      ASSIGN_OR_RETURN(const auto others, DeviceTable(connection).same_subject(device));
      if (!others.empty()) shared_.push_back({device.name, others.front()});
    }
    return {};
  }

  Result<void> revoke(LedgerWriter& writer) {
    ASSIGN_OR_RETURN(const auto* const authority, instance_.authority());
    const auto own = to_bytes(authority->identity.certificate.serial_number());
    for (const auto& one : certificates_) {
      if (one.serial == own) continue;
      ASSIGN_OR_RETURN(const bool done,
                       writer.revoke(one.serial, *revokes_, instance_.clock().now(), std::nullopt));
      if (!done) continue;
      ++revoked_;
      const bool held = *revokes_ == CRLReason::certificateHold;
      const auto detail = by(instance_.person(), {{"serial", serial_text(one.serial)},
                                                  {"state", held ? "held" : "revoked"},
                                                  {"reason", to_string(*revokes_)},
                                                  {"why", "device retired"}});
      TRY(writer.audit("certificate.revoked", detail.dump()));
    }
    return {};
  }

  void print(const CommonOptions& common) const {
    if (common.json) return print_json(to_json());
    if (common.quiet) return;
    if (retired_ > 0) {
      print_line(in_groups(static_cast<std::int64_t>(retired_)) +
                 " retired: requests and renewals are refused");
    }
    if (revokes_) {
      print_line(in_groups(static_cast<std::int64_t>(revoked_)) + " certificates are revoked");
      return print_shared();
    }
    for (std::size_t i = 0; i < std::min(kCertificatesShown, certificates_.size()); ++i) {
      const auto& one = certificates_[i];
      print_line("still counts: " + serial_text(one.serial) + " of " + printable(one.subject) +
                 " until " + to_iso8601(one.not_after) +
                 (one.by_row ? "" : ", issued before the row, or without it"));
    }
    if (certificates_.size() > kCertificatesShown) {
      print_line("... and " +
                 in_groups(static_cast<std::int64_t>(certificates_.size() - kCertificatesShown)) +
                 " more: --json has all of them");
    }
    if (!certificates_.empty()) {
      print_line("`cmpost cert revoke` ends them, or `cmpost device retire --revoke`");
    }
    print_shared();
  }

  bool has_revoked() const { return revoked_ > 0; }
  std::size_t done() const { return devices_.size(); }

 private:
  Result<void> note(const char* event, const std::string& name, LedgerWriter& writer) {
    const auto detail =
        by(instance_.person(), {{"device", printable(name)}, {"reason", printable(reason_, 1000)}});
    return writer.audit(event, detail.dump());
  }

  void print_shared() const {
    for (const auto& [name, other] : shared_) {
      print_warning("cmpost: " + printable(name) + " and " + printable(other) +
                    " may have the same subject: whose a certificate is that was issued before "
                    "their rows cannot be told, and it counts");
    }
  }

  json to_json() const {
    auto rows = json::array();
    for (const auto& one : certificates_) {
      rows.push_back({{"device", one.device},
                      {"serial", serial_text(one.serial)},
                      {"subject", one.subject},
                      {"notAfter", to_iso8601(one.not_after)},
                      {"by_row", one.by_row}});
    }
    return {{"retired", retired_}, {"certificates", rows}, {"revoked", revoked_}};
  }

  Instance& instance_;
  const std::string reason_;
  const std::optional<CRLReason> revokes_;
  std::vector<Device> devices_;
  std::vector<DeviceCertificate> certificates_;
  std::vector<std::pair<std::string, std::string>> shared_;
  std::size_t retired_ = 0, revoked_ = 0;
};

ExitCode code_of(std::size_t done, std::size_t all) {
  if (done == all) return ExitCode::ok;
  return done == 0 ? ExitCode::failed : ExitCode::partly;
}

}  // namespace

Result<ExitCode> retire_devices(const RetireOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(auto reason, read_reason(options.reason));
  ASSIGN_OR_RETURN(const auto revokes, read_revocation(options.revoke));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  if (revokes) TRY(check_can_revoke(*instance));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  Retiring retiring(*instance, std::move(reason), revokes);
  TRY(ledger->write([&](LedgerWriter& writer) { return retiring.retire(options.names, writer); }));
  // From here on it gets no other one. Who writes does not wait for the search.
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  TRY(retiring.look(reader->connection()));
  if (revokes) {
    TRY(ledger->write([&](LedgerWriter& writer) { return retiring.revoke(writer); }));
  }
  retiring.print(common);
  if (retiring.has_revoked()) {
    const auto crl = issue_crl_after_revocation(*instance);
    if (!crl) {
      print_error(Error(crl.error()).within("it is done, but no CRL says so yet"));
      return ExitCode::partly;
    }
  }
  return code_of(retiring.done(), options.names.size());
}

Result<ExitCode> reinstate_devices(const RetireOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  std::size_t done = 0;
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    DeviceTable table(writer.connection());
    for (const auto& name : options.names) {
      ASSIGN_OR_RETURN(const bool changed, table.reinstate(name));
      if (!changed) {
        ASSIGN_OR_RETURN(const auto known, table.find(name));
        print_error(Error{
            Recovery::hold,
            known ? printable(name) + " is not retired" : "no device is called " + printable(name),
            known ? "" : "`cmpost device list` has the names"});
        continue;
      }
      ++done;
      TRY(writer.audit("device.reinstated",
                       by(instance->person(), {{"device", printable(name)}}).dump()));
    }
    return {};
  }));
  if (!common.quiet && done > 0) {
    print_line(in_groups(static_cast<std::int64_t>(done)) + " counts again");
  }
  return code_of(done, options.names.size());
}

}  // namespace cmpost
