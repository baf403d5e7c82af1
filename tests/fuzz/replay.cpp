// Runs a fuzz target over files, as a test: each as it is, cut off, and with single octets changed
// in ways that damage tags and lengths.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz.h"

namespace {

using Octets = std::vector<std::uint8_t>;

// Files that are larger than any message in the test data are no input for a parser.
constexpr std::uintmax_t kLargest = 16 * 1024;
// Changes are made at this many places of a file, spread over it.
constexpr std::size_t kPlaces = 5;

Octets read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Octets(std::istreambuf_iterator<char>(file), {});
}

void feed(const Octets& octets) { LLVMFuzzerTestOneInput(octets.data(), octets.size()); }

void feed_with_changes(Octets octets) {
  feed(octets);
  const std::size_t step = octets.size() / kPlaces + 1;
  for (std::size_t at = 0; at < octets.size(); at += step) {
    feed(Octets(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(at)));
    const auto original = octets[at];
    for (const int change : {0x01, 0x20, 0x80, 0xff}) {
      octets[at] = static_cast<std::uint8_t>(original ^ change);
      feed(octets);
    }
    octets[at] = original;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::exists(argv[i])) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file() || entry.file_size() > kLargest) continue;
      feed_with_changes(read(entry.path()));
      ++count;
    }
  }
  std::printf("%zu files\n", count);
  return count == 0 ? 1 : 0;
}
