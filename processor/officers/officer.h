// Who decides about requests, and that it is not about an own one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/ledger/person.h"
#include "config/officer_settings.h"
#include "crypto/x509/certificate.h"
#include "processor/transaction/transaction.h"
#include "store/connection.h"

namespace cmpost {

struct Officer {
  std::string name, account;
  std::optional<Certificate> certificate{};
};
// An Error where the certificate cannot be read.
Result<Officer> load_officer(const OfficerSettings& settings);

extern const std::vector<Migration> kOfficerMigrations;

// Who has brought what others ask with: noted beside it, in the same commit.
class MakerTable {
 public:
  explicit MakerTable(Connection& connection) : connection_(connection) {}

  Result<void> note_secret(std::string_view secret, const Person& person);  // secret_key()
  Result<void> note_import(std::int64_t import, const Person& person);
  // nullopt: nobody has noted it; it is of an earlier version.
  struct Maker {
    std::string account, said;  // `said`: by --as, a claim
  };
  Result<std::optional<Maker>> of_secret(std::string_view secret);
  // Of the row that the device has now.
  Result<std::optional<Maker>> of_device(std::int64_t device);

 private:
  Connection& connection_;
};

// Why the request is the officer's own, in words: the row of the device is by an import of his, the
// secret was made by him, or he has the certificate that it is signed with. Empty: it is not. Who
// cannot be told apart from the officer is taken for him.
Result<std::string> why_own(Connection& connection, const Transaction& transaction,
                            const Officer& officer);

}  // namespace cmpost
