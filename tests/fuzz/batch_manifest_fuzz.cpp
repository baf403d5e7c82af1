// The manifests of a numbered batch and of a bundle, the names of its files, and a list of SHA-256.
#include "base/result.h"
#include "carrier/batch_manifest.h"
#include "carrier/batch_name.h"
#include "carrier/bundle_manifest.h"
#include "carrier/hash_list.h"
#include "carrier/number_ranges.h"
#include "fuzz.h"

namespace {

using cmpost::ByteView;

// What is read is written again as it was.
void fuzz_manifest(ByteView octets) {
  const auto manifest = cmpost::parse_batch_manifest(octets);
  if (!manifest) return;
  CHECK(cmpost::format(*manifest) == cmpost::text_of(octets));
  std::uint64_t total = 0;
  for (const auto& file : manifest->files) {
    CHECK(cmpost::is_plain_file_name(file.name));
    total += file.size;
  }
  CHECK(total <= cmpost::kLargestBatch);
}

void fuzz_bundle(ByteView octets) {
  const auto manifest = cmpost::parse_bundle_manifest(octets);
  if (!manifest) return;
  CHECK(cmpost::format(*manifest) == cmpost::text_of(octets));
  CHECK(manifest->files.size() <= cmpost::kMostBatchFiles);
  CHECK(manifest->received.size() <= cmpost::kMostReceiptStreams);
  CHECK(manifest->sealed.size() <= cmpost::kMostSealRecipients);
  CHECK(cmpost::is_bundle_party(manifest->from) || manifest->from == cmpost::kHiddenParty);
  std::uint64_t total = 0;
  for (const auto& file : manifest->files) {
    CHECK(cmpost::is_plain_file_name(file.name));
    total += file.size;
  }
  CHECK(total <= cmpost::kLargestBundle);
}

// A fuzzer never finds the checksum, so it is put there for it.
void fuzz_sealed_manifest(ByteView octets) {
  std::string text(cmpost::text_of(octets));
  if (!text.ends_with('\n')) text += '\n';
  text += "end: " + cmpost::to_hex(cmpost::sha256(cmpost::view_of(text))) + "\n";
  fuzz_manifest(cmpost::view_of(text));
  fuzz_bundle(cmpost::view_of(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView octets(data, size);
  fuzz_manifest(octets);
  fuzz_bundle(octets);
  fuzz_sealed_manifest(octets);
  const auto text = cmpost::text_of(octets);
  if (const auto name = cmpost::BatchName::parse(text)) CHECK(name->text() == text);
  if (const auto ranges = cmpost::NumberRanges::parse(text)) {
    const auto again = cmpost::NumberRanges::parse(ranges->text());
    CHECK(again && again->text() == ranges->text());
  }
  if (const auto list = cmpost::parse_hash_list(octets)) {
    CHECK(!list->empty() && list->size() <= cmpost::kMostListedFiles);
    for (const auto& file : *list) CHECK(cmpost::is_plain_file_name(file.name));
  }
  return 0;
}
