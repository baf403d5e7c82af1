// EnvelopedData and AuthEnvelopedData, read and decrypted (RFC 5652 6, RFC 5083, RFC 9629).
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <functional>

#include "crypto/envelope/content_cipher.h"
#include "crypto/envelope/envelope.h"
#include "crypto/envelope/key_management.h"
#include "crypto/envelope/key_wrap.h"
#include "crypto/keys/native_key.h"
#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"
#include "crypto/secrets/password_mac.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxEnvelope = 1 << 20;
constexpr std::size_t kMaxRecipients = 16;
constexpr std::size_t kMaxAttributes = 16;
constexpr std::int64_t kMaxIterations = 1'000'000;

struct Envelope {
  std::vector<der::Element> recipients;
  Oid content_type;
  AlgorithmIdentifier algorithm;
  Bytes encrypted;
  bool authenticated = false;  // it is an AuthEnvelopedData
  Bytes authAttrs;             // with the tag of a SET, as they are authenticated (RFC 5083 2.2)
  Bytes mac;
};

// RFC 5083 2.1: "The authAttrs MUST be present if the content type [...] is not id-data", and they
// have it among them (RFC 5652 11.1): else nothing would protect it.
der::Parsed<void> check_content_type(ByteView authAttrs, const Oid& content_type) {
  der::Reader reader(authAttrs);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSet));
  std::size_t named = 0;
  for (std::size_t i = 0; !at.at_end(); ++i) {
    if (i == kMaxAttributes) return at.fault("too many authAttrs");
    ASSIGN_OR_RETURN(der::Reader attribute, at.enter(der::kSequence));
    ASSIGN_OR_RETURN(const auto type, attribute.object_identifier());
    ASSIGN_OR_RETURN(der::Reader values, attribute.enter(der::kSet));
    TRY(attribute.finish());
    if (type != oid::id_contentType) continue;
    ASSIGN_OR_RETURN(const auto value, values.object_identifier());
    TRY(values.finish());
    if (value != content_type || ++named > 1) return at.fault("another contentType");
  }
  if (named == 1) return {};
  return at.fault("authAttrs without contentType");
}

// What follows the encrypted content tells the two structures apart: a mac is in one of them only.
der::Parsed<void> read_end(der::Reader& at, std::int64_t version, Envelope& envelope) {
  ASSIGN_OR_RETURN(const auto attributes, at.optional(der::context_constructed(1)));
  envelope.authenticated = at.peek() == der::kOctetString;
  if (!envelope.authenticated) return at.finish();  // those are unprotectedAttrs
  if (version != 0) return at.fault("version of AuthEnvelopedData");
  ASSIGN_OR_RETURN(const ByteView mac, at.octet_string());
  envelope.mac = to_bytes(mac);
  TRY(at.optional(der::context_constructed(2)));  // unauthAttrs
  TRY(at.finish());
  if (attributes) {
    envelope.authAttrs = to_bytes(attributes->whole);
    envelope.authAttrs[0] = der::kSet;
    return check_content_type(envelope.authAttrs, envelope.content_type);
  }
  if (envelope.content_type == oid::id_data) return {};
  return at.fault("authAttrs are missing");
}

der::Parsed<Envelope> read_envelope(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(reader.finish());
  Envelope envelope;
  ASSIGN_OR_RETURN(const auto version, at.integer());
  TRY(at.optional(der::context_constructed(0)));  // originatorInfo
  ASSIGN_OR_RETURN(der::Reader recipients, at.enter(der::kSet));
  while (!recipients.at_end()) {
    if (envelope.recipients.size() == kMaxRecipients) return at.fault("too many recipients");
    ASSIGN_OR_RETURN(const auto one, recipients.any());
    envelope.recipients.push_back(one);
  }
  ASSIGN_OR_RETURN(der::Reader info, at.enter(der::kSequence));
  ASSIGN_OR_RETURN(envelope.content_type, info.object_identifier());
  ASSIGN_OR_RETURN(envelope.algorithm, read_algorithm(info));
  ASSIGN_OR_RETURN(const ByteView encrypted, info.octet_string(der::context(0)));
  envelope.encrypted = to_bytes(encrypted);
  TRY(info.finish());
  TRY(read_end(at, version, envelope));
  return envelope;
}

// A recipient's way to the content key, which has so many octets; nullopt: it is somebody else's.
using KeyOf = std::function<Result<std::optional<ContentKey>>(const der::Element&, std::size_t)>;

tl::unexpected<Error> malformed(const der::Fault& fault) {
  return hold("EnvelopedData: " + to_string(fault));
}

