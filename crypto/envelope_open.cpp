// EnvelopedData, read and decrypted (RFC 5652 6, RFC 9629).
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <functional>

#include "crypto/envelope.h"
#include "crypto/kem.h"
#include "crypto/key_agreement.h"
#include "crypto/key_management.h"
#include "crypto/key_wrap.h"
#include "crypto/native_key.h"
#include "crypto/password_mac.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxEnvelope = 1 << 20;
constexpr std::size_t kMaxRecipients = 16;
constexpr std::int64_t kMaxIterations = 1'000'000;

struct Envelope {
  std::vector<der::Element> recipients;
  Oid content_type;
  AlgorithmIdentifier algorithm;
  Bytes encrypted;
};

der::Parsed<Envelope> read_envelope(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(reader.finish());
  Envelope envelope;
  TRY(at.integer());
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
  TRY(at.optional(der::context_constructed(1)));  // unprotectedAttrs
  TRY(at.finish());
  return envelope;
}

// A recipient's way to the content key; nullopt: it is somebody else's.
using KeyOf = std::function<Result<std::optional<Bytes>>(const der::Element&)>;

tl::unexpected<Error> malformed(const der::Fault& fault) {
  return hold("EnvelopedData: " + to_string(fault));
}
tl::unexpected<Error> undecryptable() { return hold("EnvelopedData: it cannot be decrypted"); }

Result<OpenedContent> open_with(ByteView der, const KeyOf& key_of) {
  if (der.size() > kMaxEnvelope) return hold("EnvelopedData: larger than 1 MiB");
  const auto envelope = read_envelope(der);
  if (!envelope) return malformed(envelope.error());
  const auto size = cbc_key_size(envelope->algorithm.algorithm);
  if (size == 0 || !envelope->algorithm.parameters) {
    return hold("EnvelopedData: encryption by " + envelope->algorithm.algorithm.name() +
                " is not supported");
  }
  der::Reader parameters(*envelope->algorithm.parameters);
  const auto iv = parameters.octet_string();
  if (!iv) return malformed(iv.error());
  for (const auto& recipient : envelope->recipients) {
    ASSIGN_OR_RETURN(auto key, key_of(recipient));
    if (!key) continue;
    // Whatever went wrong shows up at one place, so that nobody learns where.
    if (key->size() != size) {
      key->resize(size);
      RAND_bytes(key->data(), static_cast<int>(size));
    }
    auto content = decrypt_cbc(*key, *iv, envelope->encrypted);
    OPENSSL_cleanse(key->data(), key->size());
    if (!content) return undecryptable();
    return OpenedContent{envelope->content_type, std::move(*content)};
  }
  return hold("EnvelopedData: it is for somebody else");
}

struct WrappedKey {
  AlgorithmIdentifier algorithm;
  Bytes encrypted;
};

// Empty when it cannot be unwrapped.
Bytes unwrap_or_nothing(const Result<Bytes>& kek, ByteView wrapped) {
  if (!kek) return {};
  return unwrap_key(*kek, wrapped).value_or(Bytes());
}

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

Bytes key_by_agreement(const Agreement& agreement, const PrivateKey& own) {
  const auto size = wrap_key_size(agreement.wrap.algorithm);
  const auto peer = PublicKey::from_spki(agreement.originator);
  if (size == 0 || !peer) return {};
  const auto agreed = agree(own, *peer);
  if (!agreed) return {};
  return unwrap_or_nothing(
      agreed_kek(*agreed, agreement.algorithm.algorithm, agreement.wrap, size, agreement.ukm),
      agreement.wrapped);
}

Bytes key_by_kem(const KemRecipient& kem, const PrivateKey& own) {
  const auto size = wrap_key_size(kem.wrap.algorithm);
  if (size == 0 || kem.kek_size != static_cast<std::int64_t>(size)) return {};
  const auto secret = decapsulate(own, kem.kem, kem.ciphertext);
  if (!secret) return {};
  return unwrap_or_nothing(kem_kek(kem.kdf, *secret, kem.wrap, size, kem.ukm), kem.wrapped);
}

Result<std::optional<Bytes>> key_for(const der::Element& element, const PrivateKey& own,
                                     const Certificate* certificate) {
  switch (element.tag) {
    case der::kSequence: {
      const auto ktri = read_ktri(element, certificate);
      if (!ktri) return malformed(ktri.error());
      if (!*ktri) return std::nullopt;
      return recover_key(own, (*ktri)->algorithm, (*ktri)->encrypted).value_or(Bytes());
    }
    case der::context_constructed(1): {
      const auto kari = read_kari(element, own, certificate);
      if (!kari) return malformed(kari.error());
      if (!*kari) return std::nullopt;
      return key_by_agreement(**kari, own);
    }
    case der::context_constructed(4): {
      const auto kemri = read_kemri(element, certificate);
      if (!kemri) return malformed(kemri.error());
      if (!*kemri) return std::nullopt;
      return key_by_kem(**kemri, own);
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

}  // namespace

Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key,
                                    const Certificate& certificate) {
  return open_with(der, [&](const der::Element& e) { return key_for(e, key, &certificate); });
}

Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key) {
  return open_with(der, [&](const der::Element& e) { return key_for(e, key, nullptr); });
}

Result<OpenedContent> open_envelope(ByteView der, ByteView password) {
  return open_with(der, [&](const der::Element& element) -> Result<std::optional<Bytes>> {
    if (element.tag != der::context_constructed(3)) return std::nullopt;
    const auto pwri = read_pwri(element);
    if (!pwri) return malformed(pwri.error());
    const auto size = wrap_key_size(pwri->wrap.algorithm);
    const auto prf = mac_scheme(pwri->prf);
    if (size == 0 || !prf || prf->kind != MacScheme::Kind::hmac) return Bytes();
    return unwrap_or_nothing(
        password_kek(password, pwri->salt, pwri->iterations, prf->digest, size), pwri->wrapped);
  });
}

}  // namespace cmpost
