#include "carrier/bundles/bundle_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/crash_point.h"
#include "base/group_sync.h"
#include "base/presence.h"
#include "carrier/batch_assembly.h"

namespace cmpost {
namespace {

class CopyWriter {
 public:
  CopyWriter(const FileDescriptor& from, const FileDescriptor& to, BatchName name)
      : from_(from), to_(to), name_(std::move(name)), group_(to) {}

  // False: another file has the name.
  Result<bool> put(const BundleFile& file) {
    const auto name = name_of(file.name);
    sums_.push_back({name, file.sha256});
    ASSIGN_OR_RETURN(const auto there, state_of(name, file.size, file.sha256));
    if (there != State::absent) return there == State::same;
    FileDigest digest;
    TRY(group_.add(name, [&](const TakePart& append) -> Result<void> {
      auto copied = read_parts(from_, file.name, file.size, append);
      if (!copied) return failure(std::move(copied).error().within("the archived " + file.name));
      digest = *copied;
      return {};
    }));
    if (digest.size != file.size || digest.sha256 != file.sha256) {
      return hold("the archived " + file.name + " is damaged",
                  "restore the directory from a backup, or ask for new messages");
    }
    written_.push_back({name, file.size, file.sha256, file.kind});
    return true;
  }

  Result<bool> put(const std::string& part, ByteView contents) {
    const auto name = name_of(part);
    const auto hash = sha256(contents);
    if (!part.empty()) sums_.push_back({name, hash});
    ASSIGN_OR_RETURN(const auto there, state_of(name, contents.size(), hash));
    if (there != State::absent) return there == State::same;
    TRY(group_.add(name, contents));
    written_.push_back({name, contents.size(), hash, BundleFileKind::other});
    return true;
  }

  // All that was put is durable and reads as it should.
  Result<void> settle() {
    TRY(group_.finish());
    crash_point("bundle.copy_renamed");
    TRY(sync(to_, "the directory of bundles"));
    for (const auto& file : written_) {
      forget_cached(to_, file.name);
      const auto read = digest_of(to_, file.name, file.size);
      if (read && read->size == file.size && read->sha256 == file.sha256) continue;
      return retry(file.name + " does not read back as it was written",
                   "the medium is worn out or pretends to be larger than it is: take another one");
    }
    written_.clear();
    crash_point("bundle.copy_settled");
    return {};
  }

  std::string sums() const {
    std::string text;
    for (const auto& file : sums_) text += to_hex(file.sha256) + "  " + file.name + "\n";
    return text;
  }

 private:
  enum class State { absent, same, other };

  std::string name_of(const std::string& part) {
    name_.part = part;
    return name_.text();
  }

  Result<State> state_of(const std::string& name, std::uint64_t size, const Sha256& hash) const {
    ASSIGN_OR_RETURN(const bool there, is_there(to_, name));
    if (!there) return State::absent;
    const auto found = digest_of(to_, name, size);
    if (!found && found.error().recovery == Recovery::retry) return failure(found.error());
    return found && found->size == size && found->sha256 == hash ? State::same : State::other;
  }

  const FileDescriptor& from_;
  const FileDescriptor& to_;
  BatchName name_;
  FileGroup group_;
  std::vector<ListedFile> sums_;
  std::vector<BundleFile> written_;
};

Result<FileDescriptor> open_target(const std::string& path) {
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failure(errno_error("opening directory", path, errno));
  return directory;
}

BatchName name_of(const MadeBundle& bundle, std::uint64_t copy) {
  return {bundle.shown.stream, bundle.shown.number, copy, {}};
}

Result<Bytes> signature_of(const std::string& archived, const MadeBundle& bundle) {
  if (bundle.shown.is_stub()) return Bytes();  // it is inside
  return read_file(archived + "/" + std::string(kBundleSignature), kLargestBundleSignature);
}

}  // namespace

Result<bool> write_copy(const std::string& archived, const MadeBundle& bundle,
                        const std::string& directory, std::uint64_t copy) {
  ASSIGN_OR_RETURN(const auto from, open_directory(archived));
  ASSIGN_OR_RETURN(const auto to, open_target(directory));
  ASSIGN_OR_RETURN(const auto signature, signature_of(archived, bundle));
  CopyWriter writer(from, to, name_of(bundle, copy));
  for (const auto& file : bundle.shown.files) {
    ASSIGN_OR_RETURN(const bool ours, writer.put(file));
    if (!ours) return false;
  }
  TRY(writer.settle());
  if (!signature.empty()) {
    ASSIGN_OR_RETURN(const bool ours, writer.put(std::string(kBundleSignature), signature));
    if (!ours) return false;
  }
  ASSIGN_OR_RETURN(const bool sums, writer.put(std::string(kBundleSums), view_of(writer.sums())));
  if (!sums) return false;
  TRY(writer.settle());
  ASSIGN_OR_RETURN(const bool manifest, writer.put("", view_of(bundle.shown_text)));
  if (!manifest) return false;
  TRY(writer.settle());
  return true;
}

Result<std::uint64_t> find_copy(const MadeBundle& bundle, const std::string& directory) {
  ASSIGN_OR_RETURN(const auto names, names_if_there(directory));
  ASSIGN_OR_RETURN(const auto opened, open_target(directory));
  for (const auto& name : names) {
    const auto parsed = BatchName::parse(name);
    if (!parsed || !parsed->part.empty() || parsed->stream != bundle.shown.stream ||
        parsed->number != bundle.shown.number) {
      continue;
    }
    const auto found = digest_of(opened, name, kLargestManifest);
    if (!found || found->sha256 != sha256(view_of(bundle.shown_text))) continue;
    bool whole = true;
    auto part = *parsed;
    for (const auto& file : bundle.shown.files) {
      part.part = file.name;
      const auto read = digest_of(opened, part.text(), file.size);
      whole = whole && read && read->sha256 == file.sha256;
    }
    if (!bundle.shown.is_stub()) {
      part.part = kBundleSignature;
      ASSIGN_OR_RETURN(const bool signature, is_there(opened, part.text()));
      whole = whole && signature;
    }
    if (whole) return parsed->copy;
  }
  return std::uint64_t{0};
}

Result<std::size_t> remove_copies(const std::string& directory, const std::string& stream,
                                  std::uint64_t number) {
  ASSIGN_OR_RETURN(const auto names, names_if_there(directory));
  ASSIGN_OR_RETURN(const auto opened, open_target(directory));
  std::size_t removed = 0;
  for (const bool manifests : {true, false}) {
    for (const auto& name : names) {
      const auto parsed = BatchName::parse(name);
      if (!parsed || parsed->stream != stream || parsed->number != number ||
          parsed->part.empty() != manifests) {
        continue;
      }
      if (::unlinkat(opened.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
        return failure(errno_error("removing", directory + "/" + name, errno));
      }
      ++removed;
    }
    TRY(sync(opened, directory));
  }
  return removed;
}

}  // namespace cmpost
