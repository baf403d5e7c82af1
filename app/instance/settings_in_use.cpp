#include "app/instance/settings_in_use.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/presence.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestRecord = 16 << 10, kLongestComplaint = 1000;
constexpr std::size_t kLargestSettings = 16 << 20;
constexpr std::string_view kPrefix = "settings.";

std::string records_of(const std::string& state) { return state + "/.service"; }

struct flock of_all_octets(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool has_no_name(int file) {
  struct stat found {};
  return ::fstat(file, &found) == 0 && found.st_nlink == 0;
}

// Asking changes nothing, so that two that ask at the same time do not see each other.
Result<bool> is_in_use(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return false;  // stopped at this moment
  if (!file) return failure(errno_error("opening", path, errno));
  auto lock = of_all_octets(F_WRLCK);
  if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0) {
    return failure(errno_error("examining the lock of", path, errno));
  }
  return lock.l_type != F_UNLCK;
}

struct Record {
  std::string used, used_since, refused, refused_since, complaint;
};

// nullopt: empty or torn, as a full disk or a moment ago has left it.
std::optional<Record> parse_record(ByteView octets) {
  try {
    const auto record = json::parse(text_of(octets));
    const auto text = [&](const char* key) { return record.at(key).get<std::string>(); };
    Record parsed{text("used"), text("used_since"), text("refused"), text("refused_since"),
                  text("complaint")};
    if (parsed.used.empty()) return std::nullopt;
    return parsed;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::optional<Record> read_record(const std::string& path) {
  constexpr int kLooks = 3;  // the service may be writing it
  for (int look = 0; look < kLooks; ++look) {
    const auto octets = read_file(path, kLargestRecord);
    if (!octets) continue;
    if (auto record = parse_record(*octets)) return record;
  }
  return std::nullopt;
}

std::string not_known(const std::string& why) {
  return "which settings the service works with is not known: " + why;
}

// `on_disk`: empty when the settings cannot be read. No digest equals one that is not known.
std::optional<std::string> sentence_of(const std::string& path, const std::string& on_disk) {
  const auto record = read_record(path);
  if (!record) {
    return not_known(path + " says nothing; a restart or reload writes it");
  }
  if (on_disk.empty()) {
    return "the settings on disk cannot be read; those in use since " + record->used_since +
           " are still in use";
  }
  if (record->refused == on_disk) {
    return "the settings on disk are wrong, found at a reload at " + record->refused_since +
           "; those before are still in use: " + record->complaint;
  }
  if (record->used == on_disk) return std::nullopt;
  return "the settings on disk differ from those in use since " + record->used_since +
         "; `systemctl reload` or SIGHUP takes them in use";
}

}  // namespace

std::string digest_of_settings(const std::string& file) {
  const auto contents = read_file(file, kLargestSettings);
  return contents ? to_hex(sha256(*contents)) : std::string();
}

SettingsInUse::SettingsInUse(const std::string& state, const std::string& service,
                             const Clock& clock)
    : clock_(clock), path_(records_of(state) + "/" + std::string(kPrefix) + service) {
  if (!make_directories(records_of(state))) return;
  // One that ends at this moment may take the name away.
  do {
    file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    auto lock = of_all_octets(F_RDLCK);
    if (file_) (void)::fcntl(file_.get(), F_OFD_SETLK, &lock);
  } while (file_ && has_no_name(file_.get()));
}

SettingsInUse::~SettingsInUse() {
  // A second service of this name, as at a restart that overlaps, keeps the record.
  auto alone = of_all_octets(F_WRLCK);
  if (file_ && ::fcntl(file_.get(), F_OFD_SETLK, &alone) == 0) ::unlink(path_.c_str());
}

void SettingsInUse::use(const std::string& digest) {
  used_ = digest;
  used_since_ = clock_.now();
  refused_.clear();
  complaint_.clear();
  write();
}

void SettingsInUse::refuse(const std::string& digest, const std::string& complaint) {
  refused_ = digest;
  refused_since_ = clock_.now();
  complaint_ = printable(complaint, kLongestComplaint);
  write();
}

void SettingsInUse::write() {
  const auto text = json{
      {"used", used_},
      {"used_since", to_iso8601(used_since_)},
      {"refused", refused_},
      {"refused_since", to_iso8601(refused_since_)},
      {"complaint",
       complaint_}}.dump(-1, ' ', false, json::error_handler_t::replace);
  if (!file_ || ::pwrite(file_.get(), text.data(), text.size(), 0) < 0) return;
  (void)!::ftruncate(file_.get(), static_cast<off_t>(text.size()));
}

std::vector<std::string> settings_not_in_use(const Settings& settings) {
  const auto directory = records_of(settings.instance.state);
  const auto names = names_if_there(directory);
  if (!names) return {not_known(to_string(names.error()))};
  std::vector<std::string> sentences;
  const auto on_disk = digest_of_settings(settings.file);
  for (const auto& name : *names) {
    if (!name.starts_with(kPrefix)) continue;
    const auto path = path_below(directory, name);
    const auto in_use = is_in_use(path);
    if (!in_use) {
      sentences.push_back(not_known(to_string(in_use.error())));
    } else if (*in_use) {
      if (auto sentence = sentence_of(path, on_disk)) sentences.push_back(std::move(*sentence));
    }
  }
  return sentences;
}

}  // namespace cmpost
