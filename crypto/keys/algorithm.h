// AlgorithmIdentifier and what we know about each algorithm.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "asn1/der.h"
#include "asn1/oid.h"
#include "base/result.h"

namespace cmpost {

// RFC 5280 4.1.1.2. NULL parameters and absent ones are different values here, as on the wire.
struct AlgorithmIdentifier {
  Oid algorithm;
  std::optional<Bytes> parameters;  // one whole DER element
  friend bool operator==(const AlgorithmIdentifier&, const AlgorithmIdentifier&) = default;
};

der::Parsed<AlgorithmIdentifier> read_algorithm(der::Reader& reader, der::Tag tag = der::kSequence);
void write(der::Writer& writer, const AlgorithmIdentifier& algorithm,
           der::Tag tag = der::kSequence);

// Digests that we make. The same set serves signatures, PBM's owf and certHash.
enum class Digest {
  sha1,
  sha224,
  sha256,
  sha384,
  sha512,
  shake128,
  shake256,
  sha3_224,
  sha3_256,
  sha3_384,
  sha3_512
};
std::optional<Digest> digest_by_oid(const Oid& oid);
const Oid& oid_of(Digest digest);
// Whether nobody can make two inputs with the same digest: not so with SHA-1.
bool is_collision_resistant(Digest digest);
// SHAKE128 gives 32 octets, SHAKE256 64 (RFC 8702 2).
Bytes hash(Digest digest, ByteView data);
Bytes hash_all(Digest digest, std::span<const ByteView> parts);  // one after the other
// SHA-256, for keys of caches and tables.
using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(ByteView data);

}  // namespace cmpost
