// What the record of a secret vouches for.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/connection.h"

namespace cmpost {

// "reference,sealed,...": the columns of the secret that its record vouches for, and the SHA-256
// over their values, for the detail of the record of secret.added. `uses` is counted by itself.
struct SecretDigest {
  std::string columns;
  std::string sha256;  // hex
};
Result<SecretDigest> secret_digest(Connection& connection, std::string_view reference);

// Whether a record may name these columns: only plain ones may be put into SQL.
bool is_column_list(std::string_view text);
// The SHA-256 over their values, hex. An Error when there is no such secret.
Result<std::string> digest_of_columns(Connection& connection, std::string_view columns,
                                      std::string_view reference);

}  // namespace cmpost
