// EnvelopedData and AuthEnvelopedData, written (RFC 5652 6, RFC 5083, RFC 9629).
#include <openssl/crypto.h>

#include <algorithm>

#include "crypto/envelope/content_cipher.h"
#include "crypto/envelope/envelope.h"
#include "crypto/envelope/key_management.h"
#include "crypto/envelope/key_wrap.h"
#include "crypto/keys/native_key.h"
#include "crypto/secrets/agreed_mac.h"
#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"

namespace cmpost {
namespace {

const AlgorithmIdentifier& key_wrap_algorithm() {
  static const AlgorithmIdentifier kWrap{oid::id_aes256_wrap, {}};
  return kWrap;
}

void write_issuer_and_serial(der::Writer& writer, const IssuerAndSerialNumber& rid) {
  writer.constructed(der::kSequence, [&] {
    writer.raw(rid.issuer.der());
    writer.big_integer(rid.serialNumber);
  });
}

// The two spellings of "by key identifier": in ktri and in kari.
void write_rid(der::Writer& writer, const RecipientIdentifier& rid, bool agreement) {
  const auto* ski = std::get_if<SubjectKeyIdentifier>(&rid);
  if (ski == nullptr) {
    write_issuer_and_serial(writer, std::get<IssuerAndSerialNumber>(rid));
  } else if (agreement) {
    writer.constructed(der::context_constructed(0), [&] { writer.octet_string(*ski); });
  } else {
    writer.octet_string(*ski, der::context(0));
  }
}

Result<void> write_ktri(der::Writer& writer, const KeyRecipient& recipient, ByteView key) {
  ASSIGN_OR_RETURN(const auto encrypted, transport_key(recipient.key, key));
  writer.constructed(der::kSequence, [&] {
    writer.integer(std::holds_alternative<SubjectKeyIdentifier>(recipient.rid) ? 2 : 0);
    write_rid(writer, recipient.rid, false);
    write(writer, oaep_with_sha256());
    writer.octet_string(encrypted);
  });
  return {};
}

AlgorithmIdentifier agreement_algorithm(const Oid& scheme) {
  der::Writer wrap;
  write(wrap, key_wrap_algorithm());
  return {scheme, std::move(wrap).take()};
}

// The hash of the strength of the curve (RFC 5753 8).
const Oid& agreement_scheme(const PublicKey& key) {
  if (key.bits() <= 256) return oid::dhSinglePass_stdDH_sha256kdf_scheme;
  return key.bits() <= 384 ? oid::dhSinglePass_stdDH_sha384kdf_scheme
                           : oid::dhSinglePass_stdDH_sha512kdf_scheme;
}

Result<void> write_kari(der::Writer& writer, const KeyRecipient& recipient, ByteView key,
                        Random& random) {
  ASSIGN_OR_RETURN(const auto ephemeral, PrivateKey::generate(recipient.key.description()));
  ASSIGN_OR_RETURN(const auto agreed, agree(ephemeral, recipient.key));
  const auto& scheme = agreement_scheme(recipient.key);
  const std::optional<Bytes> ukm = random.bytes(16);
  ASSIGN_OR_RETURN(auto kek, agreed_kek(agreed, scheme, key_wrap_algorithm(), kKekSize, ukm));
  ASSIGN_OR_RETURN(const auto wrapped, wrap_key(kek, key));
  OPENSSL_cleanse(kek.data(), kek.size());
  der::Reader spki(ephemeral.public_key().spki());
  const auto own = read_spki(spki);
  CHECK(own.has_value());
  writer.constructed(der::context_constructed(1), [&] {
    writer.integer(3);
    writer.constructed(der::context_constructed(0), [&] {
      writer.constructed(der::context_constructed(1), [&] {
        write(writer, own->algorithm);
        writer.bit_string(own->key);
      });
    });
    writer.constructed(der::context_constructed(1), [&] { writer.octet_string(*ukm); });
    write(writer, agreement_algorithm(scheme));
    writer.constructed(der::kSequence, [&] {
      writer.constructed(der::kSequence, [&] {
        write_rid(writer, recipient.rid, true);
        writer.octet_string(wrapped);
      });
    });
  });
  return {};
}

// KEMRecipientInfo (RFC 9629 3).
Result<void> write_kemri(der::Writer& writer, const KeyRecipient& recipient, ByteView key) {
  ASSIGN_OR_RETURN(const auto made, encapsulate(recipient.key));
  const AlgorithmIdentifier kdf{oid::id_alg_hkdf_with_sha256, {}};
  ASSIGN_OR_RETURN(auto kek, kem_kek(kdf, made.shared_secret, key_wrap_algorithm(), kKekSize, {}));
  ASSIGN_OR_RETURN(const auto wrapped, wrap_key(kek, key));
  OPENSSL_cleanse(kek.data(), kek.size());
  writer.constructed(der::context_constructed(4), [&] {
    writer.object_identifier(oid::id_ori_kem);
    writer.constructed(der::kSequence, [&] {
      writer.integer(0);
      write_rid(writer, recipient.rid, false);
      write(writer, made.kem);
      writer.octet_string(made.ciphertext);
      write(writer, kdf);
      writer.integer(static_cast<std::int64_t>(kKekSize));
      write(writer, key_wrap_algorithm());
      writer.octet_string(wrapped);
    });
  });
  return {};
}

Result<void> write_pwri(der::Writer& writer, const PasswordRecipient& recipient, ByteView key,
                        Random& random) {
  const auto salt = random.bytes(16);
  ASSIGN_OR_RETURN(auto kek, password_kek(recipient.password, salt, recipient.iterations,
                                          Digest::sha256, kKekSize));
  ASSIGN_OR_RETURN(const auto wrapped, wrap_key(kek, key));
  OPENSSL_cleanse(kek.data(), kek.size());
  writer.constructed(der::context_constructed(3), [&] {
    writer.integer(0);
    writer.constructed(der::context_constructed(0), [&] {
      writer.object_identifier(oid::id_PBKDF2);
      writer.constructed(der::kSequence, [&] {
        writer.octet_string(salt);
        writer.integer(recipient.iterations);
        write(writer, AlgorithmIdentifier{oid::id_hmacWithSHA256, Bytes{der::kNull, 0}});
      });
    });
    write(writer, key_wrap_algorithm());
    writer.octet_string(wrapped);
  });
  return {};
}

Result<void> write_recipient(der::Writer& writer, const Recipient& recipient, ByteView key,
                             Random& random) {
  if (const auto* password = std::get_if<PasswordRecipient>(&recipient)) {
    return write_pwri(writer, *password, key, random);
  }
  const auto& holder = std::get<KeyRecipient>(recipient);
  if (holder.key.type() == KeyType::rsa) return write_ktri(writer, holder, key);
  if (can_agree(holder.key)) return write_kari(writer, holder, key, random);
  if (can_encapsulate(holder.key)) return write_kemri(writer, holder, key);
  return hold("nothing can be encrypted to a key " + holder.key.description());
}

// RFC 5652 6.1; for pwri RFC 9483 4.1.6 has 0 instead of 3.
std::int64_t envelope_version(const Recipient& recipient) {
  const auto* holder = std::get_if<KeyRecipient>(&recipient);
  if (holder == nullptr) return 0;
  if (holder->key.type() == KeyType::rsa) {
    return std::holds_alternative<SubjectKeyIdentifier>(holder->rid) ? 2 : 0;
  }
  return can_agree(holder->key) ? 2 : 3;
}

void write_content(der::Writer& writer, const Oid& content_type,
                   const AlgorithmIdentifier& algorithm, ByteView encrypted) {
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(content_type);
    write(writer, algorithm);
    writer.octet_string(encrypted, der::context(0));
  });
}

