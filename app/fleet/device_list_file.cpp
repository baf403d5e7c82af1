#include "app/fleet/device_list_file.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "crypto/keys/running_hash.h"

namespace cmpost {
namespace {

// A million rows have some 200 megabytes.
constexpr std::size_t kLargestFile = std::size_t{4} << 30U;
constexpr std::size_t kLargestPipe = std::size_t{64} << 20U;

Error too_large(const std::string& path, std::size_t most, const std::string& hint) {
  return {Recovery::hold,
          path + " has more than the " + std::to_string(most >> 20U) +
              " MiB that a list of devices may have",
          hint};
}

using Piece = std::function<void(std::string_view)>;

// False: there is more than `most`.
bool read_all(std::istream& in, std::size_t most, const Piece& each) {
  std::array<char, 64 * 1024> piece{};
  std::size_t all = 0;
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    const auto got = static_cast<std::size_t>(in.gcount());
    all += got;
    if (all > most) return false;
    each({piece.data(), got});
  }
  return true;
}

}  // namespace

Result<DeviceListFile> DeviceListFile::open(const std::string& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (std::filesystem::is_directory(status)) return hold(path + " is a directory");
  auto in = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*in) return failure(errno_error("opening", path, errno));
  RunningSha256 hash;
  if (std::filesystem::is_regular_file(status)) {
    const auto whole = read_all(*in, kLargestFile, [&](auto piece) { hash.add(view_of(piece)); });
    if (!whole) return failure(too_large(path, kLargestFile, "split it; each part is imported"));
    in->clear();
    in->seekg(0);
    return DeviceListFile(std::move(in), to_bytes(hash.finish()));
  }
  std::string text;
  const auto whole = read_all(*in, kLargestPipe, [&](auto piece) {
    hash.add(view_of(piece));
    text += piece;
  });
  if (!whole) {
    return failure(
        too_large(path, kLargestPipe, "a larger one is imported from a file, not a pipe"));
  }
  return DeviceListFile(std::make_unique<std::istringstream>(std::move(text)),
                        to_bytes(hash.finish()));
}

}  // namespace cmpost
