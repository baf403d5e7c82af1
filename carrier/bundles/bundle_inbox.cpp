#include "carrier/bundles/bundle_inbox.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/presence.h"

namespace cmpost {
namespace {

using What = ManifestVerdict::What;

constexpr std::size_t kMostNames = 500'000;
// Of a manifest and of a signature so many are looked at: whoever has the medium can add more.
constexpr std::size_t kMostCopies = 16;
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

ManifestVerdict best_of(std::vector<ManifestVerdict> all) {
  CHECK(!all.empty());
  return std::move(*std::ranges::max_element(
      all, {}, [](const ManifestVerdict& one) { return worth(one.what); }));
}

ManifestVerdict not_ours(const BundleManifest& manifest, const BundleParties& parties) {
  return verdict(What::for_others, "it is for " + manifest.to + ", not for " + parties.own_name,
                 "[bundle] name says who we are");
}

// And nothing so large in its place that reading it would be work.
bool has_manifest_inside(const BundleManifest& shown) {
  return shown.files.size() >= kFirstSealedFile &&
         shown.files[kSealedManifest].size <= kLargestManifest + kRoomForSeal &&
         shown.files[kSealedSignature].size <= kLargestBundleSignature + kRoomForSeal;
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
  std::vector<ManifestVerdict> found;
  for (const auto& [copy, name] : arrived.manifests) {
    if (found.size() == kMostCopies) break;
    found.push_back(judge_copy(arrived, copy, name, parties, at));
    if (found.back().what == What::believed) break;
  }
  if (!found.empty()) return best_of(std::move(found));
  return verdict(What::torn, "its manifest is missing",
                 "it was not written to its end: copy it once more");
}

ManifestVerdict BundleInbox::judge_copy(const ArrivedBatch& arrived, std::uint64_t copy,
                                        const std::string& name, const BundleParties& parties,
                                        Time at) const {
  FileDigest digest;
  const auto octets = read_all(directory_, name, kLargestManifest, digest);
  if (!octets) {
    return verdict(What::torn, "its manifest cannot be read: " + octets.error().what);
  }
  if (text_of(*octets).starts_with(kFirstVersion)) {
    return verdict(What::refused, "it is a batch of a one-way channel, which nobody has signed",
                   "it belongs into `in` of a channel with one_way = \"in\"");
  }
  auto shown = parse_bundle_manifest(*octets);
  if (!shown) return refused(shown.error());
  if (shown->stream != arrived.stream || shown->number != arrived.number) {
    return verdict(What::refused, "the manifest in it is that of another bundle");
  }
  BelievedManifest at_hand{*shown, *shown, {}, {}};
  return shown->is_stub() ? judge_sealed(arrived, at_hand, parties, at)
                          : judge_open(arrived, copy, at_hand, *octets, parties, at);
}

// The signature of the same copy first.
ManifestVerdict BundleInbox::judge_open(const ArrivedBatch& arrived, std::uint64_t copy,
                                        BelievedManifest& at_hand, ByteView octets,
                                        const BundleParties& parties, Time at) const {
  if (at_hand.shown.from == parties.own_name) return verdict(What::ours, "our own");
  if (at_hand.shown.to != parties.own_name) return not_ours(at_hand.shown, parties);
  const auto there = arrived.parts.find(std::string(kBundleSignature));
  if (there == arrived.parts.end()) {
    return verdict(What::torn, "its signature is missing",
                   "the file that ends in -" + std::string(kBundleSignature));
  }
  std::vector<std::string> names;
  if (const auto same = there->second.find(copy); same != there->second.end()) {
    names.push_back(same->second);
  }
  for (const auto& [other, name] : there->second) {
    if (names.size() == kMostCopies) break;
    if (other != copy) names.push_back(name);
  }
  std::vector<ManifestVerdict> found;
  for (const auto& name : names) {
    FileDigest digest;
    const auto signature = read_all(directory_, name, kLargestBundleSignature, digest);
    found.push_back(
        signature ? judge_inner(at_hand, octets, *signature, parties, at)
                  : verdict(What::torn, "its signature cannot be read: " + signature.error().what));
    if (found.back().what == What::believed) break;
  }
  return best_of(std::move(found));
}

// Who finds a medium can change what stands outside: nothing of it is believed but what the inner
// manifest says, too, and what the files are compared with.
ManifestVerdict BundleInbox::judge_sealed(const ArrivedBatch& arrived, BelievedManifest& at_hand,
                                          const BundleParties& parties, Time at) const {
  const auto& shown = at_hand.shown;
  if (!parties.opener) {
    return verdict(What::for_others, "it is sealed, and there is no key to open it",
                   "[bundle] seal_key and seal_certificate");
  }
  if (!opens(*parties.opener, shown.sealed)) {
    return verdict(What::for_others, "it is sealed for others",
                   "[bundle] seal_certificate is not the one that its sender has, if it is for us");
  }
  if (!has_manifest_inside(shown)) {
    return verdict(What::refused, "it is sealed and has no manifest inside");
  }
  std::vector<Bytes> inside;
  for (const auto index : {kSealedManifest, kSealedSignature}) {
    const auto sealed = part(arrived, shown.files[index]);
    if (!sealed) return verdict(What::torn, sealed.error().what, sealed.error().hint);
    auto opened = unseal(*sealed, *parties.opener);
    if (!opened) {
      return verdict(What::refused,
                     "it is sealed for us and cannot be opened: " + opened.error().what,
                     "ask for the bundle again: it was changed on its way");
    }
    inside.push_back(std::move(*opened));
  }
  auto manifest = parse_bundle_manifest(inside[0]);
  if (!manifest) return refused(manifest.error());
  at_hand.manifest = std::move(*manifest);
  const auto& inner = at_hand.manifest;
  if (inner.is_stub() || inner.stream != shown.stream || inner.number != shown.number ||
      inner.previous != shown.previous || inner.created != shown.created ||
      inner.sealed != shown.sealed || inner.files.size() + kFirstSealedFile != shown.files.size()) {
    return verdict(What::refused, "what is sealed in it is another bundle");
  }
  return judge_inner(at_hand, inside[0], inside[1], parties, at);
}

std::optional<Sha256> BundleInbox::hash_of(const ArrivedBatch& arrived, const std::string& name,
                                           const std::optional<BundleOpener>& opener) const {
  FileDigest digest;
  const auto octets = read_all(directory_, name, kLargestManifest, digest);
  const auto shown = octets ? parse_bundle_manifest(*octets) : Result<BundleManifest>(hold(""));
  if (!shown) return std::nullopt;
  if (!shown->is_stub()) return sha256(*octets);
  if (!opener || !opens(*opener, shown->sealed) || !has_manifest_inside(*shown))
    return std::nullopt;
  const auto sealed = part(arrived, shown->files[kSealedManifest]);
  const auto opened = sealed ? unseal(*sealed, *opener) : sealed;
  return opened ? std::optional(sha256(*opened)) : std::nullopt;
}

ManifestVerdict BundleInbox::judge_inner(BelievedManifest& at_hand, ByteView octets,
                                         ByteView signature, const BundleParties& parties,
                                         Time at) const {
  const auto& manifest = at_hand.manifest;
  if (manifest.from == parties.own_name) return verdict(What::ours, "our own");
  if (manifest.to != parties.own_name) return not_ours(manifest, parties);
  const auto* peer = peer_called(parties, manifest.from);
  if (peer == nullptr) {
    return verdict(What::refused,
                   "it says that it is from " + manifest.from + ", who is no peer here",
                   "[bundle] peer names those whose bundles are taken");
  }
  auto signer = peer->verify(octets, signature, at);
  if (!signer) return refused(signer.error());
  at_hand.signer = std::move(*signer);
  at_hand.hash = sha256(octets);
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
  const bool sealed = believed.shown.is_stub();
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