struct Sealing {
  ByteView content;
  const Oid& content_type;
  ByteView recipients;  // RecipientInfos without tag and length
  ByteView key;
};

Result<Bytes> write_enveloped(const Sealing& what, std::int64_t version, Random& random) {
  const auto iv = random.bytes(16);
  ASSIGN_OR_RETURN(const auto encrypted, encrypt_cbc(what.key, iv, what.content));
  der::Writer iv_parameter;
  iv_parameter.octet_string(iv);
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(version);
    writer.constructed(der::kSet, [&] { writer.raw(what.recipients); });
    write_content(writer, what.content_type, {oid::id_aes256_CBC, iv_parameter.bytes()}, encrypted);
  });
  return std::move(writer).take();
}

// authAttrs: the content type, without which nothing would protect it; none for id-data (RFC 5083
// 2.1), whose recipients need not know the field.
Bytes content_type_attribute(const Oid& content_type) {
  if (content_type == oid::id_data) return {};
  der::Writer writer;
  writer.constructed(der::kSet, [&] {
    writer.constructed(der::kSequence, [&] {
      writer.object_identifier(oid::id_contentType);
      writer.constructed(der::kSet, [&] { writer.object_identifier(content_type); });
    });
  });
  return std::move(writer).take();
}

Result<Bytes> write_authenticated(const Sealing& what, Random& random) {
  Bytes attributes = content_type_attribute(what.content_type);
  ASSIGN_OR_RETURN(const auto made,
                   encrypt_authenticated(what.key, random.bytes(12), what.content, attributes));
  if (!attributes.empty()) attributes[0] = der::context_constructed(1);
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(0);
    writer.constructed(der::kSet, [&] { writer.raw(what.recipients); });
    write_content(writer, what.content_type, made.algorithm, made.encrypted);
    writer.raw(attributes);
    writer.octet_string(made.tag);
  });
  return std::move(writer).take();
}

}  // namespace

