#include "carrier/sign.h"

#include "base/files.h"
#include "base/own_files.h"

namespace cmpost {

Result<void> write_sign(const std::string& path, std::string_view text) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos ? std::string(".") : path.substr(0, slash);
  TRY(make_directories(parent));
  // "/.": the directory itself may well be reached through a link.
  ASSIGN_OR_RETURN(const auto directory, open_directory(parent + "/."));
  auto written = replace_file_at(directory, path.substr(slash + 1), view_of(text), 0644);
  if (!written) return failure(std::move(written).error().within(parent));
  return {};
}

}  // namespace cmpost
