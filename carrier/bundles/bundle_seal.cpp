#include "carrier/bundles/bundle_seal.h"

#include <algorithm>

namespace cmpost {
Result<BundleSeal> seal_for(std::span<const Certificate> recipients) {
  BundleSeal seal;
  if (recipients.empty() || recipients.size() > kMostSealRecipients) {
    return hold("a bundle is sealed for 1 to " + std::to_string(kMostSealRecipients) +
                " certificates");
  }
  for (const auto& certificate : recipients) {
    ASSIGN_OR_RETURN(auto recipient, recipient_of(certificate));
    if (!can_receive(recipient.key)) {
      return hold("nothing can be encrypted to " + printable(certificate.subject_text(), 200),
                  "RSA, EC, X25519 and X448 keys can receive");
    }
    seal.identifiers.push_back(to_hex(recipient.key.key_identifier()));
    seal.recipients.emplace_back(std::move(recipient));
  }
  std::ranges::sort(seal.identifiers);
  return seal;
}

bool opens(const BundleOpener& opener, std::span<const std::string> identifiers) {
  const auto own = to_hex(opener.key.public_key().key_identifier());
  return std::ranges::find(identifiers, own) != identifiers.end();
}

std::string sealed_name(std::size_t index) {
  const auto digits = std::to_string(index);
  return std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits + ".p7m";
}

Result<Bytes> seal(ByteView content, const BundleSeal& seal, Random& random) {
  ASSIGN_OR_RETURN(const auto envelope,
                   envelop_for_all(content, oid::id_data, seal.recipients, random));
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(oid::id_authEnvelopedData);
    writer.constructed(der::context_constructed(0), [&] { writer.raw(envelope); });
  });
  return std::move(writer).take();
}

Result<Bytes> unseal(ByteView sealed, const BundleOpener& opener) {
  der::Reader reader(sealed);
  const auto envelope = [&]() -> der::Parsed<ByteView> {
    ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
    TRY(reader.finish());
    ASSIGN_OR_RETURN(const auto type, at.object_identifier());
    if (type != oid::id_authEnvelopedData) return at.fault("no AuthEnvelopedData");
    ASSIGN_OR_RETURN(der::Reader inside, at.enter(der::context_constructed(0)));
    TRY(at.finish());
    ASSIGN_OR_RETURN(const auto whole, inside.any());
    TRY(inside.finish());
    return whole.whole;
  }();
  if (!envelope) return hold("it is sealed in a form that is not known here");
  auto opened = open_envelope(*envelope, opener.key, opener.certificate,
                              static_cast<std::size_t>(kLargestBundleFile));
  if (!opened) return failure(std::move(opened).error());
  return std::move(opened->content);
}

}  // namespace cmpost
