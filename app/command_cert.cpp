#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/instance.h"
#include "app/output.h"
#include "ca/serial_number.h"
#include "config/units.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct CertOptions {
  std::string state, subject, channel, profile, expires_within, format = "table";
  std::size_t limit = 1000;
  bool all = false;
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

std::string csv_cell(std::string_view text) {
  std::string cell = "\"";
  for (const char c : printable(text, 4000)) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + "\"";
}

std::string csv_line(const CertificateRecord& record) {
  std::string line;
  for (const auto& text :
       {serial_text(record.serial), record.subject, std::string(to_string(record.state)),
        record.profile, record.channel, record.requester, record.tid, to_iso8601(record.issued),
        to_iso8601(record.not_after)}) {
    line += (line.empty() ? "" : ",") + csv_cell(text);
  }
  return line;
}

std::string pem_of(const CertificateRecord& record) {
  const auto certificate = Certificate::from_der(record.der);
  return certificate ? certificate->to_pem() : std::string();
}

Result<CertificateFilter> read_filter(const CertOptions& options, Time now) {
  CertificateFilter filter;
  if (!options.state.empty()) filter.state = certificate_state(options.state);
  if (!options.subject.empty()) filter.subject_contains = options.subject;
  if (!options.channel.empty()) filter.channel = options.channel;
  if (!options.profile.empty()) filter.profile = options.profile;
  if (!options.expires_within.empty()) {
    ASSIGN_OR_RETURN(const auto within, parse_duration(options.expires_within));
    filter.expires_before = now + within;
  }
  return filter;
}

// Prints as it reads, so that a ledger of millions takes no memory.
class Lister {
 public:
  Lister(const CertOptions& options, bool as_json) : format_(as_json ? "json" : options.format) {}

  void add(const CertificateRecord& record) {
    if (format_ == "json")
      print_line((count_ == 0 ? "[" : ",") +
                 to_json(record).dump(-1, ' ', false, json::error_handler_t::replace));
    if (format_ == "csv") {
      if (count_ == 0)
        print_line("serial,subject,state,profile,channel,requester,tid,issued,notAfter");
      print_line(csv_line(record));
    }
    if (format_ == "pem") print_line(pem_of(record));
    if (format_ == "table") {
      table_.add({serial_text(record.serial), std::string(to_string(record.state)), record.subject,
                  record.profile, to_iso8601(record.issued), to_iso8601(record.not_after)});
    }
    ++count_;
  }
  void finish(bool more) {
    if (format_ == "json") print_line(count_ == 0 ? "[]" : "]");
    if (format_ == "table") {
      table_.print("no certificates");
      if (more) print_line("... and more: use --all or --limit");
    }
  }

 private:
  std::string format_;
  std::size_t count_ = 0;
  Table table_{{"serial", "state", "subject", "profile", "issued", "notAfter"}};
};

Result<ExitCode> list(const CertOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(auto filter, read_filter(options, instance->clock().now()));
  Lister lister(options, common.json);
  std::size_t left = options.all ? SIZE_MAX : options.limit;
  bool more = false;
  while (left > 0 && !more) {
    constexpr std::size_t kPage = 1000;
    filter.limit = std::min(left, kPage);
    ASSIGN_OR_RETURN(const auto page, reader->list(filter));
    for (const auto& record : page) lister.add(record);
    if (page.size() < filter.limit) break;
    filter.after_id = page.back().id;
    left -= page.size();
    if (left == 0) {
      filter.limit = 1;
      ASSIGN_OR_RETURN(const auto next, reader->list(filter));
      more = !next.empty();
    }
  }
  lister.finish(more);
  return ExitCode::ok;
}

Result<Bytes> read_serial(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c != ':') digits += c;
  }
  if (digits.size() % 2 == 1) digits.insert(digits.begin(), '0');
  auto serial = from_hex(digits);
  if (!serial || serial->empty()) {
    return hold("\"" + text + "\" is no serial number",
                "write it in hexadecimal, as `cmpost cert list` does");
  }
  if (serial->front() >= 0x80) serial->insert(serial->begin(), 0);  // INTEGER is signed
  return *serial;
}

