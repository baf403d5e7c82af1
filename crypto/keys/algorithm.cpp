#include "crypto/keys/algorithm.h"

#include <array>
#include <utility>

#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

constexpr std::array<std::pair<Digest, const Oid*>, 11> kDigests = {{
    {Digest::sha1, &oid::id_sha1},
    {Digest::sha224, &oid::id_sha224},
    {Digest::sha256, &oid::id_sha256},
    {Digest::sha384, &oid::id_sha384},
    {Digest::sha512, &oid::id_sha512},
    {Digest::shake128, &oid::id_shake128},
    {Digest::shake256, &oid::id_shake256},
    {Digest::sha3_224, &oid::id_sha3_224},
    {Digest::sha3_256, &oid::id_sha3_256},
    {Digest::sha3_384, &oid::id_sha3_384},
    {Digest::sha3_512, &oid::id_sha3_512},
}};

bool is_shake(Digest digest) { return digest == Digest::shake128 || digest == Digest::shake256; }

// Making a context costs as much as digesting a short input, so each thread keeps one.
EVP_MD_CTX* thread_digest_context() {
  thread_local const MdCtxPtr context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  return context.get();
}

void digest_into(Digest digest, std::span<const ByteView> parts, std::uint8_t* output) {
  EVP_MD_CTX* context = thread_digest_context();
  CHECK(EVP_DigestInit_ex2(context, fetched(digest), nullptr) == 1);
  for (const auto part : parts) CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  const int done = is_shake(digest) ? EVP_DigestFinalXOF(context, output, output_size(digest))
                                    : EVP_DigestFinal_ex(context, output, nullptr);
  CHECK(done == 1);
}

}  // namespace

der::Parsed<AlgorithmIdentifier> read_algorithm(der::Reader& reader, der::Tag tag) {
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(tag));
  AlgorithmIdentifier algorithm;
  ASSIGN_OR_RETURN(algorithm.algorithm, inside.object_identifier());
  if (inside.at_end()) return algorithm;
  ASSIGN_OR_RETURN(const der::Element parameters, inside.any());
  algorithm.parameters = to_bytes(parameters.whole);
  TRY(inside.finish());
  return algorithm;
}

void write(der::Writer& writer, const AlgorithmIdentifier& algorithm, der::Tag tag) {
  writer.constructed(tag, [&] {
    writer.object_identifier(algorithm.algorithm);
    if (algorithm.parameters) writer.raw(*algorithm.parameters);
  });
}

std::optional<Digest> digest_by_oid(const Oid& oid) {
  for (const auto& [digest, known] : kDigests) {
    if (*known == oid) return digest;
  }
  return std::nullopt;
}

const Oid& oid_of(Digest digest) { return *kDigests[static_cast<std::size_t>(digest)].second; }

bool is_collision_resistant(Digest digest) { return digest != Digest::sha1; }

Bytes hash_all(Digest digest, std::span<const ByteView> parts) {
  Bytes output(output_size(digest));
  digest_into(digest, parts, output.data());
  return output;
}

Bytes hash(Digest digest, ByteView data) { return hash_all(digest, {&data, 1}); }

Sha256 sha256(ByteView data) {
  Sha256 output;
  digest_into(Digest::sha256, {&data, 1}, output.data());
  return output;
}

}  // namespace cmpost
