#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/instance/list_options.h"
#include "app/instance/operator_act.h"
#include "app/looking/restore.h"
#include "app/records/certificate_search.h"
#include "app/records/record_commands.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "base/csv.h"
#include "ca/serial_number.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct CertOptions {
  ListOptions list;
  std::string format;
  bool all = false;  // what earlier versions had to be told
  bool pem_only = false;
  std::vector<std::string> serials;
  std::string invalid_since;
  std::string reason = "unspecified";
};

json to_json(const CertificateRecord& record) {
  json value = {{"serial", serial_text(record.serial)},
                {"subject", record.subject},
                {"state", to_string(record.state)},
                {"profile", record.profile},
                {"channel", record.channel},
                {"requester", record.requester},
                {"tid", record.tid},
                {"issued", to_iso8601(record.issued)},
                {"notAfter", to_iso8601(record.not_after)}};
  if (record.revoked_at) value["revokedAt"] = to_iso8601(*record.revoked_at);
  if (record.reason) value["reason"] = to_string(*record.reason);
  if (record.invalidity_date) value["invalidityDate"] = to_iso8601(*record.invalidity_date);
  return value;
}

std::string csv_of(const CertificateRecord& record) {
  return csv_row({serial_text(record.serial), record.subject, std::string(to_string(record.state)),
                  record.profile, record.channel, record.requester, record.tid,
                  to_iso8601(record.issued), to_iso8601(record.not_after)});
}

std::string pem_of(const CertificateRecord& record) {
  const auto certificate = Certificate::from_der(record.der);
  return certificate ? certificate->to_pem() : std::string();
}

// PEM and CSV; everything else is a list like others.
class Exporter {
 public:
  explicit Exporter(const std::string& format) : csv_(format == "csv") {
    if (csv_) print_line("serial,subject,state,profile,channel,requester,tid,issued,notAfter");
  }
  void add(const CertificateRecord& record) const {
    print_line(csv_ ? csv_of(record) : pem_of(record));
  }

 private:
  bool csv_;
};

// Whoever looks for what ends soon wants to renew it.
Result<ListFilter> read_filter(const CertOptions& options, const Instance& instance) {
  ASSIGN_OR_RETURN(auto filter, options.list.read(instance));
  if (filter.expires_before && filter.state.empty()) {
    filter.but_state = to_string(CertificateState::revoked);
  }
  return filter;
}

Result<ExitCode> list(const CertOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, read_filter(options, *instance));
  RowSink sink({"serial", "state", "subject", "profile", "issued", "notAfter"},
               options.format == "json" ? ListForm::json_array : options.list.form(common),
               "no certificates");
  ASSIGN_OR_RETURN(const auto all,
                   reader->for_each(filter, [&](const CertificateRecord& record) -> Result<void> {
                     sink.add(
                         [&] {
                           return std::vector{serial_text(record.serial),
                                              std::string(to_string(record.state)),
                                              record.subject,
                                              record.profile,
                                              to_iso8601(record.issued),
                                              to_iso8601(record.not_after)};
                         },
                         [&] { return to_json(record); });
                     return {};
                   }));
  sink.finish(left_out(filter, all));
  return ExitCode::ok;
}

Result<ExitCode> export_all(const CertOptions& options, const CommonOptions& common) {
  const bool as_list = common.json || options.list.json_lines || options.format == "json";
  if (as_list) return list(options, common);
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, read_filter(options, *instance));
  const Exporter exporter(options.format);
  ASSIGN_OR_RETURN(const auto all,
                   reader->for_each(filter, [&](const CertificateRecord& record) -> Result<void> {
                     exporter.add(record);
                     return {};
                   }));
  const auto left = left_out(filter, all);
  if (left > 0) print_warning("... and " + in_groups(left) + " more: --limit, --offset");
  return ExitCode::ok;
}

