// A bundle that nobody but its receivers can read. Each file of it is an AuthEnvelopedData
// (RFC 5083, AES-256-GCM) of its own, so that no more than one has to be in memory; the first two
// hold the manifest and its signature. What stands outside tells gaps and damage without a key.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carrier/bundle_manifest.h"
#include "crypto/envelope/envelope.h"

namespace cmpost {

// For whom.
struct BundleSeal {
  std::vector<Recipient> recipients;     // 1 to kMostSealRecipients
  std::vector<std::string> identifiers;  // of their keys, in hexadecimal
};
// Their keys must be such that something can be encrypted to them.
Result<BundleSeal> seal_for(std::span<const Certificate> recipients);

// With what.
struct BundleOpener {
  Certificate certificate;
  PrivateKey key;
};

// Is it among those whose keys have these identifiers?
bool opens(const BundleOpener& opener, std::span<const std::string> identifiers);

// A name of a sealed file: "0000.p7m", "0001.p7m", ...
std::string sealed_name(std::size_t index);
inline constexpr std::size_t kSealedManifest = 0, kSealedSignature = 1, kFirstSealedFile = 2;

// A whole ContentInfo, larger than `content` by less than this.
inline constexpr std::size_t kRoomForSeal = std::size_t{32} << 10U;
Result<Bytes> seal(ByteView content, const BundleSeal& seal, Random& random);
// An Error (hold): it is for somebody else, or was changed.
Result<Bytes> unseal(ByteView sealed, const BundleOpener& opener);

}  // namespace cmpost
