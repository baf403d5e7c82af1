// The file that a sender keeps of each batch it has made.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "carrier/batch_manifest.h"

namespace cmpost {

// One file of a batch that is to be made. `id` is the sender's own name for it, for known().
struct BatchItem {
  std::string id;
  std::string name;
  ByteView contents;
};

// What tells one batch from another and one item from another.
struct BatchHead {
  BatchManifest manifest;
  std::string manifest_text;  // the octets whose hash is the next one's `previous`
  std::vector<std::string> ids;
};

// A batch as it was made.
struct ArchivedBatch : BatchHead {
  Bytes contents;  // of all files, one after the other, in the manifest's order
};

// Manifest, ids and contents in one file.
Bytes batch_file_of(const std::string& manifest, std::span<const BatchItem> items);
Result<ArchivedBatch> read_batch_file(const std::string& path);
// Without the contents, which are not read; that they are all there is seen by the file's size.
Result<BatchHead> read_batch_head(const std::string& path);

}  // namespace cmpost