Result<ExitCode> show(const CertOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  auto all = json::array();
  for (const auto& text : options.serials) {
    ASSIGN_OR_RETURN(const auto record, find_certificate(*reader, text));
    if (options.pem_only) {
      print_line(pem_of(record));
      continue;
    }
    auto value = to_json(record);
    value["pem"] = pem_of(record);
    all.push_back(std::move(value));
  }
  if (options.pem_only) return ExitCode::ok;
  if (common.json) {
    print_json(all);
    return ExitCode::ok;
  }
  for (const auto& value : all) {
    for (const auto& [key, field] : value.items()) {
      if (key != "pem")
        print_line(key + std::string(16 - std::min<std::size_t>(key.size(), 15), ' ') +
                   field.get<std::string>());
    }
    print_line(value["pem"].get<std::string>());
  }
  return ExitCode::ok;
}

// RFC 5280 5.3.2, as with rr: nobody knows of a day to come.
Result<std::optional<Time>> read_invalid_since(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto date = from_iso8601(text);
  if (!date) {
    return wrong_usage("\"" + printable(text, 40) + "\" is no date and time",
                       "such as 2026-11-30T08:00:00Z, in UTC");
  }
  if (*date > SystemClock().now()) {
    return wrong_usage("--invalid-since " + printable(text, 40) + " lies in the future",
                       "it is the date since when the certificate is known to be invalid");
  }
  return std::optional(std::chrono::floor<std::chrono::seconds>(*date));
}

// What protects the CA's own answers is not hit by the beginning of a serial number.
Result<CertificateRecord> find_certificate_to_change(LedgerReader& reader, const std::string& text,
                                                     const Authority& authority) {
  ASSIGN_OR_RETURN(auto record, find_certificate(reader, text));
  const bool own = equal(record.der, authority.identity.certificate.der());
  if (!own || text == serial_text(record.serial)) return record;
  return hold("certificate " + serial_text(record.serial) + " is the one that protects answers",
              "give its whole serial number when it is meant");
}

using StateChange =
    std::function<Result<std::optional<CertificateState>>(LedgerWriter&, const CertificateRecord&)>;

// Each certificate in one commit, then one CRL for all.
Result<ExitCode> change(const CertOptions& options, const CommonOptions& common, const char* event,
                        const char* refused, const StateChange& apply) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  // Before anything is changed: what a new CRL will need.
  ASSIGN_OR_RETURN(const auto* const authority, instance->authority());
  ASSIGN_OR_RETURN(const auto behind, find_newer_crl(*instance));
  if (behind) return failure(*behind);
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  for (const auto& text : options.serials) TRY(serial_digits(text));
  std::size_t done = 0;
  for (const auto& text : options.serials) {
    const auto record = find_certificate_to_change(*reader, text, *authority);
    if (!record) {
      print_error(record.error());
      continue;
    }
    std::optional<CertificateState> changed;
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(changed, apply(writer, *record));
      if (!changed) return {};
      auto detail = json{{"serial", serial_text(record->serial)},
                         {"state", to_string(*changed)},
                         {"reason", options.reason},
                         {"why", "operator"}};
      detail = by(instance->person(), std::move(detail));
      if (!options.invalid_since.empty()) detail["invalidityDate"] = options.invalid_since;
      return writer.audit(event, detail.dump());
    }));
    if (!changed) print_error(Error{Recovery::hold, "certificate " + text + " " + refused, {}});
    done += changed ? 1 : 0;
    if (changed && !common.quiet) {
      print_line("certificate " + serial_text(record->serial) + " of " +
                 printable(record->subject) + " is " + std::string(to_string(*changed)));
    }
  }
  if (done > 0) {
    const auto crl = issue_crl_after_revocation(*instance);
    if (!crl) {
      print_error(Error(crl.error()).within("it is done, but no CRL says so yet"));
      return ExitCode::partly;
    }
    if (!common.quiet)
      print_line("CRL number " + std::to_string(crl->crlNumber.value_or(0)) + " is issued");
  }
  if (done == options.serials.size()) return ExitCode::ok;
  return done == 0 ? ExitCode::failed : ExitCode::partly;
}

