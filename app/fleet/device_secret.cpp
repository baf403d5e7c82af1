#include "app/fleet/device_secret.h"

#include <nlohmann/json.hpp>

#include "app/instance/operator_act.h"
#include "processor/officers/officer.h"
#include "processor/records/secret_digest.h"

namespace cmpost {

Result<Secret> secret_of(const Device& device, const Settings& settings, Time now,
                         std::optional<Time> expires) {
  Secret secret;
  secret.reference = device.name;
  ASSIGN_OR_RETURN(secret.subject, subject_of(device));
  secret.san = san_of(device);
  if (!device.profile.empty()) secret.profiles = {device.profile};
  if (!device.channel.empty()) {
    secret.channels.names = {device.channel};
  } else {
    for (const auto& channel : settings.channels) {
      if (channel.listed_devices) secret.channels.names.push_back(channel.name);
    }
  }
  secret.max_uses = device.uses.value_or(1);
  secret.expires = expires;
  secret.added = now;
  return secret;
}

Result<void> drop_secret(LedgerWriter& writer, Instance& instance, const std::string& name) {
  ASSIGN_OR_RETURN(const auto* const key, instance.sealing_key());
  ASSIGN_OR_RETURN(const bool was_there, SecretStore(writer.connection(), *key).remove(name));
  if (!was_there) return {};
  return writer.audit(
      "secret.removed",
      by(instance.person(), {{"reference", printable(name)}, {"for", "mac"}}).dump());
}

Result<void> restate_secret(LedgerWriter& writer, Instance& instance, const Device& device) {
  if (device.secret != DeviceSecret::given && device.letters == 0) return {};
  ASSIGN_OR_RETURN(const auto secret, secret_of(device, instance.settings(), instance.clock().now(),
                                                secret_ends(device)));
  ASSIGN_OR_RETURN(const bool changed, SecretStore::restate(writer.connection(), secret));
  if (!changed) return {};
  ASSIGN_OR_RETURN(const auto digest, secret_digest(writer.connection(), secret.reference));
  return writer.audit("secret.changed",
                      by(instance.person(), {{"reference", printable(secret.reference)},
                                             {"for", "mac"},
                                             {"columns", digest.columns},
                                             {"sha256", digest.sha256}})
                          .dump());
}

Result<void> put_secret(LedgerWriter& writer, Instance& instance, const Secret& secret) {
  TRY(drop_secret(writer, instance, secret.reference));
  ASSIGN_OR_RETURN(const auto* const key, instance.sealing_key());
  ASSIGN_OR_RETURN(const bool added,
                   SecretStore(writer.connection(), *key).add(secret, instance.random()));
  CHECK(added);  // there is none of this name any more
  TRY(MakerTable(writer.connection())
          .note_secret(secret_key(SecretPurpose::mac, secret.reference), instance.person()));
  ASSIGN_OR_RETURN(const auto digest, secret_digest(writer.connection(), secret.reference));
  return writer.audit("secret.added",
                      by(instance.person(), {{"reference", printable(secret.reference)},
                                             {"for", "mac"},
                                             {"columns", digest.columns},
                                             {"sha256", digest.sha256}})
                          .dump());
}

}  // namespace cmpost
