// ZIP files of strangers: within the limits whatever they say.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "archive/zip_file.h"
#include "fuzz.h"

namespace {

using namespace cmpost;

constexpr ZipLimits kLimits{.members = 100, .member = 10'000, .total = 100'000, .ratio = 50};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FileDescriptor file(::memfd_create("zip", MFD_CLOEXEC));
  if (!file || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  const auto zip = ZipFile::open(std::move(file), "zip", kLimits);
  if (!zip) return 0;
  std::size_t members = 0, total = 0;
  const auto visit = [&](const std::string& name, Result<Bytes> contents) -> Result<void> {
    if (++members > kLimits.members) std::abort();
    if (!contents) return {};
    if (!fault_of_member_name(name).empty() || contents->size() > kLimits.member) std::abort();
    total += contents->size();
    if (total > kLimits.total) std::abort();
    return {};
  };
  const auto done = zip->for_each(visit);
  (void)done;
  return 0;
}
