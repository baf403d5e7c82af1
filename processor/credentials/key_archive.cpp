#include "processor/credentials/key_archive.h"

#include "store/rows.h"

namespace cmpost {
namespace {

std::string archive_context(ByteView serial) { return "key_archive/" + to_hex(serial); }

// Who is not known is NULL.
std::optional<ByteView> known(const Bytes& who) {
  if (who.empty()) return std::nullopt;
  return who;
}

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
  TRY(change(connection_,
             "INSERT INTO key_archive (serial, sealed, at, holder, name) VALUES (?, ?, ?, ?, ?)",
             key.serial, key.sealed, key.at, known(key.holder), known(key.name)));
  return {};
}

Result<std::vector<Bytes>> KeyArchive::of_holder(ByteView holder) {
  return all(connection_, "SELECT serial FROM key_archive WHERE holder = ? OR holder IS NULL",
             column<Bytes>, holder);
}

Result<std::vector<Bytes>> KeyArchive::of_subject(const Name& subject) {
  return all(connection_, "SELECT serial FROM key_archive WHERE name = ? OR name IS NULL",
             column<Bytes>, archived_name(subject));
}

Result<void> KeyArchive::forget(ByteView serial) {
  TRY(change(connection_, "DELETE FROM key_archive WHERE serial = ?", serial));
  return {};
}

Result<std::optional<PrivateKey>> KeyArchive::find(ByteView serial, const SealingKey& sealing_key) {
  const auto unseal = [&](Row& row) {
    return sealing_key.unseal(row.next<ByteView>(), archive_context(serial));
  };
  ASSIGN_OR_RETURN(auto pkcs8, one(connection_, "SELECT sealed FROM key_archive WHERE serial = ?",
                                   unseal, serial));
  if (!pkcs8) return std::nullopt;
  auto key = PrivateKey::from_pkcs8(*pkcs8);
  wipe(*pkcs8);
  if (!key) return failure(std::move(key).error());
  return *std::move(key);
}

}  // namespace cmpost