CLI::App* add_serials(CLI::App& parent, const char* name, const char* help, CertOptions& options) {
  auto* command = parent.add_subcommand(name, help);
  command
      ->add_option("SERIAL", options.serials, "serial numbers in hexadecimal, or their beginnings")
      ->required();
  return command;
}

}  // namespace

void add_cert(CommandLine line) {
  auto* cert = line.app.add_subcommand("cert", "certificates that were issued");
  cert->require_subcommand(1);
  auto options = std::make_shared<CertOptions>();
  auto* common = &line.options;

  const auto offer = [&](CLI::App* command) {
    options->list.offer(
        *command, {.filters = {FilterBy::time, FilterBy::channel, FilterBy::profile,
                               FilterBy::subject, FilterBy::requester, FilterBy::expiry},
                   .states = {"unconfirmed", "valid", "updated", "held", "revoked"},
                   .sorts = {"subject", "profile", "channel", "requester", "state", "notAfter"}});
    command->add_flag("--all", options->all, "no limit (as without it)");
  };
  auto* listing = cert->add_subcommand("list", "certificates, oldest first");
  offer(listing);
  listing->callback([=] { line.action = [=] { return list(*options, *common); }; });

  auto* exporting = cert->add_subcommand("export", "all that match, as PEM, CSV or JSON");
  offer(exporting);
  exporting->add_option("--format", options->format, "pem (default), csv or json")
      ->check(one_of("format", {"pem", "csv", "json"}));
  exporting->callback([=] { line.action = [=] { return export_all(*options, *common); }; });

  auto* showing = add_serials(*cert, "show", "everything about some certificates", *options);
  showing->add_flag("--pem", options->pem_only, "only the certificates");
  showing->callback([=] { line.action = [=] { return show(*options, *common); }; });

  auto* revoking = add_serials(*cert, "revoke", "revoke certificates and issue a CRL", *options);
  revoking->add_option("--reason", options->reason,
                       "keyCompromise, superseded, certificateHold, ... (RFC 5280 5.3.1)");
  revoking->add_option("--invalid-since", options->invalid_since,
                       "when the key was lost or the certificate became wrong, for instance "
                       "2026-11-30T08:00:00Z (invalidityDate)");
  revoking->callback([=] {
    line.action = [=]() -> Result<ExitCode> {
      const auto reason = crl_reason(options->reason);
      if (!reason || *reason == CRLReason::removeFromCRL) {
        return wrong_usage(
            "\"" + printable(options->reason, 40) + "\" is no reason to revoke",
            "one of unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, "
            "cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise");
      }
      ASSIGN_OR_RETURN(const auto since, read_invalid_since(options->invalid_since));
      return change(
          *options, *common, "certificate.revoked", "is revoked already",
          [&](LedgerWriter& writer,
              const CertificateRecord& record) -> Result<std::optional<CertificateState>> {
            ASSIGN_OR_RETURN(const bool done,
                             writer.revoke(record.serial, *reason, SystemClock().now(), since));
            if (!done) return std::nullopt;
            return *reason == CRLReason::certificateHold ? CertificateState::held
                                                         : CertificateState::revoked;
          });
    };
  });

  auto* unrevoking =
      add_serials(*cert, "unrevoke", "release certificates that are on hold", *options);
  unrevoking->callback([=] {
    line.action = [=] {
      return change(*options, *common, "certificate.released", "is not on hold",
                    [](LedgerWriter& writer,
                       const CertificateRecord& record) -> Result<std::optional<CertificateState>> {
                      ASSIGN_OR_RETURN(const bool done, writer.unrevoke(record.serial));
                      if (!done) return std::nullopt;
                      return record.held_from.value_or(CertificateState::valid);
                    });
    };
  });
}

}  // namespace cmpost
