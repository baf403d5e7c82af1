#include "processor/records/secret_digest.h"

#include <algorithm>

#include "crypto/keys/algorithm.h"
#include "store/rows.h"

namespace cmpost {

bool is_column_list(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || c == ',';
  });
}

Result<std::string> digest_of_columns(Connection& connection, std::string_view columns,
                                      std::string_view reference) {
  const auto sql = "SELECT " + std::string(columns) + " FROM secret WHERE reference = ?";
  const auto count = 1 + std::ranges::count(columns, ',');
  const auto read = [count](Row& row) {
    Bytes input;
    for (int i = 0; i < count; ++i) {
      const auto value = row.next<std::optional<ByteView>>();
      append(input, view_of((value ? std::to_string(value->size()) : "-") + ":"));
      if (value) append(input, *value);
    }
    return to_hex(sha256(input));
  };
  ASSIGN_OR_RETURN(auto digest, one(connection, sql, read, reference));
  if (!digest) return hold("there is no such secret");
  return *std::move(digest);
}

Result<SecretDigest> secret_digest(Connection& connection, std::string_view reference) {
  // Whatever a later version adds stays out of what this one vouches for, and the other way round.
  SecretDigest digest;
  TRY(each(connection,
           "SELECT name FROM pragma_table_info('secret') WHERE name <> 'uses' ORDER BY name",
           [&](Row& row) {
             digest.columns += (digest.columns.empty() ? "" : ",") + row.next<std::string>();
           }));
  ASSIGN_OR_RETURN(digest.sha256, digest_of_columns(connection, digest.columns, reference));
  return digest;
}

}  // namespace cmpost