// Which key it was encrypted with, for those who remember keys.
Sha256 digest_of_key(ByteView key) {
  Bytes octets = to_bytes(view_of("content-encryption key"));
  append(octets, key);
  const auto digest = sha256(octets);
  OPENSSL_cleanse(octets.data(), octets.size());
  return digest;
}

Result<DecryptedContent> decrypt_with(ContentKey&& key, const Envelope& envelope,
                                      const ContentCipher& cipher) {
  auto plain =
      decrypt_content(cipher, key.key, envelope.encrypted, envelope.mac, envelope.authAttrs);
  const auto digest = digest_of_key(key.key);
  OPENSSL_cleanse(key.key.data(), key.key.size());
  if (!plain) return failure(std::move(plain).error().within("EnvelopedData"));
  return DecryptedContent{envelope.content_type, std::move(plain->content),
                          key.right && plain->right, envelope.authenticated, digest};
}

// Everything that ends this early can be seen by whoever has the envelope.
Result<DecryptedContent> decrypt(ByteView der, const KeyOf& key_of,
                                 std::size_t limit = kMaxEnvelope) {
  if (der.size() > limit) {
    return hold("EnvelopedData: larger than " + std::to_string(limit >> 20U) + " MiB");
  }
  const auto envelope = read_envelope(der);
  if (!envelope) return malformed(envelope.error());
  auto cipher = content_cipher(envelope->algorithm, envelope->authenticated);
  if (!cipher) return failure(std::move(cipher).error().within("EnvelopedData"));
  for (const auto& recipient : envelope->recipients) {
    ASSIGN_OR_RETURN(auto key, key_of(recipient, cipher->key_size));
    if (key) return decrypt_with(*std::move(key), *envelope, *cipher);
  }
  return hold("EnvelopedData: it is for somebody else");
}

Result<OpenedContent> opened(Result<DecryptedContent>&& decrypted) {
  if (!decrypted) return failure(std::move(decrypted).error());
  if (!decrypted->right) {
    OPENSSL_cleanse(decrypted->content.data(), decrypted->content.size());
    return hold("EnvelopedData: it cannot be decrypted");
  }
  return OpenedContent{std::move(decrypted->content_type), std::move(decrypted->content)};
}

struct WrappedKey {
  AlgorithmIdentifier algorithm;
  Bytes encrypted;
};

// Reads a RecipientIdentifier and says whether it is `certificate`'s; without one any is.
der::Parsed<bool> reads_rid(der::Reader& at, const Certificate* certificate) {
  ASSIGN_OR_RETURN(const auto rid, at.any());
  if (certificate == nullptr) return true;
  const auto ski = certificate->subject_key_identifier();
  if (rid.tag == der::context(0)) return ski && equal(*ski, rid.content);
  if (rid.tag == der::context_constructed(0)) {
    der::Reader inside = at.inside(rid);
    ASSIGN_OR_RETURN(const ByteView octets, inside.octet_string());
    return ski && equal(*ski, octets);
  }
  if (rid.tag != der::kSequence) return at.fault("unknown RecipientIdentifier");
  der::Reader inside = at.inside(rid);
  ASSIGN_OR_RETURN(const auto issuer, Name::read(inside));
  ASSIGN_OR_RETURN(const auto serial, inside.big_integer());
  return issuer.same(certificate->issuer()) && equal(serial, certificate->serial_number());
}

der::Parsed<std::optional<WrappedKey>> read_ktri(const der::Element& element,
                                                 const Certificate* certificate) {
  der::Reader reader(element.whole);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(at.integer());
  ASSIGN_OR_RETURN(const bool mine, reads_rid(at, certificate));
  WrappedKey key;
  ASSIGN_OR_RETURN(key.algorithm, read_algorithm(at));
  ASSIGN_OR_RETURN(const ByteView encrypted, at.octet_string());
  key.encrypted = to_bytes(encrypted);
  TRY(at.finish());
  if (!mine) return std::nullopt;
  return key;
}

struct Agreement {
  Bytes originator;  // SubjectPublicKeyInfo
  std::optional<Bytes> ukm;
  AlgorithmIdentifier algorithm, wrap;
  Bytes wrapped;
};

// OriginatorPublicKey may leave the parameters to the recipient's key (RFC 5753 3.1.1).
Bytes originator_spki(const SubjectPublicKeyInfo& sent, const PrivateKey& own) {
  auto algorithm = sent.algorithm;
  const auto& ours = spki_algorithm(own.public_key());
  const bool null = algorithm.parameters && algorithm.parameters->front() == der::kNull;
  if (algorithm.algorithm == ours.algorithm && (!algorithm.parameters || null)) algorithm = ours;
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, algorithm);
    writer.bit_string(sent.key);
  });
  return std::move(writer).take();
}

