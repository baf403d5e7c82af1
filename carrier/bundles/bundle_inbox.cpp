#include "carrier/bundles/bundle_inbox.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/presence.h"

namespace cmpost {
namespace {

using What = ManifestVerdict::What;

constexpr std::size_t kMostNames = 500'000;
constexpr std::string_view kFirstVersion = "cmpost-batch 1\n";

ManifestVerdict verdict(What what, std::string why, std::string hint = {}) {
  return {what, std::nullopt, std::move(why), std::move(hint)};
}

ManifestVerdict refused(const Error& error) {
  return verdict(What::refused, error.what, error.hint);
}

const BundlePeer* peer_called(const BundleParties& parties, const std::string& name) {
  const auto found = std::ranges::find(parties.peers, name, &BundlePeer::name);
  return found == parties.peers.end() ? nullptr : &*found;
}

// Of several copies the one that helps most.
int worth(What what) {
  switch (what) {
    case What::believed:
      return 4;
    case What::ours:
    case What::for_others:
      return 3;
    case What::torn:
      return 2;
    case What::refused:
      return 1;
  }
  return 0;
}

Result<Bytes> read_all(const FileDescriptor& directory, const std::string& name,
                       std::uint64_t limit, FileDigest& digest) {
  Bytes octets;
  octets.reserve(static_cast<std::size_t>(limit));
  ASSIGN_OR_RETURN(digest, read_parts(directory, name, limit, [&](ByteView part) -> Result<void> {
                     append(octets, part);
                     return {};
                   }));
  return octets;
}

std::string mistake_of(const Result<FileDigest>& found, const BundleFile& file) {
  if (!found) return found.error().what;
  if (found->size != file.size) {
    return "cut off: " + std::to_string(found->size) + " of " + std::to_string(file.size) +
           " octets";
  }
  return found->sha256 == file.sha256 ? "" : "damaged";
}

}  // namespace

Result<BundleInbox> BundleInbox::open(const std::string& directory) {
  FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return failure(errno_error("opening directory", directory, errno));
  ASSIGN_OR_RETURN(const auto names, names_if_there(directory));
  if (names.size() > kMostNames) return hold(directory + " has too many files");
  ArrivedBatches arrived;
  for (const auto& name : names) (void)arrived.add(name);
  return BundleInbox(std::move(opened), std::move(arrived));
}

Result<ManifestVerdict> BundleInbox::judge(const ArrivedBatch& arrived,
                                           const BundleParties& parties, Time at) const {
  if (parties.own_streams.contains(arrived.stream)) return verdict(What::ours, "our own");
  auto best = verdict(What::torn, "its manifest is missing",
                      "it was not written to its end: copy it once more");
  bool any = false;
  for (const auto& [copy, name] : arrived.manifests) {
    FileDigest digest;
    const auto octets = read_all(directory_, name, kLargestManifest, digest);
    ManifestVerdict found;
    if (!octets) {
      found = verdict(What::torn, "its manifest cannot be read: " + octets.error().what);
    } else if (text_of(*octets).starts_with(kFirstVersion)) {
      found = verdict(What::refused, "it is a batch of a one-way channel, which nobody has signed",
                      "it belongs into `in` of a channel with one_way = \"in\"");
    } else if (auto shown = parse_bundle_manifest(*octets); !shown) {
      found = refused(shown.error());
    } else if (shown->stream != arrived.stream || shown->number != arrived.number) {
      found = verdict(What::refused, "the manifest in it is that of another bundle");
    } else {
      found = judge_shown(arrived, std::move(*shown), *octets, parties, at);
    }
    if (!any || worth(found.what) > worth(best.what)) best = std::move(found);
    any = true;
  }
  return best;
}

ManifestVerdict BundleInbox::judge_shown(const ArrivedBatch& arrived, BundleManifest shown,
                                         const Bytes& octets, const BundleParties& parties,
                                         Time at) const {
  BelievedManifest at_hand{shown, shown, sha256(octets), {}};
  if (shown.from != kHiddenParty) {
    auto best = verdict(What::torn, "its signature is missing",
                        "the file that ends in -" + std::string(kBundleSignature));
    const auto found = arrived.parts.find(std::string(kBundleSignature));
    if (shown.from == parties.own_name) return verdict(What::ours, "our own");
    if (shown.to != parties.own_name) {
      return verdict(What::for_others, "it is for " + shown.to + ", not for " + parties.own_name,
                     "[bundle] name says who we are");
    }
    if (found == arrived.parts.end()) return best;
    bool any = false;
    for (const auto& [copy, name] : found->second) {
      FileDigest digest;
      const auto signature = read_all(directory_, name, kLargestBundleSignature, digest);
      auto one = signature ? judge_inner(at_hand, octets, *signature, parties, at)
                           : verdict(What::torn,
                                     "its signature cannot be read: " + signature.error().what);
      if (!any || worth(one.what) > worth(best.what)) best = std::move(one);
      any = true;
    }
    return best;
  }
  if (!parties.opener) {
    return verdict(What::for_others, "it is sealed, and there is no key to open it",
                   "[bundle] seal_key and seal_certificate");
  }
  if (shown.files.size() < kFirstSealedFile) {
    return verdict(What::refused, "it is sealed and has no manifest inside");
  }
  std::vector<Bytes> inside;
  for (const auto index : {kSealedManifest, kSealedSignature}) {
    const auto sealed = part(arrived, shown.files[index]);
    if (!sealed) return verdict(What::torn, sealed.error().what, sealed.error().hint);
    auto opened = unseal(*sealed, *parties.opener);
    if (!opened) return verdict(What::for_others, "it cannot be opened: " + opened.error().what);
    inside.push_back(std::move(*opened));
  }
  auto manifest = parse_bundle_manifest(inside[0]);
  if (!manifest) return refused(manifest.error());
  at_hand.manifest = std::move(*manifest);
  const auto& inner = at_hand.manifest;
  if (inner.stream != shown.stream || inner.number != shown.number ||
      inner.previous != shown.previous ||
      inner.files.size() + kFirstSealedFile != shown.files.size() || inner.from == kHiddenParty) {
    return verdict(What::refused, "what is sealed in it is another bundle");
  }
  return judge_inner(at_hand, inside[0], inside[1], parties, at);
}

ManifestVerdict BundleInbox::judge_inner(BelievedManifest& at_hand, ByteView octets,
                                         ByteView signature, const BundleParties& parties,
                                         Time at) const {
  const auto& manifest = at_hand.manifest;
  if (manifest.from == parties.own_name) return verdict(What::ours, "our own");
  if (manifest.to != parties.own_name) {
    return verdict(What::for_others, "it is for " + manifest.to + ", not for " + parties.own_name,
                   "[bundle] name says who we are");
  }
  const auto* peer = peer_called(parties, manifest.from);
  if (peer == nullptr) {
    return verdict(What::refused,
                   "it says that it is from " + manifest.from + ", who is no peer here",
                   "[bundle] peer names those whose bundles are taken");
  }
  auto signer = peer->verify(octets, signature, at);
  if (!signer) return refused(signer.error());
  at_hand.signer = std::move(*signer);
  return {What::believed, at_hand, {}, {}};
}

Result<Bytes> BundleInbox::part(const ArrivedBatch& arrived, const BundleFile& file) const {
  const auto copies = arrived.parts.find(file.name);
  std::string why = file.name + " is missing";
  if (copies == arrived.parts.end()) return hold(why);
  for (const auto& [copy, name] : copies->second) {
    FileDigest digest;
    auto octets = read_all(directory_, name, file.size, digest);
    const auto mistake = octets ? mistake_of(digest, file) : octets.error().what;
    if (mistake.empty()) return octets;
    why = file.name + " is " + mistake;
  }
  return hold(why);
}

std::vector<std::string> BundleInbox::check_files(const ArrivedBatch& arrived,
                                                  const BundleManifest& shown,
                                                  Places& found) const {
  std::vector<std::string> mistakes;
  found.clear();
  for (const auto& file : shown.files) {
    std::string mistake = "missing", place;
    if (const auto copies = arrived.parts.find(file.name); copies != arrived.parts.end()) {
      for (const auto& [copy, name] : copies->second) {
        mistake = mistake_of(digest_of(directory_, name, file.size), file);
        if (!mistake.empty()) continue;
        place = name;
        break;
      }
    }
    if (place.empty()) mistakes.push_back(printable(file.name, 80) + " is " + mistake);
    found.push_back(std::move(place));
  }
  return mistakes;
}

Result<Bytes> BundleInbox::read(const BelievedManifest& believed, std::size_t index,
                                const Places& places,
                                const std::optional<BundleOpener>& opener) const {
  const bool sealed = believed.shown.from == kHiddenParty;
  const auto at = sealed ? index + kFirstSealedFile : index;
  const auto& file = believed.shown.files[at];
  FileDigest digest;
  ASSIGN_OR_RETURN(auto octets, read_all(directory_, places[at], file.size, digest));
  if (!mistake_of(digest, file).empty()) {
    return retry(file.name + " has changed while it was read", "the medium is going bad");
  }
  if (!sealed) return octets;
  CHECK(opener.has_value());
  ASSIGN_OR_RETURN(auto inside, unseal(octets, *opener));
  const auto& inner = believed.manifest.files[index];
  if (inside.size() != inner.size || sha256(inside) != inner.sha256) {
    return hold("what is sealed in " + file.name + " is not what the manifest says");
  }
  return inside;
}

}  // namespace cmpost
