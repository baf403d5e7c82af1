#include "app/instance/left_behind.h"

#include <filesystem>

#include "base/files.h"

namespace cmpost {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestPem = std::size_t{1} << 20U;
constexpr const char* kLookYourself =
    "a key may belong to it: nothing was removed; look at it, and move it away by hand";

Result<std::vector<std::string>> pem_files(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator at(directory, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const auto& path = at->path();
    // A hidden one was never whole.
    if (path.extension() == ".pem" && !path.filename().string().starts_with("."))
      files.push_back(path.string());
  }
  if (error) return failure(errno_error("reading directory", directory, error.value()));
  return files;
}

}  // namespace

Result<std::optional<std::vector<Certificate>>> certificates_if_there(const std::string& path) {
  ASSIGN_OR_RETURN(const bool there, is_there(path));
  if (!there) return std::nullopt;
  ASSIGN_OR_RETURN(const auto pem, read_file(path, kLargestPem));
  auto certificates = Certificate::from_pem(text_of(pem));
  if (!certificates || certificates->empty()) return std::nullopt;
  return std::move(*certificates);
}

Result<std::optional<CertificateRecord>> record_on_books(Instance& instance,
                                                         const Certificate& certificate) {
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(auto record, reader->find(certificate.serial_number()));
  if (!record || !equal(record->der, certificate.der())) return std::nullopt;
  return record;
}

Result<bool> is_on_books(Instance& instance, const Certificate& certificate) {
  ASSIGN_OR_RETURN(const auto record, record_on_books(instance, certificate));
  return record.has_value();
}

Result<std::optional<LeftBehind>> find_left_behind(Instance& instance,
                                                   const std::string& directory) {
  ASSIGN_OR_RETURN(const bool there, is_there(directory));
  if (!there) return std::nullopt;
  ASSIGN_OR_RETURN(const auto files, pem_files(directory));
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(const auto certificates, certificates_if_there(file));
    if (!certificates) return hold(file + " cannot be understood", kLookYourself);
    for (const auto& certificate : *certificates) {
      ASSIGN_OR_RETURN(auto record, record_on_books(instance, certificate));
      if (record) return LeftBehind{file, std::move(*record)};
    }
  }
  return std::nullopt;
}

Result<void> check_nothing_on_books(Instance& instance, const std::string& directory) {
  ASSIGN_OR_RETURN(const auto left, find_left_behind(instance, directory));
  if (!left) return {};
  return hold("the certificate in " + left->file + " is on the books already",
              "the command that was interrupted, with the same --directory, completes it; "
              "else name another --directory");
}

}  // namespace cmpost