der::Parsed<std::optional<Bytes>> read_recipient_key(der::Reader& at,
                                                     const Certificate* certificate) {
  ASSIGN_OR_RETURN(der::Reader keys, at.enter(der::kSequence));
  std::optional<Bytes> wrapped;
  while (!keys.at_end()) {
    ASSIGN_OR_RETURN(der::Reader one, keys.enter(der::kSequence));
    ASSIGN_OR_RETURN(const bool mine, reads_rid(one, certificate));
    ASSIGN_OR_RETURN(const ByteView octets, one.octet_string());
    TRY(one.finish());
    if (mine && !wrapped) wrapped = to_bytes(octets);
  }
  return wrapped;
}

der::Parsed<std::optional<Agreement>> read_kari(const der::Element& element, const PrivateKey& own,
                                                const Certificate* certificate) {
  der::Reader reader(element.whole);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::context_constructed(1)));
  TRY(at.integer());
  ASSIGN_OR_RETURN(der::Reader originator, at.enter(der::context_constructed(0)));
  if (originator.peek() != der::context_constructed(1)) {
    return originator.fault("the originator's key is not in it");
  }
  ASSIGN_OR_RETURN(const auto sent, read_spki(originator, der::context_constructed(1)));
  Agreement agreement;
  agreement.originator = originator_spki(sent, own);
  ASSIGN_OR_RETURN(auto ukm, at.enter_optional(der::context_constructed(1)));
  if (ukm) {
    ASSIGN_OR_RETURN(const ByteView octets, ukm->octet_string());
    agreement.ukm = to_bytes(octets);
  }
  ASSIGN_OR_RETURN(agreement.algorithm, read_algorithm(at));
  if (!agreement.algorithm.parameters) return at.fault("the key wrap algorithm is missing");
  der::Reader wrap(*agreement.algorithm.parameters);
  ASSIGN_OR_RETURN(agreement.wrap, read_algorithm(wrap));
  ASSIGN_OR_RETURN(auto wrapped, read_recipient_key(at, certificate));
  TRY(at.finish());
  if (!wrapped) return std::nullopt;
  agreement.wrapped = std::move(*wrapped);
  return agreement;
}

struct KemRecipient {
  AlgorithmIdentifier kem, kdf, wrap;
  Bytes ciphertext, wrapped;
  std::int64_t kek_size = 0;
  std::optional<Bytes> ukm;
};
der::Parsed<std::optional<KemRecipient>> read_kemri(const der::Element& element,
                                                    const Certificate* certificate) {
  der::Reader reader(element.whole);
  ASSIGN_OR_RETURN(der::Reader other, reader.enter(der::context_constructed(4)));
  ASSIGN_OR_RETURN(const auto type, other.object_identifier());
  if (type != oid::id_ori_kem) return std::nullopt;
  ASSIGN_OR_RETURN(der::Reader at, other.enter(der::kSequence));
  TRY(other.finish());
  TRY(at.integer());
  ASSIGN_OR_RETURN(const bool mine, reads_rid(at, certificate));
  KemRecipient kem;
  ASSIGN_OR_RETURN(kem.kem, read_algorithm(at));
  ASSIGN_OR_RETURN(const ByteView ciphertext, at.octet_string());
  kem.ciphertext = to_bytes(ciphertext);
  ASSIGN_OR_RETURN(kem.kdf, read_algorithm(at));
  ASSIGN_OR_RETURN(kem.kek_size, at.integer());
  ASSIGN_OR_RETURN(auto ukm, at.enter_optional(der::context_constructed(0)));
  if (ukm) {
    ASSIGN_OR_RETURN(const ByteView octets, ukm->octet_string());
    kem.ukm = to_bytes(octets);
  }
  ASSIGN_OR_RETURN(kem.wrap, read_algorithm(at));
  ASSIGN_OR_RETURN(const ByteView wrapped, at.octet_string());
  kem.wrapped = to_bytes(wrapped);
  TRY(at.finish());
  if (!mine) return std::nullopt;
  return kem;
}

ContentKey key_by_agreement(const Agreement& agreement, const PrivateKey& own, std::size_t size) {
  const auto kek_size = wrap_key_size(agreement.wrap.algorithm);
  const auto peer = PublicKey::from_spki(agreement.originator);
  if (kek_size == 0 || !peer) return random_key(size);
  const auto agreed = agree(own, *peer);
  if (!agreed) return random_key(size);
  return unwrapped_key(
      agreed_kek(*agreed, agreement.algorithm.algorithm, agreement.wrap, kek_size, agreement.ukm),
      agreement.wrapped, size);
}

