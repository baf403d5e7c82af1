#include "app/instance/sign_of_life.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/log.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestSign = 4096;
// Longer than any of them is, so that writing over an older one leaves nothing of it.
constexpr std::size_t kPadded = 256;

std::string path_of_life(const std::string& state, Stage stage) {
  return state + "/.service/" + std::string(to_string(stage));
}

// Of the whole file, by open file description: other threads and copies share it. Asking changes
// nothing, so that two that ask at the same time do not see each other.
struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool is_held(const FileDescriptor& file) {
  auto lock = whole_file(F_WRLCK);
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Time modified(const struct stat& status) {
  return from_unix_micros(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000);
}

}  // namespace

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::ingress:
      return "ingress";
    case Stage::processor:
      return "processor";
    case Stage::egress:
      break;
  }
  return "egress";
}

Result<std::optional<Life>> look_for_life(const std::string& state, Stage stage) {
  const auto path = path_of_life(state, stage);
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) return failure(errno_error("opening", path, errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failure(errno_error("examining", path, errno));
  ASSIGN_OR_RETURN(const auto octets, read_file(path, kLargestSign));
  Life life;
  life.running = is_held(file);
  life.last = modified(status);
  try {
    const auto value = json::parse(text_of(octets));
    life.batch = value.at("kind").get<std::string>() == "run";
    life.pid = value.at("pid").get<int>();
    life.began = from_unix_micros(value.at("began").get<std::int64_t>());
    const auto& ended = value.at("ended");
    if (!ended.is_null()) life.ended = from_unix_micros(ended.get<std::int64_t>());
  } catch (const json::exception&) {
    return hold(path + " is not what this program writes there",
                "remove it; the service writes it anew");
  }
  return life;
}

SignOfLife::SignOfLife(const std::string& state, const std::vector<Stage>& stages, Kind kind,
                       const Clock& clock)
    : kind_(kind), clock_(clock), began_(clock.now()) {
  (void)make_directories(state + "/.service");  // open() says what is wrong
  for (const auto stage : stages) {
    const auto path = path_of_life(state, stage);
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) {
      log::warning("state.not_written",
                   {{"file", path}, {"reason", std::generic_category().message(errno)}});
      continue;
    }
    auto lock = whole_file(F_RDLCK);
    (void)::fcntl(file.get(), F_OFD_SETLK, &lock);
    files_.push_back(std::move(file));
  }
  for (const auto& file : files_) write(file, std::nullopt);
}

SignOfLife::~SignOfLife() {
  const auto now = clock_.now();
  for (auto& file : files_) {
    auto lock = whole_file(F_UNLCK);
    (void)::fcntl(file.get(), F_OFD_SETLK, &lock);
    if (!is_held(file)) write(file, now);  // else another one goes on
  }
}

void SignOfLife::beat() const {
  const auto micros = to_unix_micros(clock_.now());
  const timespec now{micros / 1'000'000, micros % 1'000'000 * 1000};
  const std::array times = {now, now};
  for (const auto& file : files_) (void)::futimens(file.get(), times.data());
}

void SignOfLife::write(const FileDescriptor& file, std::optional<Time> ended) const {
  auto text = json{{"kind", kind_ == Kind::run ? "run" : "serve"},
                   {"pid", ::getpid()},
                   {"began", to_unix_micros(began_)},
                   {"ended", ended ? json(to_unix_micros(*ended)) : json()}}
                  .dump();
  text.resize(kPadded, ' ');
  text.back() = '\n';
  (void)!::pwrite(file.get(), text.data(), text.size(), 0);
  beat();
}

}  // namespace cmpost
