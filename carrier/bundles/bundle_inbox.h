// Bundles as they lie in a directory that somebody has brought. Nothing is written there.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carrier/batch_assembly.h"
#include "carrier/bundles/bundle_files.h"
#include "carrier/bundles/bundle_seal.h"
#include "carrier/bundles/bundle_signature.h"

namespace cmpost {

// Who we are and whom we know.
struct BundleParties {
  std::string own_name;
  std::set<std::string> own_streams;
  std::vector<BundlePeer> peers;
  std::optional<BundleOpener> opener;  // for what is sealed
};

// A manifest that a peer has signed for us. Until there is one nothing of the bundle is believed.
struct BelievedManifest {
  BundleManifest manifest;  // of what is in the bundle
  BundleManifest shown;     // of what lies there: another one when it is sealed
  Sha256 hash{};            // of the octets of `manifest`, which are signed
  std::optional<Certificate> signer;
};

struct ManifestVerdict {
  enum class What {
    believed,
    ours,        // our own bundle, on its way
    for_others,  // not to us
    torn,        // something is missing or cannot be read just now
    refused
  };
  What what = What::refused;
  std::optional<BelievedManifest> believed;
  std::string why;  // for people
  std::string hint;
};

class BundleInbox {
 public:
  static Result<BundleInbox> open(const std::string& directory);

  // By stream and number.
  const std::map<std::pair<std::string, std::uint64_t>, ArrivedBatch>& all() const {
    return arrived_.all();
  }
  // Looks at manifest and signature, of some copies until one is believed; in this order: size and
  // form, checksum, to whom it is, signature. An Error is trouble of ours.
  Result<ManifestVerdict> judge(const ArrivedBatch& arrived, const BundleParties& parties,
                                Time at) const;
  // What would be BelievedManifest::hash if the manifest in this file were believed; nullopt when
  // it cannot be read, or opened.
  std::optional<Sha256> hash_of(const ArrivedBatch& arrived, const std::string& name,
                                const std::optional<BundleOpener>& opener) const;
  // Which files are not whole, one sentence each; empty: all are. `found` then has where each lies.
  using Places = std::vector<std::string>;  // in the order of `shown`
  std::vector<std::string> check_files(const ArrivedBatch& arrived, const BundleManifest& shown,
                                       Places& found) const;
  // The index-th file of `manifest`, opened where it is sealed. An Error: it is not what it was
  // when check_files() looked.
  Result<Bytes> read(const BelievedManifest& believed, std::size_t index, const Places& places,
                     const std::optional<BundleOpener>& opener) const;

 private:
  BundleInbox(FileDescriptor directory, ArrivedBatches arrived)
      : directory_(std::move(directory)), arrived_(std::move(arrived)) {}

  ManifestVerdict judge_copy(const ArrivedBatch& arrived, std::uint64_t copy,
                             const std::string& name, const BundleParties& parties, Time at) const;
  ManifestVerdict judge_open(const ArrivedBatch& arrived, std::uint64_t copy,
                             BelievedManifest& at_hand, ByteView octets,
                             const BundleParties& parties, Time at) const;
  ManifestVerdict judge_sealed(const ArrivedBatch& arrived, BelievedManifest& at_hand,
                               const BundleParties& parties, Time at) const;
  ManifestVerdict judge_inner(BelievedManifest& at_hand, ByteView octets, ByteView signature,
                              const BundleParties& parties, Time at) const;
  Result<Bytes> part(const ArrivedBatch& arrived, const BundleFile& file) const;

  FileDescriptor directory_;
  ArrivedBatches arrived_;
};

}  // namespace cmpost
