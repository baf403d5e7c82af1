#include "processor/credentials/key_archive.h"

namespace cmpost {
namespace {

std::string archive_context(ByteView serial) { return "key_archive/" + to_hex(serial); }

}  // namespace

Result<ArchivedKey> seal_for_archive(const PrivateKey& key, ByteView serial, Time now,
                                     const SealingKey& sealing_key, Random& random) {
  ASSIGN_OR_RETURN(Bytes pkcs8, key.to_pkcs8());
  auto sealed = sealing_key.seal(pkcs8, archive_context(serial), random);
  wipe(pkcs8);
  if (!sealed) return failure(std::move(sealed).error());
  return ArchivedKey{to_bytes(serial), std::move(*sealed), now};
}

Bytes archived_name(const Name& subject) {
  const auto key = subject.comparison_key();
  return to_bytes(ByteView(sha256(view_of(key))));
}

Result<void> KeyArchive::add(const ArchivedKey& key) {
  ASSIGN_OR_RETURN(
      auto* const insert,
      connection_.statement("INSERT INTO key_archive (serial, sealed, at, holder, name) "
                            "VALUES (?, ?, ?, ?, ?)"));
  insert->bind(1, ByteView(key.serial));
  insert->bind(2, ByteView(key.sealed));
  insert->bind(3, to_unix_micros(key.at));
  key.holder.empty() ? insert->bind_null(4) : insert->bind(4, ByteView(key.holder));
  key.name.empty() ? insert->bind_null(5) : insert->bind(5, ByteView(key.name));
  TRY(insert->execute());
  return {};
}

Result<std::vector<Bytes>> KeyArchive::serials(std::string_view sql, ByteView value) {
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(sql));
  rows->bind(1, value);
  std::vector<Bytes> serials;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows->step());
    if (!found) return serials;
    serials.push_back(to_bytes(rows->blob(0)));
  }
}

Result<std::vector<Bytes>> KeyArchive::of_holder(ByteView holder) {
  return serials("SELECT serial FROM key_archive WHERE holder = ? OR holder IS NULL", holder);
}

Result<std::vector<Bytes>> KeyArchive::of_subject(const Name& subject) {
  return serials("SELECT serial FROM key_archive WHERE name = ? OR name IS NULL",
                 archived_name(subject));
}

Result<void> KeyArchive::forget(ByteView serial) {
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM key_archive WHERE serial = ?"));
  removal->bind(1, serial);
  TRY(removal->execute());
  return {};
}

Result<std::optional<PrivateKey>> KeyArchive::find(ByteView serial, const SealingKey& sealing_key) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT sealed FROM key_archive WHERE serial = ?"));
  rows->bind(1, serial);
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto pkcs8 = sealing_key.unseal(rows->blob(0), archive_context(serial));
  rows->reset();
  TRY(pkcs8);
  auto key = PrivateKey::from_pkcs8(*pkcs8);
  wipe(*pkcs8);
  if (!key) return failure(std::move(key).error());
  return *std::move(key);
}

}  // namespace cmpost
