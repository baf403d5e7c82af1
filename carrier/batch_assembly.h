// From the files that came to a whole batch.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "carrier/batch_manifest.h"
#include "carrier/batch_name.h"

namespace cmpost {

// Everything in a directory that says it belongs to one batch, of all its copies.
struct ArrivedBatch {
  std::string stream;
  std::uint64_t number = 0;
  std::map<std::uint64_t, std::string> manifests;                     // copy -> file name
  std::map<std::string, std::map<std::uint64_t, std::string>> parts;  // part -> copy -> file name
  std::vector<std::string> names() const;                             // of all files
};

// Sorted by stream and number.
class ArrivedBatches {
 public:
  // False: the name is not that of a batch's file.
  bool add(const std::string& name);
  const std::map<std::pair<std::string, std::uint64_t>, ArrivedBatch>& all() const { return all_; }

 private:
  std::map<std::pair<std::string, std::uint64_t>, ArrivedBatch> all_;
};

struct AssembledBatch {
  BatchManifest manifest;
  Sha256 hash{};                // of the manifest
  std::vector<Bytes> contents;  // of its files, in its order
};

// What one of the manifests of a batch turned out to be.
struct FoundManifest {
  enum class What {
    fits,
    damaged,  // or that of another batch
    gone,
    not_read  // what it is nobody can say now
  };
  What what = What::gone;
  std::optional<BatchManifest> manifest;  // fits
  Sha256 hash{};                          // fits
  std::string why;                        // damaged, not_read
};
FoundManifest find_manifest(const FileDescriptor& directory, const ArrivedBatch& arrived,
                            const std::string& name);

struct Assembly {
  std::optional<AssembledBatch> batch;
  std::string torn;  // otherwise: what is missing or damaged, for people
  // Something could not be read: the next look may find more, though no file has changed.
  bool not_read = false;
};

// Takes each file from whichever copy has it whole: its size and SHA-256 are those of the manifest.
Assembly assemble(const FileDescriptor& directory, const ArrivedBatch& arrived);

}  // namespace cmpost
