#include "processor/possession/challenge.h"

#include "crypto/envelope/encrypted_value.h"
#include "crypto/envelope/envelope.h"
#include "processor/admission/reply.h"

namespace cmpost {
namespace {

constexpr std::size_t kIntegerSize = 20;  // octets: nobody guesses it, and RSA has room for more
constexpr std::size_t kPkcs1Overhead = 11;

// RFC 9810 Appendix F: the one-way function is applied to the INTEGER; Bouncy Castle takes its DER.
Bytes witness_of(ByteView integer) {
  der::Writer writer;
  writer.big_integer(integer);
  return hash(Digest::sha256, writer.bytes());
}

// Positive, and without leading zeros.
Bytes random_integer(Random& random) {
  auto integer = random.bytes(kIntegerSize);
  integer[0] = static_cast<std::uint8_t>((integer[0] & 0x3FU) | 0x40U);
  return integer;
}

Bytes encode_rand(ByteView integer, const GeneralName& sender) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.big_integer(integer);
    writer.raw(sender.der);
  });
  return std::move(writer).take();
}

// RFC 9810 5.2.8.3.3: of a name that is too long "whatever portion will fit should be used (as long
// as it includes at least the common name".
Bytes rand_for_rsa(ByteView integer, const Name& sender, const PublicKey& key) {
  const auto room = (key.bits() + 7) / 8 - kPkcs1Overhead;
  auto whole = encode_rand(integer, GeneralName::of(sender));
  if (whole.size() <= room) return whole;
  auto common = sender.first(oid::id_at_commonName).value_or("");
  while (true) {
    der::Writer writer;
    writer.constructed(der::kSequence, [&] {
      writer.constructed(der::kSet, [&] {
        writer.constructed(der::kSequence, [&] {
          writer.object_identifier(oid::id_at_commonName);
          writer.utf8_string(common);
        });
      });
    });
    der::Reader reader(writer.bytes());
    auto rand = encode_rand(integer, GeneralName::of(Name::read(reader).value_or(Name())));
    if (rand.size() <= room || common.empty()) return rand;
    do {
      common.pop_back();
    } while (!common.empty() && (common.back() & 0xC0) == 0x80);  // whole characters of UTF-8
  }
}

// "The sender MUST populate the rid field [...] using the issuerAndSerialNumber choice containing a
// NULL-DN as issuer and the certReqId as serialNumber."
RecipientIdentifier rid_of(std::int64_t certReqId) {
  der::Writer writer;
  writer.integer(certReqId);
  der::Reader reader(writer.bytes());
  return IssuerAndSerialNumber{Name(), reader.big_integer().value_or(Bytes{0})};
}

Outcome<Challenge> challenge_one(const ChallengedKey& one, const Name& sender, bool enveloped,
                                 const Services& services) {
  auto integer = random_integer(services.random);
  Challenge made;
  made.witness = witness_of(integer);
  if (!enveloped) {
    auto rand = rand_for_rsa(integer, sender, one.key);
    ASSIGN_OR_RETURN(made.challenge, encrypt_pkcs1(one.key, rand));
    wipe(rand);
  } else {
    auto rand = encode_rand(integer, GeneralName::of(sender));
    ASSIGN_OR_RETURN(
        const auto sealed,
        envelop(rand, oid::id_data, KeyRecipient{one.key, rid_of(one.certReqId)}, services.random));
    wipe(rand);
    der::Writer explicitly;
    explicitly.constructed(der::context_constructed(0), [&] { explicitly.raw(sealed); });
    made.encryptedRand = std::move(explicitly).take();
  }
  wipe(integer);
  return made;
}

}  // namespace

std::vector<ChallengedKey> challenged_keys(const Request& request) {
  std::vector<ChallengedKey> keys;
  const auto* messages = cert_requests(request.message.body);
  if (messages == nullptr) return keys;
  for (const auto& message : *messages) {
    auto key = key_to_challenge(message, request.message.header.pvno);
    if (key) keys.push_back({message.certReq.certReqId, std::move(*key)});
  }
  return keys;
}

Outcome<PKIBody> challenge(const std::vector<ChallengedKey>& keys, const Request& request,
                           const Requester& requester, const Services& services) {
  const auto sender = answer_sender(requester, services.identity);
  const bool enveloped = request.message.header.pvno >= kCmp2021;
  body::popdecc body;
  for (const auto& one : keys) {
    ASSIGN_OR_RETURN(auto made, challenge_one(one, sender, enveloped, services));
    // "MUST be present in the first Challenge; MAY be omitted in any subsequent Challenge".
    if (body.challenges.empty()) made.owf = AlgorithmIdentifier{oid_of(Digest::sha256), {}};
    body.challenges.push_back(std::move(made));
  }
  return body;
}

std::vector<std::int64_t> challenges_met(const std::vector<ChallengedKey>& keys,
                                         const body::popdecc& given, const body::popdecr& back) {
  std::vector<std::int64_t> met;
  const auto count = keys.size();
  if (given.challenges.size() != count || back.integers.size() != count) return met;
  for (std::size_t i = 0; i < count; ++i) {
    const bool right = witness_of(back.integers[i]) == given.challenges[i].witness;
    if (right) met.push_back(keys[i].certReqId);
  }
  return met;
}

}  // namespace cmpost
