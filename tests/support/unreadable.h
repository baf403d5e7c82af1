// Something that is there and that nobody can look at, root neither.
#pragma once

#include <filesystem>
#include <string>

namespace cmpost {

// While it lives the name is a link to itself: looking into it ends with ELOOP.
class Unreadable {
 public:
  explicit Unreadable(std::string path) : path_(std::move(path)) {
    std::filesystem::rename(path_, path_ + ".away");
    std::filesystem::create_symlink(path_, path_);
  }
  ~Unreadable() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::rename(path_ + ".away", path_, ignored);
  }
  Unreadable(const Unreadable&) = delete;
  Unreadable& operator=(const Unreadable&) = delete;

 private:
  const std::string path_;
};

}  // namespace cmpost