bool can_receive(const PublicKey& key) {
  const bool rsa =
      key.type() == KeyType::rsa && spki_algorithm(key).algorithm == oid::rsaEncryption;
  const bool named = key.type() != KeyType::other;
  return rsa || (named && can_agree(key)) || (!rsa && can_encapsulate(key));
}

Result<KeyRecipient> recipient_of(const Certificate& certificate) {
  ASSIGN_OR_RETURN(auto key, certificate.public_key());
  if (auto ski = certificate.subject_key_identifier()) {
    return KeyRecipient{std::move(key), SubjectKeyIdentifier(std::move(*ski))};
  }
  return KeyRecipient{std::move(key), IssuerAndSerialNumber{certificate.issuer(),
                                                            to_bytes(certificate.serial_number())}};
}

namespace {

Result<void> check_can_receive(const Recipient& recipient) {
  const auto* holder = std::get_if<KeyRecipient>(&recipient);
  if (holder == nullptr || can_receive(holder->key)) return {};
  return hold("nothing can be encrypted to a key " + holder->key.description());
}

}  // namespace

Result<Bytes> envelop(ByteView content, const Oid& content_type, const Recipient& recipient,
                      Random& random, Envelopment how) {
  if (how == Envelopment::authenticated) {
    return envelop_for_all(content, content_type, {&recipient, 1}, random);
  }
  TRY(check_can_receive(recipient));
  Bytes key = random.bytes(32);
  der::Writer recipients;
  TRY(write_recipient(recipients, recipient, key, random));
  const Sealing what{content, content_type, recipients.bytes(), key};
  auto sealed = write_enveloped(what, envelope_version(recipient), random);
  OPENSSL_cleanse(key.data(), key.size());
  return sealed;
}

Result<Bytes> envelop_for_all(ByteView content, const Oid& content_type,
                              std::span<const Recipient> recipients, Random& random) {
  CHECK(!recipients.empty());
  Bytes key = random.bytes(32);
  std::vector<Bytes> infos;
  for (const auto& recipient : recipients) {
    TRY(check_can_receive(recipient));
    der::Writer writer;
    TRY(write_recipient(writer, recipient, key, random));
    infos.push_back(std::move(writer).take());
  }
  std::ranges::sort(infos);  // a SET OF (X.690 11.6)
  Bytes all;
  for (const auto& info : infos) append(all, info);
  auto sealed = write_authenticated({content, content_type, all, key}, random);
  OPENSSL_cleanse(key.data(), key.size());
  return sealed;
}

}  // namespace cmpost
