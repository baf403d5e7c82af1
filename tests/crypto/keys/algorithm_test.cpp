#include "crypto/keys/algorithm.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>

#include <thread>
#include <vector>

#include "tests/crypto/golden.h"

namespace cmpost {
namespace {

TEST(AlgorithmIdentifier, KeepsAbsentAndNullParametersApart) {
  for (const char* digits : {"300a06082a8648ce3d040302", "300c06082a8648ce3d0403020500"}) {
    const Bytes input = hex(digits);
    der::Reader reader(input);
    const auto algorithm = read_algorithm(reader);
    ASSERT_TRUE(algorithm) << digits;
    EXPECT_EQ(algorithm->algorithm, oid::ecdsa_with_SHA256);
    der::Writer writer;
    write(writer, *algorithm);
    EXPECT_EQ(to_hex(writer.bytes()), digits);
  }
}

TEST(AlgorithmIdentifier, IsRefusedWithMoreThanParameters) {
  for (const char* digits : {"3000", "30020500", "300e06082a8648ce3d04030205000500"}) {
    const Bytes input = hex(digits);
    der::Reader reader(input);
    EXPECT_FALSE(read_algorithm(reader)) << digits;
  }
}

TEST(Digest, AgreesWithOpenSslForEveryAlgorithm) {
  const std::pair<Digest, const EVP_MD*> kDigests[] = {{Digest::sha1, EVP_sha1()},
                                                       {Digest::sha224, EVP_sha224()},
                                                       {Digest::sha256, EVP_sha256()},
                                                       {Digest::sha384, EVP_sha384()},
                                                       {Digest::sha512, EVP_sha512()}};
  const Bytes data = to_bytes("the quick brown fox");
  for (const auto& [digest, md] : kDigests) {
    Bytes expected(static_cast<std::size_t>(EVP_MD_get_size(md)));
    ASSERT_EQ(EVP_Digest(data.data(), data.size(), expected.data(), nullptr, md, nullptr), 1);
    EXPECT_EQ(hash(digest, data), expected);
    EXPECT_EQ(digest_by_oid(oid_of(digest)), digest);
  }
}

TEST(Digest, ShakeHasTheLengthsOfRfc8702) {
  // FIPS 202, the empty message.
  EXPECT_EQ(to_hex(hash(Digest::shake128, {})),
            "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
  EXPECT_EQ(to_hex(hash(Digest::shake256, {})),
            "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
            "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be");
}

TEST(Digest, IsTheSameFromManyThreads) {
  const Bytes data(1000, 7);
  const auto expected = sha256(data);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) EXPECT_EQ(sha256(data), expected);
    });
  }
}

}  // namespace
}  // namespace cmpost