Result<CertificateRecord> find_record(LedgerReader& reader, const std::string& text) {
  ASSIGN_OR_RETURN(const auto serial, read_serial(text));
  ASSIGN_OR_RETURN(auto record, reader.find(serial));
  if (record) return std::move(*record);
  return hold("no certificate has the serial number " + text, "`cmpost cert list` shows them");
}

Result<ExitCode> show(const CertOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  auto all = json::array();
  for (const auto& text : options.serials) {
    ASSIGN_OR_RETURN(const auto record, find_record(*reader, text));
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
    return hold("\"" + printable(text, 40) + "\" is no date and time",
                "such as 2026-11-30T08:00:00Z, in UTC");
  }
  if (*date > SystemClock().now()) {
    return hold("--invalid-since " + printable(text, 40) + " lies in the future",
                "it is the date since when the certificate is known to be invalid");
  }
  return std::optional(std::chrono::floor<std::chrono::seconds>(*date));
}

using StateChange =
    std::function<Result<std::optional<CertificateState>>(LedgerWriter&, const CertificateRecord&)>;

// Each certificate in one commit, then one CRL for all.
Result<ExitCode> change(const CertOptions& options, const CommonOptions& common, const char* event,
                        const char* refused, const StateChange& apply) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  std::size_t done = 0;
  for (const auto& text : options.serials) {
    const auto record = find_record(*reader, text);
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
      if (!options.invalid_since.empty()) detail["invalidityDate"] = options.invalid_since;
      return writer.audit(event, detail.dump());
    }));
    if (!changed) print_error(Error{Recovery::hold, "certificate " + text + " " + refused, {}});
    done += changed ? 1 : 0;
  }
  if (done > 0) {
    ASSIGN_OR_RETURN(const auto crl, issue_crl_after_revocation(*instance));
    if (!common.quiet)
      print_line("CRL number " + std::to_string(crl.crlNumber.value_or(0)) + " is issued");
  }
  if (done == options.serials.size()) return ExitCode::ok;
  return done == 0 ? ExitCode::failed : ExitCode::partly;
}

CLI::App* add_serials(CLI::App& parent, const char* name, const char* help, CertOptions& options) {
  auto* command = parent.add_subcommand(name, help);
  command->add_option("SERIAL", options.serials, "serial numbers in hexadecimal")->required();
  return command;
}

}  // namespace

void add_cert(CommandLine line) {
  auto* cert = line.app.add_subcommand("cert", "certificates that were issued");
  cert->require_subcommand(1);
  auto options = std::make_shared<CertOptions>();
  auto* common = &line.options;

  const auto add_filters = [&](CLI::App* command) {
    command->add_option("--state", options->state)
        ->check(CLI::IsMember({"unconfirmed", "valid", "updated", "held", "revoked"}));
    command->add_option("--subject", options->subject, "part of the subject");
    command->add_option("--channel", options->channel);
    command->add_option("--profile", options->profile);
    command->add_option("--expires-within", options->expires_within, "for instance 30d");
    command->add_option("--limit", options->limit, "at most so many (default 1000)");
    command->add_flag("--all", options->all, "no limit");
  };
  auto* listing = cert->add_subcommand("list", "certificates, oldest first");
  add_filters(listing);
  listing->callback([=] { line.action = [=] { return list(*options, *common); }; });

  auto* exporting = cert->add_subcommand("export", "all that match, as PEM, CSV or JSON");
  add_filters(exporting);
  exporting->add_option("--format", options->format)->check(CLI::IsMember({"pem", "csv", "json"}));
  exporting->callback([=] {
    line.action = [=] {
      options->all = true;
      if (options->format == "table") options->format = "pem";
      return list(*options, *common);
    };
  });

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
        return hold(
            "\"" + options->reason + "\" is no reason to revoke",
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
