#include "app/records/secret_listing.h"

#include <array>
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/terminal/output.h"
#include "processor/credentials/envelope_credential.h"
#include "processor/credentials/envelope_tables.h"
#include "processor/credentials/protection_tables.h"
#include "processor/credentials/secret_store.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::string_view kAnyChannel = "any";

std::vector<std::string> channels_of(const Secret& secret) {
  return secret.channels.any ? std::vector<std::string>{std::string(kAnyChannel)}
                             : secret.channels.names;
}

std::string in_a_row(const std::vector<std::string>& texts, std::string_view if_none) {
  std::string row;
  for (const auto& text : texts) row += (row.empty() ? "" : " ") + text;
  return row.empty() ? std::string(if_none) : row;
}

struct Failures {
  std::int64_t macs = 0, envelopes = 0;
};

Result<Failures> failures_of(const Secret& secret, Connection& connection) {
  Failures failures;
  ASSIGN_OR_RETURN(failures.macs,
                   SecretLock(connection)
                       .failures(secret_key(secret.purpose, full_reference(secret)), Time::min()));
  ASSIGN_OR_RETURN(
      failures.envelopes,
      EnvelopeTable(connection).failures(envelopes_of_secret(full_reference(secret)), Time::min()));
  return failures;
}

json to_json(const Secret& secret, const Failures& wrong) {
  json value = {{"reference", secret.reference},
                {"for", to_string(secret.purpose)},
                {"kind", secret.is_key ? "key" : "password"},
                {"subject", secret.subject.empty() ? std::string(kAnyChannel) : secret.subject},
                {"san", in_words(secret.san)},
                {"profiles", secret.profiles},
                {"channels", channels_of(secret)},
                {"uses", secret.uses},
                {"wrong_macs", wrong.macs},
                {"wrong_envelopes", wrong.envelopes},
                {"added", to_iso8601(secret.added)}};
  value["max_uses"] = secret.max_uses ? json(*secret.max_uses) : json();
  value["expires"] = secret.expires ? json(to_iso8601(*secret.expires)) : json();
  return value;
}

using Row = std::vector<std::string>;

Row row_of(const Secret& secret, const Failures& wrong) {
  return {secret.reference,
          std::string(to_string(secret.purpose)),
          secret.is_key ? "key" : "password",
          secret.subject.empty() ? "any" : secret.subject,
          in_words(secret.san),
          in_a_row(secret.profiles, "for secrets"),
          in_a_row(channels_of(secret), "the first"),
          std::to_string(secret.uses) +
              (secret.max_uses ? " of " + std::to_string(*secret.max_uses) : ""),
          std::to_string(wrong.macs),
          std::to_string(wrong.envelopes),
          secret.expires ? to_iso8601(*secret.expires) : "never",
          to_iso8601(secret.added)};
}

struct Column {
  const char* title;
  std::string_view usual;  // goes without saying where it holds for all; "": never does
};
constexpr std::array<Column, 12> kSecretColumns = {{{"reference", ""},
                                                    {"for", "mac"},
                                                    {"kind", "key"},
                                                    {"subject", ""},
                                                    {"SAN", ""},
                                                    {"profiles", "for secrets"},
                                                    {"channels", "the first"},
                                                    {"uses", ""},
                                                    {"wrong MACs", "0"},
                                                    {"wrong envelopes", "0"},
                                                    {"expires", "never"},
                                                    {"added", ""}}};

using Shown = std::array<bool, kSecretColumns.size()>;

// The columns that say something, found by a look at all rows, which are not kept.
class Columns {
 public:
  void note(const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto usual = kSecretColumns[i].usual;
      if (usual.empty() || row[i] != usual) shown_[i] = true;
    }
  }
  Row titles() const {
    Row titles;
    for (const auto& column : kSecretColumns) titles.emplace_back(column.title);
    return of(titles);
  }
  Row of(const Row& row) const {
    Row cells;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (shown_[i]) cells.push_back(row[i]);
    }
    return cells;
  }

 private:
  Shown shown_{};
};

}  // namespace

Result<ExitCode> list_secrets(const ListOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, options.read(*instance));
  auto& connection = reader->connection();
  const auto form = options.form(common);
  Columns columns;
  const auto note = [&](const Secret& secret) -> Result<void> {
    ASSIGN_OR_RETURN(const auto wrong, failures_of(secret, connection));
    columns.note(row_of(secret, wrong));
    return {};
  };
  if (form == ListForm::table) TRY(SecretStore::for_each(connection, filter, note));
  RowSink sink(columns.titles(), form, "no secrets");
  const auto each = [&](const Secret& secret) -> Result<void> {
    ASSIGN_OR_RETURN(const auto wrong, failures_of(secret, connection));
    sink.add([&] { return columns.of(row_of(secret, wrong)); },
             [&] { return to_json(secret, wrong); });
    return {};
  };
  ASSIGN_OR_RETURN(const auto all, SecretStore::for_each(connection, filter, each));
  sink.finish(left_out(filter, all));
  return ExitCode::ok;
}

}  // namespace cmpost