ContentKey key_by_kem(const KemRecipient& kem, const PrivateKey& own, std::size_t size) {
  const auto kek_size = wrap_key_size(kem.wrap.algorithm);
  if (kek_size == 0 || kem.kek_size != static_cast<std::int64_t>(kek_size)) return random_key(size);
  const auto secret = decapsulate(own, kem.kem, kem.ciphertext);
  if (!secret) return random_key(size);
  return unwrapped_key(kem_kek(kem.kdf, *secret, kem.wrap, kek_size, kem.ukm), kem.wrapped, size);
}

Result<std::optional<ContentKey>> key_for(const der::Element& element, const PrivateKey& own,
                                          const Certificate* certificate, std::size_t size) {
  switch (element.tag) {
    case der::kSequence: {
      const auto ktri = read_ktri(element, certificate);
      if (!ktri) return malformed(ktri.error());
      if (!*ktri) return std::nullopt;
      ASSIGN_OR_RETURN(auto key, recover_key(own, (*ktri)->algorithm, (*ktri)->encrypted, size));
      return key;
    }
    case der::context_constructed(1): {
      const auto kari = read_kari(element, own, certificate);
      if (!kari) return malformed(kari.error());
      if (!*kari) return std::nullopt;
      return key_by_agreement(**kari, own, size);
    }
    case der::context_constructed(4): {
      const auto kemri = read_kemri(element, certificate);
      if (!kemri) return malformed(kemri.error());
      if (!*kemri) return std::nullopt;
      return key_by_kem(**kemri, own, size);
    }
    default:
      return std::nullopt;
  }
}

struct PasswordWrapped {
  Bytes salt, wrapped;
  std::int64_t iterations = 0;
  AlgorithmIdentifier prf{oid::id_hmacWithSHA1, {}}, wrap;
};
der::Parsed<PasswordWrapped> read_pwri(const der::Element& element) {
  der::Reader reader(element.whole);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::context_constructed(3)));
  TRY(at.integer());
  PasswordWrapped pwri;
  ASSIGN_OR_RETURN(const auto kdf, read_algorithm(at, der::context_constructed(0)));
  if (kdf.algorithm != oid::id_PBKDF2 || !kdf.parameters) return at.fault("not PBKDF2");
  der::Reader parameters(*kdf.parameters);
  ASSIGN_OR_RETURN(der::Reader inside, parameters.enter(der::kSequence));
  ASSIGN_OR_RETURN(const ByteView salt, inside.octet_string());
  pwri.salt = to_bytes(salt);
  ASSIGN_OR_RETURN(pwri.iterations, inside.integer());
  TRY(inside.optional(der::kInteger));
  if (!inside.at_end()) {
    ASSIGN_OR_RETURN(pwri.prf, read_algorithm(inside));
  }
  ASSIGN_OR_RETURN(pwri.wrap, read_algorithm(at));
  ASSIGN_OR_RETURN(const ByteView wrapped, at.octet_string());
  pwri.wrapped = to_bytes(wrapped);
  TRY(at.finish());
  if (pwri.iterations < 1 || pwri.iterations > kMaxIterations) return at.fault("iterationCount");
  return pwri;
}

KeyOf by_key(const PrivateKey& key, const Certificate* certificate) {
  return [&key, certificate](const der::Element& element, std::size_t size) {
    return key_for(element, key, certificate, size);
  };
}

KeyOf by_password(ByteView password) {
  return [password](const der::Element& element,
                    std::size_t size) -> Result<std::optional<ContentKey>> {
    if (element.tag != der::context_constructed(3)) return std::nullopt;
    const auto pwri = read_pwri(element);
    if (!pwri) return malformed(pwri.error());
    const auto kek_size = wrap_key_size(pwri->wrap.algorithm);
    const auto prf = mac_scheme(pwri->prf);
    if (kek_size == 0 || !prf || prf->kind != MacScheme::Kind::hmac) return random_key(size);
    return unwrapped_key(
        password_kek(password, pwri->salt, pwri->iterations, prf->digest, kek_size), pwri->wrapped,
        size);
  };
}

}  // namespace

Result<DecryptedContent> decrypt_envelope(ByteView der, const PrivateKey& key,
                                          const Certificate& certificate) {
  auto decrypted = decrypt(der, by_key(key, &certificate));
  ERR_clear_error();
  return decrypted;
}

bool is_authenticated_envelope(ByteView der) {
  const auto envelope = read_envelope(der);
  return envelope && envelope->authenticated;
}

Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key,
                                    const Certificate& certificate) {
  return opened(decrypt_envelope(der, key, certificate));
}

Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key,
                                    const Certificate& certificate, std::size_t limit) {
  return opened(decrypt(der, by_key(key, &certificate), limit));
}

Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key) {
  return opened(decrypt(der, by_key(key, nullptr)));
}

Result<OpenedContent> open_envelope(ByteView der, ByteView password) {
  return opened(decrypt(der, by_password(password)));
}

}  // namespace cmpost
