#include "carrier/bundles/bundle_archive.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/crash_point.h"
#include "base/presence.h"

namespace cmpost {
namespace {

constexpr std::size_t kNumberDigits = 10;
constexpr std::size_t kLargestIds = std::size_t{1} << 20U;
constexpr std::size_t kLargestNote = std::size_t{1} << 20U;
// Beside the text of the files a manifest has little.
constexpr std::size_t kRoomInManifest = kLargestManifest - (std::size_t{64} << 10U);
constexpr std::size_t kLineOfFile = 64 + 1 + 10 + 1 + 8 + 1 + 1;

std::string file_name(std::uint64_t number) {
  const auto text = std::to_string(number);
  return std::string(kNumberDigits - std::min(kNumberDigits, text.size()), '0') + text;
}

std::optional<std::uint64_t> number_in(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && name.size() == kNumberDigits && number > 0 ? std::optional(number) : std::nullopt;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// Up to the next blank, which is taken too.
std::string_view take_word(std::string_view& line) {
  const auto end = line.find(' ');
  const auto word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

std::optional<BundleCopies> parse_copies(std::string_view text) {
  BundleCopies copies;
  for (const auto& whole : lines_of(text)) {
    std::string_view line = whole;
    const auto key = take_word(line);
    const auto number = take_word(line);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    if (key == "wanted") {
      copies.wanted = value;
      continue;
    }
    const auto time = from_iso8601(take_word(line));
    if (key != "copy" || !time) return std::nullopt;
    auto medium = std::string(take_word(line));
    copies.written.push_back({value, *time, medium == "-" ? "" : medium, std::string(line)});
  }
  return copies;
}

std::string to_text(const BundleCopies& copies) {
  auto text = "wanted " + std::to_string(copies.wanted) + "\n";
  for (const auto& one : copies.written) {
    text += "copy " + std::to_string(one.copy) + " " + to_iso8601(one.written) + " " +
            (one.medium.empty() ? "-" : one.medium) + " " + printable(one.directory, 4000) + "\n";
  }
  return text;
}

std::optional<PeerReceipts> parse_receipts(std::string_view text) {
  PeerReceipts receipts;
  for (const auto& whole : lines_of(text)) {
    std::string_view line = whole;
    const auto key = take_word(line);
    if (key == "heard") {
      receipts.heard = from_iso8601(line);
      continue;
    }
    const std::string stream(take_word(line));
    const auto ranges = NumberRanges::parse(line);
    if (!is_stream_name(stream) || !ranges || (key != "received" && key != "given-up")) {
      return std::nullopt;
    }
    (key == "received" ? receipts.received : receipts.given_up)[stream] = *ranges;
  }
  return receipts;
}

std::string to_text(const PeerReceipts& receipts) {
  std::string text;
  for (const auto& [key, all] :
       {std::pair("received ", &receipts.received), std::pair("given-up ", &receipts.given_up)}) {
    for (const auto& [stream, ranges] : *all) text += key + stream + " " + ranges.text() + "\n";
  }
  if (receipts.heard) text += "heard " + to_iso8601(*receipts.heard) + "\n";
  return text;
}

void merge(StreamRanges& known, const StreamRanges& more, const std::set<std::string>& ours) {
  for (const auto& [stream, ranges] : more) {
    if (!ours.contains(stream)) continue;
    for (const auto& part : ranges.parts()) known[stream].add(part);
  }
}

Result<BundleManifest> manifest_in(const std::string& path, std::string* text = nullptr) {
  ASSIGN_OR_RETURN(const auto octets, read_file(path, kLargestManifest));
  auto manifest = parse_bundle_manifest(octets);
  if (!manifest) return failure(std::move(manifest).error().within(path));
  if (text != nullptr) *text = text_of(octets);
  return manifest;
}

}  // namespace

Result<BundleArchive> BundleArchive::open(const std::string& directory) {
  for (const auto* part : {"/bundles", "/written"}) TRY(make_directories(directory + part));
  return BundleArchive(directory);
}

Result<std::optional<BundleArchive>> BundleArchive::look_into(const std::string& directory) {
  ASSIGN_OR_RETURN(const bool there, is_there(directory + "/bundles"));
  if (!there) return std::optional<BundleArchive>();
  return std::optional(BundleArchive(directory));
}

Result<FileDescriptor> BundleArchive::lock() const {
  const auto path = directory_ + "/lock";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return failure(errno_error("opening", path, errno));
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return failure(errno_error("locking", path, errno));
  }
  return file;
}

std::string BundleArchive::directory_of(std::uint64_t number) const {
  return directory_ + "/bundles/" + file_name(number);
}

Result<std::vector<std::uint64_t>> BundleArchive::numbers() const {
  ASSIGN_OR_RETURN(const auto names, names_if_there(directory_ + "/bundles"));
  std::vector<std::uint64_t> numbers;
  for (const auto& name : names) {
    if (const auto number = number_in(name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

Result<MadeBundle> BundleArchive::read(std::uint64_t number) const {
  const auto path = directory_of(number);
  MadeBundle bundle;
  ASSIGN_OR_RETURN(bundle.shown, manifest_in(path + "/manifest", &bundle.shown_text));
  bundle.manifest = bundle.shown;
  if (bundle.shown.is_stub()) {
    ASSIGN_OR_RETURN(bundle.manifest, manifest_in(path + "/manifest.inner"));
  }
  ASSIGN_OR_RETURN(const auto ids, read_file(path + "/ids", kLargestIds));
  bundle.ids = lines_of(text_of(ids));
  if (bundle.ids.size() != bundle.manifest.files.size()) return hold(path + "/ids is damaged");
  return bundle;
}

Result<BundleArchive::Newest> BundleArchive::newest() const {
  ASSIGN_OR_RETURN(const auto all, numbers());
  if (all.empty()) return Newest{};
  const auto path = directory_of(all.back());
  std::string text;
  ASSIGN_OR_RETURN(const auto manifest, manifest_in(path + "/manifest", &text));
  if (manifest.is_stub()) TRY(manifest_in(path + "/manifest.inner", &text));
  return Newest{all.back(), manifest.stream, sha256(view_of(text))};
}

// A number that is missing below one that counts was forgotten, and its bundle may count, too.
Result<BundleArchive::Known> BundleArchive::known(Time since) const {
  Known known;
  ASSIGN_OR_RETURN(const auto all, numbers());
  std::uint64_t expected = all.empty() ? 0 : all.back();
  for (auto number = all.rbegin(); number != all.rend(); ++number) {
    if (*number != expected) known.whole = false;
    ASSIGN_OR_RETURN(const auto bundle, read(*number));
    if (bundle.manifest.created < since) return known;
    for (const auto& id : bundle.ids) {
      if (!id.empty()) known.ids.emplace(id, *number);
    }
    expected = *number - 1;
  }
  known.whole = known.whole && expected == 0;
  return known;
}

Result<void> BundleArchive::remove_bundle(const std::string& path) const {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return failure(errno_error("removing", path, error.value()));
  return {};
}

Result<BundleDraft> BundleArchive::begin(const BundleSeal* seal, Random& random) const {
  const auto next = directory_ + "/next";
  TRY(remove_bundle(next));
  TRY(make_directories(next));
  ASSIGN_OR_RETURN(auto opened, open_directory(next));
  return BundleDraft(std::move(opened), seal, random);
}

Result<std::uint64_t> BundleArchive::publish(BundleDraft draft, const BundleAddress& address,
                                             const BundleSigner& signer, Time now,
                                             std::uint64_t copies, Random& random) const {
  ASSIGN_OR_RETURN(const auto newest, this->newest());
  auto& manifest = draft.manifest_;
  manifest.stream = newest.number == 0 ? to_hex(random.bytes(8)) : newest.stream;
  manifest.number = newest.number + 1;
  manifest.previous = newest.hash;
  manifest.created = std::chrono::floor<std::chrono::seconds>(now);
  manifest.from = address.from;
  manifest.to = address.to;
  manifest.purpose = address.purpose;
  manifest.received = address.received;
  manifest.given_up = address.given_up;
  if (draft.seal_ != nullptr) manifest.sealed = draft.seal_->identifiers;
  auto text = format(manifest);
  // What cannot be read back must not get a number.
  if (auto checked = parse_bundle_manifest(view_of(text)); !checked) {
    return failure(std::move(checked).error().within("making a bundle"));
  }
  ASSIGN_OR_RETURN(const auto signature, sign_bundle(text, signer));
  auto& group = *draft.group_;
  std::string ids;
  for (const auto& id : draft.ids_) ids += id + "\n";
  TRY(group.add("ids", view_of(ids)));
  if (draft.seal_ != nullptr) {
    TRY(draft.put_sealed(kSealedManifest, view_of(text)));
    TRY(draft.put_sealed(kSealedSignature, signature));
    TRY(group.add("manifest.inner", view_of(text)));
    auto& shown = draft.shown_;
    std::ranges::sort(shown.files, {}, &BundleFile::name);
    shown.stream = manifest.stream;
    shown.number = manifest.number;
    shown.previous = manifest.previous;
    shown.created = manifest.created;
    shown.from = shown.to = kHiddenParty;
    shown.purpose = BundlePurpose::notices;
    shown.sealed = manifest.sealed;
    text = format(shown);
    if (auto checked = parse_bundle_manifest(view_of(text)); !checked) {
      return failure(std::move(checked).error().within("sealing a bundle"));
    }
  } else {
    TRY(group.add(std::string(kBundleSignature), signature));
  }
  TRY(group.add("manifest", view_of(text)));
  TRY(group.finish());
  TRY(sync(*draft.directory_, "a bundle that is being made"));
  crash_point("bundle.made");
  // First the wish, then the bundle: a wish without a bundle is nothing, a bundle without a wish
  // would never leave.
  TRY(set_copies(manifest.number, {copies, {}}));
  crash_point("bundle.wanted");
  const auto next = directory_ + "/next";
  if (::rename(next.c_str(), directory_of(manifest.number).c_str()) != 0) {
    return failure(errno_error("renaming", next, errno));
  }
  crash_point("bundle.named");
  TRY(sync_directory(directory_ + "/bundles"));
  TRY(sync_directory(directory_));
  crash_point("bundle.numbered");
  return manifest.number;
}

Result<BundleCopies> BundleArchive::copies(std::uint64_t number) const {
  const auto path = directory_ + "/written/" + file_name(number);
  ASSIGN_OR_RETURN(const auto contents, read_if_there(path, kLargestNote));
  if (!contents) return BundleCopies{};
  auto copies = parse_copies(text_of(*contents));
  if (!copies) return hold(path + " is damaged", "remove it: the bundle is then written again");
  return std::move(*copies);
}

Result<void> BundleArchive::set_copies(std::uint64_t number, const BundleCopies& copies) const {
  return write_file(directory_ + "/written/" + file_name(number), view_of(to_text(copies)), 0640,
                    IfExists::replace);
}

Result<PeerReceipts> BundleArchive::receipts() const {
  const auto path = directory_ + "/receipts";
  ASSIGN_OR_RETURN(const auto contents, read_if_there(path, kLargestNote));
  if (!contents) return PeerReceipts{};
  auto receipts = parse_receipts(text_of(*contents));
  if (!receipts) return hold(path + " is damaged", "remove it: the next bundle says it again");
  return std::move(*receipts);
}

Result<void> BundleArchive::note_receipts(const BundleManifest& of_peer) const {
  ASSIGN_OR_RETURN(auto known, receipts());
  // Streams that are none of ours are not remembered, or the peer could fill the file.
  std::set<std::string> ours;
  ASSIGN_OR_RETURN(const auto newest, this->newest());
  if (newest.number != 0) ours.insert(newest.stream);
  for (const auto& [stream, ranges] : known.received) ours.insert(stream);
  const auto before = to_text(known);
  merge(known.received, of_peer.received, ours);
  merge(known.given_up, of_peer.given_up, ours);
  known.heard = std::max(known.heard.value_or(of_peer.created), of_peer.created);
  const auto text = to_text(known);
  if (text == before) return {};
  TRY(write_file(directory_ + "/receipts", view_of(text), 0640, IfExists::replace));
  crash_point("bundle.receipts_noted");
  return {};
}

Result<void> BundleArchive::begin_new_stream() const {
  ASSIGN_OR_RETURN(const auto newest, this->newest());
  if (newest.number == 0) return {};
  for (const auto* part : {"/written", "/bundles"}) {
    const auto from = directory_ + part;
    auto aside = from + "-" + newest.stream;
    ASSIGN_OR_RETURN(bool taken, is_there(aside));
    for (int i = 2; taken; ++i) {
      aside = from + "-" + newest.stream + "-" + std::to_string(i);
      ASSIGN_OR_RETURN(taken, is_there(aside));
    }
    if (::rename(from.c_str(), aside.c_str()) != 0 && errno != ENOENT) {
      return failure(errno_error("renaming", from, errno));
    }
    crash_point("bundle.put_aside");
  }
  for (const auto* part : {"/bundles", "/written"}) TRY(make_directories(directory_ + part));
  return sync_directory(directory_);
}

Result<std::size_t> BundleArchive::purge(Time before) const {
  ASSIGN_OR_RETURN(const auto all, numbers());
  ASSIGN_OR_RETURN(const auto receipts, this->receipts());
  std::size_t removed = 0;
  for (const auto number : all) {
    if (number == all.back()) break;
    ASSIGN_OR_RETURN(const auto bundle, read(number));
    if (bundle.manifest.created >= before) break;
    const auto had = receipts.received.find(bundle.manifest.stream);
    if (had == receipts.received.end() || !had->second.contains(number)) continue;
    // Out of the way first: half a bundle must not be taken for one.
    const auto gone = directory_ + "/next";
    TRY(remove_bundle(gone));
    if (::rename(directory_of(number).c_str(), gone.c_str()) != 0) {
      return failure(errno_error("renaming", directory_of(number), errno));
    }
    TRY(remove_bundle(gone));
    TRY(remove_bundle(directory_ + "/written/" + file_name(number)));
    ++removed;
  }
  return removed;
}

bool BundleDraft::has_room(std::uint64_t size) const {
  const auto stored = size + (seal_ != nullptr ? kRoomForSeal : 0);
  const std::size_t most = kMostBatchFiles - (seal_ != nullptr ? kFirstSealedFile : 0);
  return manifest_.files.size() < most && stored <= kLargestBundleFile &&
         octets_ + stored <= kLargestBundle - 4 * kRoomForSeal - kLargestManifest &&
         format_size_ < kRoomInManifest;
}

bool BundleDraft::may_be_called(const std::string& name) const {
  constexpr std::array<std::string_view, 5> kTaken = {"ids", "manifest", "manifest.inner",
                                                      kBundleSignature, kBundleSums};
  return is_plain_file_name(name) && std::ranges::find(kTaken, name) == kTaken.end() &&
         std::ranges::find(manifest_.files, name, &BundleFile::name) == manifest_.files.end();
}

Result<void> BundleDraft::add(const std::string& id, const std::string& name, BundleFileKind kind,
                              ByteView contents) {
  CHECK(has_room(contents.size()) && may_be_called(name));
  manifest_.files.push_back({name, contents.size(), sha256(contents), kind});
  ids_.push_back(id);
  format_size_ += kLineOfFile + name.size();
  if (seal_ == nullptr) {
    octets_ += contents.size();
    return group_->add(name, contents);
  }
  return put_sealed(kFirstSealedFile + manifest_.files.size() - 1, contents);
}

Result<void> BundleDraft::put_sealed(std::size_t index, ByteView contents) {
  ASSIGN_OR_RETURN(const auto sealed, seal(contents, *seal_, *random_));
  const auto name = sealed_name(index);
  shown_.files.push_back({name, sealed.size(), sha256(sealed), BundleFileKind::sealed});
  octets_ += sealed.size();
  return group_->add(name, sealed);
}

}  // namespace cmpost
